"""Days, weeks and months as a server's own clocks show them, also where clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.credits import calendar
from storage.credits.calendar import Period, Rate, find_zone, local_day, span_of, start_of, zones_like

ZONES = st.sampled_from(
    (
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/St_Johns",
        "Asia/Kathmandu",
        "Africa/Cairo",
        "America/Havana",
        "Asia/Beirut",
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
        "Pacific/Apia",
    )
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MILLISECOND = timedelta(milliseconds=1)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("zone", "now", "ends_at"),
    [
        ("UTC", at(2026, 3, 14, 12), at(2026, 3, 15)),
        ("Asia/Tokyo", at(2026, 3, 14, 14, 59), at(2026, 3, 14, 15)),
        ("Asia/Tokyo", at(2026, 3, 14, 15), at(2026, 3, 15, 15)),
        ("America/New_York", at(2026, 3, 15, 3, 59), at(2026, 3, 15, 4)),
        # The day on which clocks are put forward has 23 hours, and the one on which they are put back has 25.
        ("Europe/Berlin", at(2026, 3, 28, 23), at(2026, 3, 29, 22)),
        ("Europe/Berlin", at(2026, 10, 24, 22), at(2026, 10, 25, 23)),
        # Where they are put forward at midnight, that day begins at one o'clock.
        ("Asia/Beirut", at(2026, 3, 28, 21, 59), at(2026, 3, 28, 22)),
        ("Asia/Beirut", at(2026, 3, 28, 22), at(2026, 3, 29, 21)),
    ],
)
def test_a_day_ends_at_the_servers_midnight(zone: str, now: datetime, ends_at: datetime) -> None:
    assert span_of(Period.DAY, now, zone).ends_at == ends_at


def test_a_week_begins_on_monday_and_a_month_on_its_first() -> None:
    saturday = at(2026, 3, 14, 12)
    assert span_of(Period.WEEK, saturday).ends_at == at(2026, 3, 16)
    assert span_of(Period.WEEK, at(2026, 3, 16)).ends_at == at(2026, 3, 23)
    assert span_of(Period.MONTH, saturday).ends_at == at(2026, 4, 1)
    assert span_of(Period.MONTH, at(2026, 1, 31, 23, 59)).ends_at == at(2026, 2, 1)
    assert span_of(Period.MONTH, at(2028, 2, 29)).ends_at == at(2028, 3, 1)
    assert span_of(Period.MONTH, at(2026, 12, 31)).ends_at == at(2027, 1, 1)
    assert span_of(Period.MONTH, at(2026, 4, 1), "America/New_York").ends_at == at(2026, 4, 1, 4)


@settings(deadline=None)
@given(zone=ZONES, now=MOMENTS, period=st.sampled_from(Period))
def test_periods_follow_each_other_without_a_gap(zone: str, now: datetime, period: Period) -> None:
    span = span_of(period, now, zone)
    assert span.first <= local_day(now, zone) <= span.last
    assert start_of(span.first, zone) <= now < span.ends_at
    before, after = span_of(period, span.ends_at - MILLISECOND, zone), span_of(period, span.ends_at, zone)
    assert before == span
    assert after.first == span.last + 1


def test_a_moment_without_a_zone_is_on_no_day() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        local_day(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


def test_a_zone_that_this_machine_does_not_know_is_taken_for_utc() -> None:
    assert local_day(at(2026, 3, 14, 23), "Mars/Olympus") == local_day(at(2026, 3, 14, 23))


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/berlin ", "Europe/Berlin"),
        ("america/new york", "America/New_York"),
        ("utc", "UTC"),
        ("../../etc/passwd", None),
        ("localtime", None),
        ("", None),
    ],
)
def test_a_zone_is_found_however_it_is_typed(text: str, zone: str | None) -> None:
    assert find_zone(text) == zone


def test_zones_are_suggested_by_any_part_of_their_names() -> None:
    assert "Europe/Berlin" in zones_like("berl", limit=25)
    assert zones_like("new y", limit=25) == ["America/New_York"]
    assert zones_like("europe", limit=3) == ["Europe/Amsterdam", "Europe/Andorra", "Europe/Astrakhan"]
    assert len(zones_like("", limit=25)) == 25


@given(st.integers(0, calendar.MAX_CREDITS), st.sampled_from(Period))
def test_a_rate_is_read_as_it_was_written(credits: int, period: Period) -> None:
    assert Rate.parse(str(Rate(credits, period))) == Rate(credits, period)


@pytest.mark.parametrize("text", ["40", "40/year", "-1/day", "1000001/day", "４０/day", ""])
def test_another_text_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate|between"):
        Rate.parse(text)
