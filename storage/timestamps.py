"""How moments are kept: aware UTC datetimes in Python, whole milliseconds since 1970 in SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)


def now() -> datetime:
    """The moment, aware, in UTC."""
    return datetime.now(UTC)


def to_sql(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down. Raises ValueError for a datetime without a time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return (moment - _EPOCH) // _MILLISECOND


def from_sql(milliseconds: int) -> datetime:
    """The UTC moment of `to_sql`."""
    return _EPOCH + milliseconds * _MILLISECOND


def day_of(moment: datetime) -> int:
    """The UTC day as a count of days since 1970. Raises ValueError for a datetime without a time zone."""
    return to_sql(moment) * _MILLISECOND // _DAY


def start_of(day: int) -> datetime:
    """The first moment of a day that `day_of` counted."""
    return _EPOCH + day * _DAY
