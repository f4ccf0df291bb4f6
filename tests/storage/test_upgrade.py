"""A database of the first version comes through the upgrade with every credit and every change of a quota."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from storage.credits import account, allowances, grants, ledger
from storage.credits import changes as credit_changes
from storage.credits.calendar import Rate
from storage.credits.changes import Change, Subject
from storage.credits.undo import undo
from storage.database import Database
from storage.jobs import lifecycle, queries
from storage.migrations import MIGRATIONS, migrate
from storage.privacy import records
from storage.timestamps import day_of, to_sql
from tests.storage.samples import ADMIN, ALICE, GUILD, NOON

LEDGER = (
    "INSERT INTO ledger (guild_id, user_id, job_id, kind, daily, bonus, day, actor_id, reason, at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
CHANGES = (
    "INSERT INTO quota_changes (guild_id, what, subject_kind, subject_id, old, new, actor_id, reason, at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def write_first_version(folder: Path) -> None:
    """Alice got 5 credits from an admin and 3 as everybody did, has 4 spent and 6 reserved, and 2 were refunded."""
    folder.mkdir()
    at, day = to_sql(NOON), day_of(NOON)
    with closing(sqlite3.connect(folder / "easel.db", isolation_level=None)) as old:
        migrate(old, MIGRATIONS[:1])
        old.execute("INSERT INTO allowances VALUES (?, 'everyone', 0, 8)", (GUILD,))
        old.execute(CHANGES, (GUILD, "set", "everyone", 0, None, 8, ADMIN, "", at - 9))
        old.execute(CHANGES, (GUILD, "grant", "user", ALICE, 0, 5, ADMIN, "a contest", at))
        old.execute(CHANGES, (GUILD, "grant", "everyone", 0, None, 3, ADMIN, "a feast", at))
        old.execute("INSERT INTO gifts_taken VALUES (3, ?)", (ALICE,))
        for job_id, kind, daily, bonus, actor, reason in (
            (None, "grant", 0, 5, ADMIN, "a contest"),
            (None, "grant", 0, 3, ADMIN, "a feast"),
            ("one", "reserve", -4, 0, None, ""),
            ("one", "settle", 0, 0, None, ""),
            ("two", "reserve", -2, 0, None, ""),
            ("two", "refund", 2, 0, None, ""),
            ("three", "reserve", -4, -2, None, ""),
        ):
            old.execute(LEDGER, (GUILD, ALICE, job_id, kind, daily, bonus, day, actor, reason, at))


async def test_credits_and_changes_come_through(tmp_path: Path) -> None:
    write_first_version(tmp_path / "data")
    database = await Database.open(tmp_path / "data")
    who = {"guild_id": GUILD, "user_id": ALICE}
    async with database.transaction() as tx:
        rate = await allowances.allowance(tx, **who, role_ids=[], default=Rate(1))
        assert rate == Rate(8)
        found = await account.balance(tx, **who, allowance=rate, now=NOON)
        assert (found.used, found.bonus) == (8, 6)
        changes = await credit_changes.changes(tx, GUILD, limit=9)
        assert [(one.what, one.old, one.new) for one in changes] == [
            (Change.GRANT, None, "3"),
            (Change.GRANT, "0", "5"),
            (Change.SET, None, "8/day"),
        ]
        assert await account.refund(tx, "three", now=NOON) == 6
        await grants.collect(tx, **who, role_ids=[], joined_at=None, allowance=rate, now=NOON)
        assert (await account.balance(tx, **who, allowance=rate, now=NOON)).bonus == 8
    await database.close()


async def test_jobs_from_before_are_as_their_models_are_at_the_first_start(tmp_path: Path) -> None:
    write_first_version(tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data" / "easel.db", isolation_level=None)) as old:
        for model in ("boats", "nudes"):
            old.execute(
                "INSERT INTO jobs (id, guild_id, channel_id, user_id, action, prompt, request, model, images, price,"
                " turn, turn_end, nonce, created_at) VALUES (?, 1, 1, 1, 'imagine', '', '{}', ?, 1, 1, 0, 1, 'x', 0)",
                (model, model),
            )
    for adult in (["nudes"], []):  # at the second start, the host has changed the file
        database = await Database.open(tmp_path / "data")
        async with database.transaction() as tx:
            await lifecycle.settle_adult(tx, adult)
            found = {one.model: one.adult for one in await queries.active(tx, limit=9)}
        await database.close()
        assert found == {"boats": False, "nudes": True}


async def test_changes_from_before_can_be_taken_back(tmp_path: Path) -> None:
    write_first_version(tmp_path / "data")
    database = await Database.open(tmp_path / "data")
    async with database.transaction() as tx:
        await account.refund(tx, "three", now=NOON)
        for bonus in (5, 0):
            await undo(tx, guild_id=GUILD, actor_id=ADMIN, now=NOON + timedelta(days=1))
            assert await account.bonus_of(tx, guild_id=GUILD, user_id=ALICE) == bonus
        await undo(tx, guild_id=GUILD, actor_id=ADMIN, now=NOON)
        assert await allowances.allowances(tx, GUILD) == []
    await database.close()


async def test_numbers_of_changes_from_before_are_not_given_to_new_ones(tmp_path: Path) -> None:
    write_first_version(tmp_path / "data")
    database = await Database.open(tmp_path / "data")
    async with database.transaction() as tx:
        later = NOON + timedelta(days=400)
        await undo(tx, guild_id=GUILD, actor_id=ADMIN, now=NOON)  # of what all members may still take
        while await records.forget_changes(tx, before=later, limit=9):
            pass
        assert await credit_changes.changes(tx, GUILD, limit=9) == []
        await allowances.set_allowance(
            tx,
            guild_id=GUILD,
            subject=Subject(kind="everyone"),
            rate=Rate(9),
            actor_id=ADMIN,
            now=later,
        )
        (new,) = await credit_changes.changes(tx, GUILD, limit=9)
        lines = await ledger.history(tx, guild_id=GUILD, user_id=ALICE, limit=99)
        assert new.number > max(line.change or 0 for line in lines) > 0
    await database.close()
