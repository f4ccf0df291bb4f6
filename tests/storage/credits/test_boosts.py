"""Allowances of other periods than a day, boosts that end, and what a whole server or bot may spend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storage.credits import account, grants, ledger, terms
from storage.credits.account import Balance, QuotaExceeded
from storage.credits.calendar import Period, Rate
from storage.credits.ceilings import CeilingReached
from storage.credits.ledger import Entry
from storage.database import Transaction
from storage.guilds.changes import Subject
from tests.storage.samples import ADMIN, ALICE, BOB, GUILD, NOON

TODAY, TOMORROW, NEXT_WEEK = NOON, NOON + timedelta(days=1), NOON + timedelta(days=7)
NO_ALLOWANCE = Rate(0)
WEEKLY = Rate(10, Period.WEEK)
"""NOON is a Saturday: the week ends on the next day."""


async def reserve(
    tx: Transaction,
    job_id: str,
    price: int,
    *,
    rate: Rate = NO_ALLOWANCE,
    now: datetime = NOON,
    user: int = ALICE,
    guild: int = GUILD,
    ceiling: int | None = None,
) -> None:
    await account.reserve(
        tx,
        guild_id=guild,
        user_id=user,
        job_id=job_id,
        price=price,
        allowance=rate,
        now=now,
        bot_ceiling=ceiling,
    )


async def balance(tx: Transaction, *, rate: Rate = NO_ALLOWANCE, now: datetime = NOON, user: int = ALICE) -> Balance:
    return await account.balance(tx, guild_id=GUILD, user_id=user, allowance=rate, now=now)


async def boost(tx: Transaction, credits: int, until: datetime, user: int = ALICE) -> None:
    await grants.give(
        tx,
        guild_id=GUILD,
        subject=Subject(kind="user", id=user),
        credits=credits,
        actor_id=ADMIN,
        reason="a contest",
        now=NOON,
        ends_at=until,
    )


async def collect(tx: Transaction, now: datetime, user: int = ALICE) -> None:
    await grants.collect(tx, guild_id=GUILD, user_id=user, role_ids=[11], joined_at=None, allowance=Rate(0), now=now)


async def test_what_was_used_on_another_day_of_the_week_counts(tx: Transaction) -> None:
    monday = datetime(2026, 3, 9, tzinfo=UTC)
    await reserve(tx, "one", 6, rate=WEEKLY, now=monday)
    saturday = await balance(tx, rate=WEEKLY)
    assert (saturday.left, saturday.resets_at) == (4, monday + timedelta(days=7))
    assert (await balance(tx, rate=WEEKLY, now=saturday.resets_at)).left == 10
    assert (await balance(tx, rate=Rate(10))).left == 10
    assert (await balance(tx, rate=Rate(10, Period.MONTH))).left == 4


async def test_a_reset_forgives_the_whole_period(tx: Transaction) -> None:
    await reserve(tx, "one", 6, rate=WEEKLY, now=NOON - timedelta(days=2))
    await grants.forgive(
        tx, guild_id=GUILD, subject=Subject(kind="user", id=ALICE), allowance=WEEKLY, actor_id=ADMIN, now=NOON
    )
    assert (await balance(tx, rate=WEEKLY)).used == 0
    assert await account.refund(tx, "one", now=NOON) == 0
    await reserve(tx, "two", 3, rate=WEEKLY)
    assert (await balance(tx, rate=WEEKLY)).used == 3


async def test_the_day_is_that_of_the_servers_time_zone(tx: Transaction) -> None:
    await terms.set_zone(tx, guild_id=GUILD, zone="Asia/Tokyo", actor_id=ADMIN, now=NOON)
    evening = datetime(2026, 3, 14, 14, 59, tzinfo=UTC)
    await reserve(tx, "one", 7, rate=Rate(10), now=evening)
    found = await balance(tx, rate=Rate(10), now=evening)
    assert (found.used, found.resets_at) == (7, datetime(2026, 3, 14, 15, tzinfo=UTC))
    assert (await balance(tx, rate=Rate(10), now=found.resets_at)).used == 0


async def test_boosts_are_used_after_the_allowance_and_before_the_bonus_the_soonest_first(
    tx: Transaction,
) -> None:
    await boost(tx, 5, NEXT_WEEK)
    await boost(tx, 5, TOMORROW)
    await grants.give(
        tx,
        guild_id=GUILD,
        subject=Subject(kind="user", id=ALICE),
        credits=5,
        actor_id=ADMIN,
        reason="",
        now=NOON,
    )
    assert (await balance(tx, rate=Rate(2))).left == 17
    await reserve(tx, "one", 9, rate=Rate(2))
    found = await balance(tx, rate=Rate(2))
    assert [(lot.left, lot.ends_at) for lot in found.lots] == [(3, NEXT_WEEK)]
    assert (found.used, found.bonus) == (2, 5)
    await reserve(tx, "two", 4, rate=Rate(2))
    assert (await balance(tx, rate=Rate(2))).bonus == 4
    with pytest.raises(QuotaExceeded):
        await reserve(tx, "three", 5, rate=Rate(2))


async def test_a_boost_can_not_be_spent_from_the_moment_it_ends(tx: Transaction) -> None:
    await boost(tx, 5, TOMORROW)
    await reserve(tx, "one", 2, now=TOMORROW - timedelta(milliseconds=1))
    with pytest.raises(QuotaExceeded):
        await reserve(tx, "two", 1, now=TOMORROW)


async def test_what_is_left_of_a_boost_is_written_off_once(tx: Transaction) -> None:
    await boost(tx, 5, TOMORROW)
    await reserve(tx, "one", 2)
    for _ in range(2):
        await collect(tx, TOMORROW)
    line = (await ledger.history(tx, guild_id=GUILD, user_id=ALICE, limit=1))[0]
    assert (line.kind, line.boost, line.at) == (Entry.EXPIRE, -3, TOMORROW)


async def test_a_refund_goes_back_to_the_boosts_that_still_run(tx: Transaction) -> None:
    await boost(tx, 5, TOMORROW)
    await boost(tx, 5, NEXT_WEEK)
    await reserve(tx, "one", 8)
    await reserve(tx, "two", 1)
    assert await account.refund(tx, "one", now=TOMORROW) == 3
    assert await account.refund(tx, "one", now=TOMORROW) == 0
    assert (await balance(tx, now=TOMORROW)).boost == 4
    await collect(tx, TOMORROW)
    assert (await balance(tx, now=TOMORROW)).boost == 4


async def test_a_boost_for_a_role_is_for_those_who_come_before_it_ends(tx: Transaction) -> None:
    await grants.give(
        tx,
        guild_id=GUILD,
        subject=Subject(kind="role", id=11),
        credits=5,
        actor_id=ADMIN,
        reason="",
        now=NOON,
        ends_at=TOMORROW,
    )
    await collect(tx, NOON)
    await collect(tx, TOMORROW, user=BOB)
    assert (await balance(tx)).boost == 5
    assert (await balance(tx, user=BOB)).boost == 0


async def test_credits_are_not_taken_away_for_a_time(tx: Transaction) -> None:
    with pytest.raises(ValueError, match="taken away don't end"):
        await boost(tx, -1, TOMORROW)


async def test_a_server_spends_up_to_its_ceiling_whoever_asks(tx: Transaction) -> None:
    await terms.set_ceiling(tx, guild_id=GUILD, ceiling=Rate(10), actor_id=ADMIN, now=NOON)
    await reserve(tx, "one", 6, rate=Rate(50))
    with pytest.raises(CeilingReached) as refusal:
        await reserve(tx, "two", 5, rate=Rate(50), user=BOB)
    assert (refusal.value.whose, refusal.value.left) == ("server", 4)
    assert refusal.value.resets_at == datetime(2026, 3, 15, tzinfo=UTC)
    await reserve(tx, "three", 4, rate=Rate(50), user=BOB)
    await reserve(tx, "free", 0, rate=Rate(50))
    await reserve(tx, "elsewhere", 5, rate=Rate(50), guild=GUILD + 1)
    await reserve(tx, "tomorrow", 10, rate=Rate(50), now=TOMORROW)


async def test_a_refund_gives_room_below_the_ceiling_and_a_reset_does_not(tx: Transaction) -> None:
    await terms.set_ceiling(tx, guild_id=GUILD, ceiling=Rate(10), actor_id=ADMIN, now=NOON)
    await reserve(tx, "one", 6, rate=Rate(50))
    await reserve(tx, "two", 4, rate=Rate(50))
    await grants.forgive(
        tx,
        guild_id=GUILD,
        subject=Subject(kind="user", id=ALICE),
        allowance=Rate(50),
        actor_id=ADMIN,
        now=NOON,
    )
    with pytest.raises(CeilingReached):
        await reserve(tx, "three", 1, rate=Rate(50))
    await account.refund(tx, "one", now=NOON)
    await reserve(tx, "three", 6, rate=Rate(50))


async def test_a_ceiling_may_be_for_a_month(tx: Transaction) -> None:
    await terms.set_ceiling(tx, guild_id=GUILD, ceiling=Rate(10, Period.MONTH), actor_id=ADMIN, now=NOON)
    await reserve(tx, "one", 10, rate=Rate(50))
    with pytest.raises(CeilingReached) as refusal:
        await reserve(tx, "two", 1, rate=Rate(50), now=NEXT_WEEK)
    assert refusal.value.resets_at == datetime(2026, 4, 1, tzinfo=UTC)


async def test_the_bot_spends_up_to_its_hosts_ceiling_over_all_servers(tx: Transaction) -> None:
    await terms.set_zone(tx, guild_id=GUILD, zone="Pacific/Kiritimati", actor_id=ADMIN, now=NOON)
    await reserve(tx, "one", 6, rate=Rate(50), ceiling=10)
    with pytest.raises(CeilingReached) as refusal:
        await reserve(tx, "two", 5, rate=Rate(50), guild=GUILD + 1, ceiling=10)
    assert (refusal.value.whose, refusal.value.left) == ("bot", 4)
    await account.refund(tx, "one", now=TOMORROW)
    await reserve(tx, "three", 10, rate=Rate(50), guild=GUILD + 1, ceiling=10)
    await reserve(tx, "four", 10, rate=Rate(50), now=TOMORROW, ceiling=10)
