"""The calendar of quotas: days, weeks and months as a server's own clocks show them.

A day is counted as the days from 1970-01-01 to its date in the server's time zone, whatever its length: one on which
clocks are changed has 23 or 25 hours. A week begins on Monday.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

UTC_ZONE = "UTC"
MAX_CREDITS = 1_000_000
"""The most credits that a price, an allowance or a bonus may be."""

LONGEST_DAYS = 35
"""Days after which nothing counts for a running period: a month, and a server that moves to another time zone."""

_EPOCH = date(1970, 1, 1).toordinal()
_RATE = re.compile(r"([0-9]{1,7})/(day|week|month)", re.ASCII)


class Period(StrEnum):
    """How long an allowance lasts."""

    DAY = "day"
    """From midnight to midnight."""
    WEEK = "week"
    """From Monday to Sunday."""
    MONTH = "month"
    """A month of the calendar."""


_USUAL_DAYS = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 30}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many credits in each period. Raises ValueError, with a sentence, outside 0..1,000,000 credits."""

    credits: int
    period: Period = Period.DAY

    def __post_init__(self) -> None:
        check_credits(self.credits, "An allowance")

    def __str__(self) -> str:
        return f"{self.credits}/{self.period}"

    @classmethod
    def parse(cls, text: str) -> Rate:
        """The rate that `str` wrote. Raises ValueError for another text."""
        found = _RATE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a rate like 40/day")
        return cls(int(found[1]), Period(found[2]))

    @property
    def generosity(self) -> tuple[float, int]:
        """Sorts rates: by credits a day, and then by the sum."""
        return self.credits / _USUAL_DAYS[self.period], self.credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The days of one period, the first and the last included, and the moment when the next begins."""

    first: int
    last: int
    ends_at: datetime


def check_credits(credits: int, what: str) -> int:
    """The credits themselves. Raises ValueError, with a sentence, outside 0..1,000,000."""
    if not 0 <= credits <= MAX_CREDITS:
        raise ValueError(f"{what} must be between 0 and {MAX_CREDITS:,} credits, not {credits:,}.")
    return credits


def local_day(moment: datetime, zone: str = UTC_ZONE) -> int:
    """The day that calendars in the zone show at a moment. Raises ValueError for one without a time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(_zone(zone)).date().toordinal() - _EPOCH


def start_of(day: int, zone: str = UTC_ZONE) -> datetime:
    """The first moment of a day in the zone, in UTC: also where clocks are put forward at midnight."""
    return datetime.combine(_date(day), time(), tzinfo=_zone(zone)).astimezone(UTC)


def span_of(period: Period, moment: datetime, zone: str = UTC_ZONE) -> Span:
    """The period of the zone's calendar in which a moment lies."""
    today = _date(local_day(moment, zone))
    match period:
        case Period.DAY:
            first, after = today, today + timedelta(days=1)
        case Period.WEEK:
            first = today - timedelta(days=today.weekday())
            after = first + timedelta(days=7)
        case Period.MONTH:
            first = today.replace(day=1)
            after = (first + timedelta(days=31)).replace(day=1)
    last = after.toordinal() - _EPOCH - 1
    return Span(first=first.toordinal() - _EPOCH, last=last, ends_at=start_of(last + 1, zone))


def find_zone(text: str) -> str | None:
    """The name of the time zone that a text means, in any case and with spaces for underscores; None for none."""
    return _zones().get(_plain(text))


def zones_like(text: str, *, limit: int) -> list[str]:
    """The names of time zones with the text in them, those that begin with it first."""
    wanted = _plain(text)
    found = [(not plain.startswith(wanted), name) for plain, name in _zones().items() if wanted in plain]
    return [name for _, name in sorted(found)[:limit]]


@cache
def _zones() -> dict[str, str]:
    return {_plain(name): name for name in available_timezones() - {"localtime", "Factory"}}


def _plain(text: str) -> str:
    return text.strip().replace(" ", "_").casefold()


@cache
def _zone(name: str) -> ZoneInfo:
    """The zone. UTC if this machine no longer knows it, so that nobody is locked out."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(UTC_ZONE)


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH)
