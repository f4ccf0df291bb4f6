"""Guild settings, people, the bot's notes to itself, and how moments are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import timestamps
from storage.database import Transaction
from storage.guilds import settings as guild_settings
from storage.guilds.settings import GuildSettings
from storage.privacy import users
from storage.privacy.users import User
from tests.storage.samples import ALICE, BOB, GUILD, NOON


async def test_a_guild_has_defaults_until_it_sets_something(tx: Transaction) -> None:
    assert await guild_settings.settings(tx, GUILD) == GuildSettings(guild_id=GUILD, default_model=None)
    for model in ("toy", "large", None):
        await guild_settings.set_default_model(tx, GUILD, model)
        assert await guild_settings.settings(tx, GUILD) == GuildSettings(guild_id=GUILD, default_model=model)
    assert (await guild_settings.settings(tx, GUILD + 1)).default_model is None


async def test_a_guilds_settings_do_not_touch_each_other(tx: Transaction) -> None:
    await guild_settings.set_default_model(tx, GUILD, "toy")
    await guild_settings.set_appeal(tx, GUILD, "Ask in #help.")
    assert await guild_settings.settings(tx, GUILD) == GuildSettings(
        guild_id=GUILD, default_model="toy", appeal="Ask in #help."
    )


async def test_people_are_remembered_from_first_to_last(tx: Transaction) -> None:
    later = NOON + timedelta(days=3)
    for moment in (NOON, later, NOON):
        await users.remember(tx, ALICE, moment)
    assert await users.get(tx, ALICE) == User(user_id=ALICE, first_seen=NOON, last_seen=later)
    assert await users.get(tx, BOB) is None


async def test_notes_are_replaced(tx: Transaction) -> None:
    assert await tx.get_value("commands") is None
    for value in ("abc", "def"):
        await tx.put_value("commands", value)
        assert await tx.get_value("commands") == value


def test_moments_need_a_time_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        timestamps.to_sql(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


def test_days_are_those_of_utc() -> None:
    late = datetime(2026, 3, 14, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    assert timestamps.start_of(timestamps.day_of(late)) == datetime(2026, 3, 15, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_are_kept_to_the_millisecond(moment: datetime) -> None:
    kept = timestamps.from_sql(timestamps.to_sql(moment))
    assert timedelta() <= moment - kept < timedelta(milliseconds=1)
    assert timestamps.start_of(timestamps.day_of(moment)).date() == moment.date()
