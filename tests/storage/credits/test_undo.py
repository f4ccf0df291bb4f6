"""Taking back what an admin changed, one change after the other, and writing many quotas as one change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storage.credits import account, csv_rows, grants, ledger, terms
from storage.credits import allowances as credit_allowances
from storage.credits.calendar import Period, Rate
from storage.credits.csv_rows import Row
from storage.credits.ledger import Entry
from storage.credits.terms import Terms
from storage.database import Transaction
from storage.guilds import changes
from storage.guilds.changes import Kind, Subject
from tests.storage import samples
from tests.storage.samples import ADMIN, ALICE, BOB, GUILD, NOON

EVERYONE, ARTISTS = Subject(kind="everyone"), Subject(kind="role", id=11)
ONLY_ALICE, ONLY_BOB = Subject(kind="user", id=ALICE), Subject(kind="user", id=BOB)
NO_ALLOWANCE = Rate(0)
TOMORROW = NOON + timedelta(days=1)


async def undo_last(tx: Transaction) -> tuple[Kind, int] | None:
    done = await samples.undo_last(tx)
    return None if done is None else (done[0].kind, done[1])


async def put(tx: Transaction, subject: Subject, rate: Rate | None) -> None:
    await credit_allowances.set_allowance(tx, guild_id=GUILD, subject=subject, rate=rate, actor_id=ADMIN, now=NOON)


async def allowances(tx: Transaction) -> dict[Subject, Rate]:
    return {one.subject: one.rate for one in await credit_allowances.allowances(tx, GUILD)}


async def give(tx: Transaction, subject: Subject, credits: int, *, boost: bool = False) -> None:
    await grants.give(
        tx,
        guild_id=GUILD,
        subject=subject,
        credits=credits,
        actor_id=ADMIN,
        reason="",
        now=NOON,
        ends_at=TOMORROW if boost else None,
    )


async def left(tx: Transaction, user: int = ALICE, rate: Rate = NO_ALLOWANCE) -> int:
    await grants.collect(tx, guild_id=GUILD, user_id=user, role_ids=[11], joined_at=None, allowance=rate, now=NOON)
    return (await account.balance(tx, guild_id=GUILD, user_id=user, allowance=rate, now=NOON)).left


async def spend(tx: Transaction, job_id: str, price: int, rate: Rate = NO_ALLOWANCE) -> None:
    await account.reserve(tx, guild_id=GUILD, user_id=ALICE, job_id=job_id, price=price, allowance=rate, now=NOON)


async def test_settings_go_back_one_after_the_other(tx: Transaction) -> None:
    assert await undo_last(tx) is None
    await put(tx, EVERYONE, Rate(5))
    await put(tx, EVERYONE, Rate(9, Period.WEEK))
    await put(tx, EVERYONE, None)
    assert await undo_last(tx) == (Kind.ALLOWANCE, 0)
    assert await allowances(tx) == {EVERYONE: Rate(9, Period.WEEK)}
    await undo_last(tx)
    assert await allowances(tx) == {EVERYONE: Rate(5)}
    await put(tx, ARTISTS, Rate(7))
    await undo_last(tx)
    await undo_last(tx)
    assert await allowances(tx) == {}
    assert await undo_last(tx) is None


async def test_an_undo_is_on_record(tx: Transaction) -> None:
    await put(tx, EVERYONE, Rate(5))
    (made,) = await changes.latest(tx, GUILD, limit=1)
    await samples.undo_last(tx, actor_id=BOB, now=TOMORROW)
    last = (await changes.latest(tx, GUILD, limit=1))[0]
    assert (last.undoes, last.kind, last.old, last.new) == (made.number, Kind.ALLOWANCE, "5/day", None)
    assert (last.actor_id, last.at) == (BOB, TOMORROW)


async def test_another_servers_changes_are_not_taken_back(tx: Transaction) -> None:
    await put(tx, EVERYONE, Rate(5))
    assert await samples.undo_last(tx, guild_id=GUILD + 1) is None


async def test_the_servers_terms_go_back(tx: Transaction) -> None:
    await terms.set_zone(tx, guild_id=GUILD, zone="Asia/Tokyo", actor_id=ADMIN, now=NOON)
    await terms.set_ceiling(tx, guild_id=GUILD, ceiling=Rate(5), actor_id=ADMIN, now=NOON)
    await terms.set_free(tx, guild_id=GUILD, action="vary", free=True, actor_id=ADMIN, now=NOON)
    assert await terms.terms(tx, GUILD) == Terms(zone="Asia/Tokyo", ceiling=Rate(5), free=frozenset({"vary"}))
    await undo_last(tx)
    await undo_last(tx)
    assert await terms.terms(tx, GUILD) == Terms(zone="Asia/Tokyo")
    await undo_last(tx)
    assert await terms.terms(tx, GUILD) == Terms()


@pytest.mark.parametrize("boost", [False, True])
async def test_what_is_left_of_a_grant_is_taken_back_and_the_rest_is_told(tx: Transaction, boost: bool) -> None:
    await give(tx, ONLY_ALICE, 5, boost=boost)
    await spend(tx, "one", 2)
    assert await undo_last(tx) == (Kind.GRANT, 2)
    assert await left(tx) == 0
    line = (await ledger.history(tx, guild_id=GUILD, user_id=ALICE, limit=1))[0]
    assert (line.kind, line.boost + line.bonus, line.actor_id) == (Entry.CORRECT, -3, ADMIN)


async def test_credits_that_were_taken_away_come_back(tx: Transaction) -> None:
    await give(tx, ONLY_ALICE, 5)
    await give(tx, ONLY_ALICE, -3)
    assert await undo_last(tx) == (Kind.GRANT, 0)
    assert await left(tx) == 5


@pytest.mark.parametrize("boost", [False, True])
async def test_a_gift_leaves_those_who_took_it_and_reaches_nobody_else(tx: Transaction, boost: bool) -> None:
    await give(tx, ARTISTS, 5, boost=boost)
    assert await left(tx) == 5
    await undo_last(tx)
    assert await left(tx) == 0
    assert await left(tx, BOB) == 0


@pytest.mark.parametrize("subject", [ONLY_ALICE, EVERYONE])
async def test_a_reset_is_taken_back_exactly(tx: Transaction, subject: Subject) -> None:
    rate = Rate(20)
    await spend(tx, "drawn", 4, rate)
    await spend(tx, "fails", 5, rate)
    await grants.forgive(tx, guild_id=GUILD, subject=subject, allowance=rate, actor_id=ADMIN, now=NOON)
    assert await left(tx, rate=rate) == 20
    assert await account.refund(tx, "fails", now=NOON) == 0
    await spend(tx, "later", 1, rate)
    await undo_last(tx)
    assert await left(tx, rate=rate) == 20 - 4 - 1
    assert await account.refund(tx, "drawn", now=NOON) == 4
    assert await left(tx, rate=rate) == 19


async def test_a_sheet_is_one_change_that_goes_back_whole(tx: Transaction) -> None:
    await put(tx, EVERYONE, Rate(5))
    await put(tx, ONLY_ALICE, Rate(6))
    await give(tx, ONLY_ALICE, 3)
    before = await csv_rows.rows(tx, GUILD)
    new = [
        Row(subject=EVERYONE, rate=Rate(50, Period.MONTH)),
        Row(subject=ONLY_ALICE, rate=None, bonus=1),
        Row(subject=ONLY_BOB, rate=Rate(1), bonus=9),
    ]
    await csv_rows.apply(tx, guild_id=GUILD, rows=new, actor_id=ADMIN, now=NOON)
    assert await allowances(tx) == {EVERYONE: Rate(50, Period.MONTH), ONLY_BOB: Rate(1)}
    assert (await left(tx), await left(tx, BOB)) == (1, 9)
    assert (await changes.latest(tx, GUILD, limit=1))[0].kind is Kind.IMPORT
    assert await undo_last(tx) == (Kind.IMPORT, 0)
    assert await csv_rows.rows(tx, GUILD) == before
    assert await undo_last(tx) == (Kind.GRANT, 0)


async def test_a_sheet_shows_whoever_has_something_of_their_own(tx: Transaction) -> None:
    await put(tx, ARTISTS, Rate(7))
    await put(tx, ONLY_BOB, Rate(0))
    await give(tx, ONLY_ALICE, 3)
    assert await csv_rows.rows(tx, GUILD) == [
        Row(subject=ARTISTS, rate=Rate(7)),
        Row(subject=ONLY_BOB, rate=Rate(0), bonus=0),
        Row(subject=ONLY_ALICE, rate=None, bonus=3),
    ]


async def test_a_file_of_five_thousand_lines_is_written_and_undone_in_few_statements(
    tx: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody's orders wait meanwhile."""
    statements = []
    fetch_all, execute_many = Transaction.fetch_all, Transaction.execute_many

    async def fetched(self: Transaction, sql: str, parameters: Any = ()) -> Any:
        statements.append(sql)
        return await fetch_all(self, sql, parameters)

    async def many(self: Transaction, sql: str, parameters: Any) -> None:
        statements.append(sql)
        await execute_many(self, sql, parameters)

    monkeypatch.setattr(Transaction, "fetch_all", fetched)
    monkeypatch.setattr(Transaction, "execute_many", many)
    people = [Subject(kind="user", id=10**17 + number) for number in range(5000)]
    rows = [Row(subject=one, rate=Rate(5), bonus=3) for one in people]
    await csv_rows.apply(tx, guild_id=GUILD, rows=rows, actor_id=ADMIN, now=NOON)
    assert await csv_rows.rows(tx, GUILD) == rows
    assert await undo_last(tx) == (Kind.IMPORT, 0)
    assert await csv_rows.rows(tx, GUILD) == []
    assert len(statements) < 40
