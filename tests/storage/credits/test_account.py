"""The ledger: reserving, settling, giving back, granting and resetting credits."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from storage.credits import account, calendar, grants, ledger
from storage.credits.account import AlreadyReserved, Balance, QuotaExceeded
from storage.credits.calendar import Rate
from storage.credits.ledger import Entry
from storage.database import Database, Transaction
from storage.guilds import changes
from storage.guilds.changes import Kind, Subject
from tests.storage.samples import ADMIN, ALICE, BOB, GUILD, NOON

TOMORROW = NOON + timedelta(days=1)


async def reserve(
    tx: Transaction, job_id: str, price: int, *, allowance: int = 10, now: datetime = NOON, user: int = ALICE
) -> None:
    await account.reserve(
        tx, guild_id=GUILD, user_id=user, job_id=job_id, price=price, allowance=Rate(allowance), now=now
    )


async def balance(
    tx: Transaction, *, allowance: int = 10, now: datetime = NOON, user: int = ALICE, guild: int = GUILD
) -> Balance:
    return await account.balance(tx, guild_id=guild, user_id=user, allowance=Rate(allowance), now=now)


async def grant(tx: Transaction, credits: int, user: int = ALICE) -> None:
    await grants.give(
        tx,
        guild_id=GUILD,
        subject=Subject(kind="user", id=user),
        credits=credits,
        actor_id=ADMIN,
        reason="won a contest",
        now=NOON,
    )


async def reset(tx: Transaction, now: datetime = NOON) -> None:
    await grants.forgive(
        tx,
        guild_id=GUILD,
        subject=Subject(kind="user", id=ALICE),
        allowance=Rate(10),
        actor_id=ADMIN,
        now=now,
    )


async def test_a_stranger_has_the_whole_allowance_until_midnight(tx: Transaction) -> None:
    found = await balance(tx)
    midnight = datetime(2026, 3, 15, tzinfo=UTC)
    assert found == Balance(rate=Rate(10), used=0, bonus=0, resets_at=midnight)
    assert found.left == 10
    assert (await balance(tx, now=midnight - timedelta(milliseconds=1))).resets_at == midnight
    assert (await balance(tx, now=midnight)).resets_at == midnight + timedelta(days=1)


async def test_the_allowance_is_spent_first_and_then_the_bonus(tx: Transaction) -> None:
    await grant(tx, 5)
    await reserve(tx, "one", 8)
    assert ((await balance(tx)).used, (await balance(tx)).bonus) == (8, 5)
    await reserve(tx, "two", 4)
    assert ((await balance(tx)).used, (await balance(tx)).bonus) == (10, 3)
    assert (await balance(tx, user=BOB)).left == 10
    assert (await balance(tx, guild=GUILD + 1)).left == 10


async def test_too_little_left_reserves_nothing_and_says_what_there_is(tx: Transaction) -> None:
    await reserve(tx, "one", 8)
    with pytest.raises(QuotaExceeded) as refusal:
        await reserve(tx, "two", 3)
    assert refusal.value.price == 3
    assert refusal.value.balance == await balance(tx)
    assert refusal.value.balance.left == 2
    await reserve(tx, "three", 2)
    assert (await balance(tx)).left == 0


async def test_a_price_of_nothing_is_always_possible(tx: Transaction) -> None:
    await reserve(tx, "one", 0, allowance=0)
    assert await account.refund(tx, "one", now=NOON) == 0


async def test_settled_credits_are_spent(tx: Transaction) -> None:
    await reserve(tx, "one", 4)
    await account.settle(tx, "one", now=NOON)
    assert await account.refund(tx, "one", now=NOON) == 0
    assert (await balance(tx)).used == 4


async def test_a_refund_goes_back_once_to_the_same_pools_and_day(tx: Transaction) -> None:
    await grant(tx, 5)
    await reserve(tx, "one", 12)
    assert await account.refund(tx, "one", now=TOMORROW) == 12
    assert await account.refund(tx, "one", now=TOMORROW) == 0
    await account.settle(tx, "one", now=TOMORROW)
    today, tomorrow = await balance(tx), await balance(tx, now=TOMORROW)
    assert (today.used, today.bonus) == (0, 5)
    assert (tomorrow.used, tomorrow.bonus) == (0, 5)


async def test_a_part_goes_back_as_if_the_lower_price_had_been_reserved(tx: Transaction) -> None:
    await grant(tx, 5)
    await reserve(tx, "one", 12)
    assert await account.refund(tx, "one", now=NOON, credits=3) == 3
    assert await account.refund(tx, "one", now=NOON, credits=3) == 0
    await account.settle(tx, "one", now=NOON)
    found = await balance(tx)
    assert (found.used, found.bonus) == (9, 5)
    assert (await balance(tx, now=TOMORROW)).used == 0


async def test_a_part_of_what_a_reset_forgave_is_not_given_back_again(tx: Transaction) -> None:
    await reserve(tx, "one", 8)
    await reset(tx)
    assert await account.refund(tx, "one", now=NOON, credits=2) == 0
    assert (await balance(tx)).used == 0


async def test_a_job_that_nobody_paid_for_has_nothing_to_give_back(tx: Transaction) -> None:
    await account.settle(tx, "nobody", now=NOON)
    assert await account.refund(tx, "nobody", now=NOON) == 0
    assert await ledger.history(tx, guild_id=GUILD, user_id=ALICE, limit=9) == []


async def test_a_job_is_paid_for_once(tx: Transaction) -> None:
    await reserve(tx, "one", 4)
    with pytest.raises(AlreadyReserved):
        await reserve(tx, "one", 4)
    assert (await balance(tx)).used == 4


async def test_a_new_day_brings_the_allowance_back_and_keeps_the_bonus(tx: Transaction) -> None:
    await grant(tx, 5)
    await reserve(tx, "one", 12)
    tomorrow = await balance(tx, now=TOMORROW)
    assert (tomorrow.used, tomorrow.bonus, tomorrow.left) == (0, 3, 13)


async def test_an_allowance_lowered_below_todays_use_leaves_only_the_bonus(tx: Transaction) -> None:
    await grant(tx, 5)
    await reserve(tx, "one", 8)
    assert (await balance(tx, allowance=3)).left == 5
    await reserve(tx, "two", 5, allowance=3)
    assert ((await balance(tx)).used, (await balance(tx)).bonus) == (8, 0)


async def test_a_reset_forgives_today_and_keeps_the_bonus(tx: Transaction) -> None:
    await grant(tx, 5)
    await reserve(tx, "one", 12)
    await reset(tx)
    assert ((await balance(tx)).used, (await balance(tx)).bonus) == (0, 3)


async def test_what_a_reset_forgave_is_not_given_back_again(tx: Transaction) -> None:
    await grant(tx, 5)
    await reserve(tx, "one", 12)
    await reset(tx)
    await reserve(tx, "two", 6)
    assert await account.refund(tx, "one", now=NOON) == 2
    assert ((await balance(tx)).used, (await balance(tx)).bonus) == (6, 5)
    assert await account.refund(tx, "two", now=NOON) == 6
    assert (await balance(tx)).used == 0


async def test_a_reset_tomorrow_forgives_nothing_of_today(tx: Transaction) -> None:
    await reserve(tx, "one", 4)
    await reset(tx, now=TOMORROW)
    assert await account.refund(tx, "one", now=TOMORROW) == 4


async def test_bonus_credits_can_be_taken_away_down_to_nothing(tx: Transaction) -> None:
    await grant(tx, 5)
    await grant(tx, -3)
    with pytest.raises(ValueError, match="Only 2 bonus credits are there, so 3 can't be taken away"):
        await grant(tx, -3)
    await grant(tx, -2)
    assert (await balance(tx)).bonus == 0


@pytest.mark.parametrize("credits", [-1, 1_000_001])
async def test_credits_are_bounded(tx: Transaction, credits: int) -> None:
    with pytest.raises(ValueError, match="A price must be between 0 and 1,000,000 credits"):
        await reserve(tx, "one", credits)
    with pytest.raises(ValueError, match="An allowance must be between"):
        await reserve(tx, "one", 1, allowance=credits)
    with pytest.raises(ValueError, match="bonus"):
        await grant(tx, credits)


async def test_the_history_tells_everything_newest_first(tx: Transaction) -> None:
    await grant(tx, 5)
    await reserve(tx, "one", 12)
    await account.settle(tx, "one", now=NOON)
    await reserve(tx, "two", 1)
    await account.refund(tx, "two", now=TOMORROW)
    await reset(tx)
    await grant(tx, 1, user=BOB)
    lines = await ledger.history(tx, guild_id=GUILD, user_id=ALICE, limit=5)
    assert [(line.kind, line.allowance, line.bonus, line.job_id) for line in lines] == [
        (Entry.RESET, 10, 0, None),
        (Entry.REFUND, 0, 1, "two"),
        (Entry.RESERVE, 0, -1, "two"),
        (Entry.SETTLE, 0, 0, "one"),
        (Entry.RESERVE, -10, -2, "one"),
    ]
    assert (lines[1].at, calendar.start_of(lines[1].day)) == (TOMORROW, datetime(2026, 3, 14, tzinfo=UTC))


async def test_what_admins_did_is_on_record(tx: Transaction) -> None:
    await reserve(tx, "one", 4)
    await grant(tx, 5)
    await reset(tx)
    reset_change, grant_change = await changes.latest(tx, GUILD, limit=9)
    alice = Subject(kind="user", id=ALICE)
    assert (grant_change.kind, grant_change.old, grant_change.new) == (Kind.GRANT, "0", "5")
    assert (grant_change.subject, grant_change.actor_id, grant_change.reason) == (
        alice,
        ADMIN,
        "won a contest",
    )
    assert (reset_change.kind, reset_change.old, reset_change.new, reset_change.at) == (
        Kind.RESET,
        "4",
        "0",
        NOON,
    )


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger SET bonus = 1000",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT * FROM ledger",
        "INSERT INTO ledger (guild_id, user_id, job_id, kind, allowance, bonus, day, host_day, at)"
        " VALUES (1, 1, 'x', 'reserve', 5, 0, 0, 0, 0)",
        "INSERT INTO ledger (guild_id, user_id, job_id, kind, allowance, bonus, day, host_day, at)"
        " VALUES (1, 1, 'x', 'gift', 5, 0, 0, 0, 0)",
    ],
)
async def test_the_ledger_only_grows_and_only_by_sound_lines(tx: Transaction, sql: str) -> None:
    await reserve(tx, "one", 4)
    with pytest.raises(sqlite3.IntegrityError):
        await tx.execute(sql)
    assert (await balance(tx)).used == 4


async def outcome_of(step: Callable[[], Awaitable[None]]) -> bool:
    try:
        await step()
    except QuotaExceeded:
        return False
    return True


@pytest.mark.parametrize("bonus", [0, 3])
async def test_of_two_hundred_at_once_on_the_last_credits_one_is_accepted(database: Database, bonus: int) -> None:
    async with database.transaction() as tx:
        if bonus:
            await grant(tx, bonus)
        await reserve(tx, "before", 6 + bonus)

    async def try_one(number: int) -> None:
        async with database.transaction() as tx:
            await reserve(tx, f"job-{number}", 4)

    accepted = await asyncio.gather(*(outcome_of(lambda n=n: try_one(n)) for n in range(200)))  # type: ignore[misc]
    assert sum(accepted) == 1
    async with database.reading() as tx:
        assert (await balance(tx)).left == 0
