"""Old lines of the ledger become one that carries a bonus forward, and nobody's balance notices."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from storage.credits import account, allowances, csv_rows, grants, ledger
from storage.credits.account import AlreadyReserved, Balance
from storage.credits.calendar import Rate
from storage.credits.compaction import START, fold
from storage.credits.csv_rows import Row
from storage.credits.ledger import Entry
from storage.database import Database, Transaction
from storage.guilds.changes import Subject
from storage.privacy import records
from tests.storage.samples import ADMIN, ALICE, BOB, GUILD, NOON, undo_last

DAILY = Rate(3)
LATER = NOON + timedelta(days=100)
BEFORE = LATER - timedelta(days=35)


async def give(tx: Transaction, credits: int, *, user: int = ALICE, days: int | None = None) -> None:
    ends_at = NOON + timedelta(days=days) if days else None
    subject = Subject(kind="user", id=user)
    await grants.give(
        tx,
        guild_id=GUILD,
        subject=subject,
        credits=credits,
        actor_id=ADMIN,
        reason="a contest",
        now=NOON,
        ends_at=ends_at,
    )


async def spend(tx: Transaction, job_id: str, price: int, *, user: int = ALICE) -> None:
    await account.reserve(tx, guild_id=GUILD, user_id=user, job_id=job_id, price=price, allowance=DAILY, now=NOON)


async def balance(tx: Transaction, now: datetime = LATER, *, user: int = ALICE) -> Balance:
    return await account.balance(tx, guild_id=GUILD, user_id=user, allowance=DAILY, now=now)


async def lines(tx: Transaction, user: int = ALICE) -> list[tuple[Entry, int, int]]:
    """What moved, the oldest first: allowance and boost together, and bonus."""
    found = await ledger.history(tx, guild_id=GUILD, user_id=user, limit=99)
    return [(line.kind, line.allowance + line.boost, line.bonus) for line in reversed(found)]


async def folded(tx: Transaction, *, before: datetime = BEFORE) -> int:
    return (await fold(tx, before=before, limit=99)).folded


async def test_an_accounts_old_lines_become_one_without_names(tx: Transaction) -> None:
    await give(tx, 9)
    await spend(tx, "one", 5)
    await account.settle(tx, "one", now=NOON)
    await spend(tx, "two", 1)
    await account.refund(tx, "two", now=LATER)
    before = await balance(tx)
    assert await folded(tx) == 4
    assert await folded(tx) == 0, "what was folded is not folded again"
    assert await balance(tx) == before
    assert before.bonus == 7
    carried, refund = reversed(await ledger.history(tx, guild_id=GUILD, user_id=ALICE, limit=9))
    assert (carried.kind, carried.bonus, carried.reason) == (Entry.CARRY, 6, "")
    assert carried.actor_id is carried.job_id is carried.change is carried.ends_at is None
    assert carried.at == NOON.replace(hour=0, minute=0, second=0, microsecond=0)
    assert refund.kind is Entry.REFUND
    with pytest.raises(Exception, match="append-only"):
        await tx.execute("DELETE FROM ledger")


async def test_where_no_bonus_is_left_no_line_is(tx: Transaction) -> None:
    await give(tx, 2)
    await spend(tx, "one", 5)
    await account.settle(tx, "one", now=NOON)
    await give(tx, 7, days=3)
    await folded(tx)
    assert await lines(tx) == []
    assert await tx.fetch_all("SELECT * FROM boost_moves") == []


async def test_a_reservation_without_an_outcome_keeps_what_comes_after_it(tx: Transaction) -> None:
    await give(tx, 1)
    await spend(tx, "one", 3)
    await give(tx, 2)
    assert await folded(tx) == 1
    assert [kind for kind, _, _ in await lines(tx)] == [Entry.CARRY, Entry.RESERVE, Entry.GRANT]
    with pytest.raises(AlreadyReserved):
        await spend(tx, "one", 1)
    assert await account.refund(tx, "one", now=LATER) == 3
    await folded(tx, before=LATER + timedelta(days=1))
    assert await lines(tx) == [(Entry.CARRY, 0, 3)]


async def test_a_boost_that_runs_keeps_what_was_spent_of_it(tx: Transaction) -> None:
    await give(tx, 4)
    await give(tx, 5, days=90)
    await spend(tx, "one", 5)
    await account.settle(tx, "one", now=NOON)
    at_day_50 = await balance(tx, NOON + timedelta(days=50))
    assert (at_day_50.boost, at_day_50.bonus) == (3, 4)
    assert await folded(tx, before=NOON + timedelta(days=15)) == 1
    assert await balance(tx, NOON + timedelta(days=50)) == at_day_50
    assert await folded(tx, before=NOON + timedelta(days=91)) == 3
    assert await lines(tx) == [(Entry.CARRY, 0, 4)]


async def test_many_lines_are_folded_a_few_at_a_time(tx: Transaction) -> None:
    for number in range(10):
        for user in (ALICE, BOB):
            await give(tx, number + 1, user=user)
    counts, after = [], START
    while (step := await fold(tx, before=BEFORE, limit=7, after=after)).last:
        counts.append(step.folded)
        after = step.last
        assert (await balance(tx)).bonus == (await balance(tx, user=BOB)).bonus == 55
    assert counts == [7, 7, 6]
    assert await lines(tx) == await lines(tx, BOB) == [(Entry.CARRY, 0, 55)]


async def test_lines_that_stay_are_passed_once_and_hold_up_no_others(tx: Transaction) -> None:
    await give(tx, 9, days=900)
    for number in range(5):
        await spend(tx, f"{number}", 1)
        await account.settle(tx, f"{number}", now=NOON)
    await give(tx, 5, user=BOB)
    counts, after = [], START
    while (step := await fold(tx, before=BEFORE, limit=4, after=after)).last:
        counts.append(step.folded)
        after = step.last
    assert counts == [0, 0, 1], "each of the twelve old lines is looked at once"
    assert len(await lines(tx)) == 11
    assert await lines(tx, BOB) == [(Entry.CARRY, 0, 5)]


async def test_a_crash_while_lines_are_folded_leaves_them_as_they_were(database: Database) -> None:
    async with database.transaction() as tx:
        await give(tx, 5)
        await spend(tx, "one", 4)
        was = await lines(tx)

    async def killed() -> None:
        async with database.transaction() as tx:
            assert await folded(tx)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await killed()
    async with database.reading() as tx:
        assert await lines(tx) == was
        triggers = await tx.fetch_all("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name <> 'jobs'")
        assert len(triggers) == 4


async def test_an_undo_leaves_what_was_folded_and_says_so(tx: Transaction) -> None:
    await give(tx, 5)
    await folded(tx)
    done = await undo_last(tx, now=LATER)
    assert done is not None
    change, missing = done
    assert (change.folded, missing) == (True, 0)
    assert (await balance(tx)).bonus == 5


async def test_an_import_is_forgotten_whole_before_its_parts(tx: Transaction) -> None:
    rows = [Row(subject=Subject(kind="user", id=user), rate=Rate(user % 9)) for user in range(1, 9)]
    await csv_rows.apply(tx, guild_id=GUILD, rows=rows, actor_id=ADMIN, now=NOON)
    counts = []
    while await records.forget_changes(tx, before=LATER, limit=3):
        counts.append((await tx.fetch_all("SELECT count(*), count(part_of) FROM changes"))[0])
        assert await undo_last(tx, now=LATER) is None, "never a part of it"
    assert [tuple(count) for count in counts] == [(5, 5), (2, 2), (0, 0)]
    assert len(await allowances.allowances(tx, GUILD)) == 8


@pytest.mark.parametrize("days", [None, 9])
async def test_who_took_a_gift_is_forgotten_with_it(tx: Transaction, days: int | None) -> None:
    ends_at = NOON + timedelta(days=days) if days else None
    everyone = Subject(kind="everyone")
    await grants.give(
        tx,
        guild_id=GUILD,
        subject=everyone,
        credits=5,
        actor_id=ADMIN,
        reason="",
        now=NOON,
        ends_at=ends_at,
    )
    takers = range(ALICE, ALICE + 5)
    for user in takers:
        await grants.collect(tx, guild_id=GUILD, user_id=user, role_ids=[], joined_at=None, allowance=DAILY, now=NOON)
    while await records.forget_changes(tx, before=NOON + timedelta(days=5), limit=2):
        pass
    assert len(await tx.fetch_all("SELECT * FROM gifts_taken")) == 5, "it can still be taken"
    while await records.forget_changes(tx, before=LATER, limit=2):
        pass
    left = await tx.fetch_all("SELECT * FROM gifts_taken")
    assert len(left) == (0 if days else 5)
    for user in takers:
        await grants.collect(tx, guild_id=GUILD, user_id=user, role_ids=[], joined_at=None, allowance=DAILY, now=LATER)
        found = await balance(tx, user=user)
        assert (found.bonus, found.boost) == (0 if days else 5, 0)
