"""A database of the first version comes through the upgrade with every credit and every change of a quota."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.credits import account, allowances, grants, ledger, terms, undo
from storage.credits.calendar import Rate
from storage.database import Database
from storage.guilds import bans, changes, settings
from storage.guilds.changes import Kind, Obstacle, Subject
from storage.jobs import lifecycle, queries
from storage.migrations import MIGRATIONS, migrate
from storage.privacy import records
from storage.timestamps import day_of, to_sql
from tests.storage.samples import ADMIN, ALICE, BOB, GUILD, NOON, undo_last

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
        made = await changes.latest(tx, GUILD, limit=9)
        assert [(one.kind, one.old, one.new) for one in made] == [
            (Kind.GRANT, None, "3"),
            (Kind.GRANT, "0", "5"),
            (Kind.ALLOWANCE, None, "8/day"),
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
            await undo_last(tx, now=NOON + timedelta(days=1))
            assert await account.bonus_of(tx, guild_id=GUILD, user_id=ALICE) == bonus
        await undo_last(tx)
        assert await allowances.allowances(tx, GUILD) == []
    await database.close()


async def test_numbers_of_changes_from_before_are_not_given_to_new_ones(tmp_path: Path) -> None:
    write_first_version(tmp_path / "data")
    database = await Database.open(tmp_path / "data")
    async with database.transaction() as tx:
        later = NOON + timedelta(days=400)
        await undo_last(tx)  # of what all members may still take
        while await records.forget_changes(tx, before=later, limit=9):
            pass
        assert await changes.latest(tx, GUILD, limit=9) == []
        await allowances.set_allowance(
            tx,
            guild_id=GUILD,
            subject=Subject(kind="everyone"),
            rate=Rate(9),
            actor_id=ADMIN,
            now=later,
        )
        (new,) = await changes.latest(tx, GUILD, limit=9)
        lines = await ledger.history(tx, guild_id=GUILD, user_id=ALICE, limit=99)
        assert new.number > max(line.change or 0 for line in lines) > 0
    await database.close()


SETTINGS = (
    "INSERT INTO changes (number, guild_id, actor_id, what, old, new, at, touched, final, undoes)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
CREDITS = (
    "INSERT INTO quota_changes (number, guild_id, what, subject_kind, subject_id, old, new, undoes, part_of, actor_id,"
    " reason, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def touched(table: str, key: dict[str, Any], before: Any, after: Any) -> str:
    return json.dumps([{"table": table, "key": key, "before": before, "after": after}])


def write_two_logs(folder: Path) -> None:
    """Version 13: settings and credits have a log each, whose numbers are the same ones."""
    folder.mkdir()
    at, day = to_sql(NOON), day_of(NOON)
    key = {"guild_id": GUILD}
    banned = {"actor_id": f"<@{ADMIN}>", "reason": "spam", "at": at + 4}
    ban = touched("bans", {**key, "user_id": f"<@{BOB}>"}, None, banned)
    appeal = touched("guilds", key, {"appeal": None}, {"appeal": "Ask in #help."})
    role = touched("guilds", key, {"admin_role_id": None}, {"admin_role_id": 5})
    with closing(sqlite3.connect(folder / "easel.db", isolation_level=None)) as old:
        migrate(old, MIGRATIONS[:13])
        old.execute("INSERT INTO guilds (guild_id, appeal) VALUES (?, 'Ask in #help.')", (GUILD,))
        old.execute("INSERT INTO bans VALUES (?, ?, ?, 'spam', ?)", (GUILD, BOB, ADMIN, at + 4))
        old.execute("INSERT INTO allowances VALUES (?, 'user', ?, '9/day')", (GUILD, ALICE))
        old.execute("INSERT INTO quota_terms VALUES (?, 'Asia/Tokyo', NULL, '')", (GUILD,))
        for row in (
            (1, "log channel", None, "<#3>", at - 9, None, None, None),
            (2, "announcement", None, "“Hi” in 1 channel", at, None, "said", None),
            (3, "admin role", None, "<@&5>", at + 1, role, None, None),
            (4, "undo of admin role", "<@&5>", None, at + 2, None, None, 3),
            (5, "appeal", None, "Ask in #help.", at + 3, appeal, None, None),
            (6, f"ban of <@{BOB}>", None, "banned (spam)", at + 4, ban, None, None),
        ):
            number, *rest = row
            old.execute(SETTINGS, (number, GUILD, ADMIN, *rest))
        everyone = ("everyone", 0)
        for credit in (
            (2, "zone", *everyone, "UTC", "Asia/Tokyo", None, None, ADMIN, "", at - 8),
            (3, "grant", "user", ALICE, "0", "5", None, None, ADMIN, "a contest", at + 2),
            (4, "grant", *everyone, None, "3", None, None, ADMIN, "", at + 3),
            (5, "set", *everyone, None, "8/day", None, None, ADMIN, "", at + 3),
            (6, "undo", *everyone, "8/day", None, 5, None, ADMIN, "", at + 3),
            (7, "import", *everyone, None, "1", None, None, ADMIN, "", at + 5),
            (8, "set", "user", ALICE, None, "9/day", None, 7, ADMIN, "", at + 5),
        ):
            number, *rest = credit
            old.execute(CREDITS, (number, GUILD, *rest))
        old.execute("INSERT INTO gifts_taken VALUES (4, ?)", (ALICE,))
        for change, bonus in ((1, 7), (3, 5), (4, 3)):  # the first of these is forgotten
            old.execute(
                "INSERT INTO ledger (guild_id, user_id, kind, bonus, day, host_day, actor_id, change, at)"
                " VALUES (?, ?, 'grant', ?, ?, ?, ?, ?, ?)",
                (GUILD, ALICE, bonus, day, day, ADMIN, change, at),
            )


async def test_two_logs_become_one_in_the_order_of_their_times(tmp_path: Path) -> None:
    write_two_logs(tmp_path / "data")
    database = await Database.open(tmp_path / "data")
    async with database.transaction() as tx:
        made = await changes.latest(tx, GUILD, limit=99)
        assert [(one.kind, one.what, one.old, one.new, bool(one.undoes)) for one in made] == [
            (Kind.IMPORT, "", None, "1", False),
            (Kind.SETTING, f"ban of <@{BOB}>", None, "banned (spam)", False),
            (Kind.ALLOWANCE, "", "8/day", None, True),
            (Kind.ALLOWANCE, "", None, "8/day", False),
            (Kind.GRANT, "", None, "3", False),
            (Kind.SETTING, "appeal", None, "Ask in #help.", False),
            (Kind.GRANT, "", "0", "5", False),
            (Kind.SETTING, "admin role", "<@&5>", None, True),
            (Kind.SETTING, "admin role", None, "<@&5>", False),
            (Kind.SETTING, "announcement", None, "“Hi” in 1 channel", False),
            (Kind.ZONE, "", "UTC", "Asia/Tokyo", False),
            (Kind.SETTING, "log channel", None, "<#3>", False),
        ]
        assert {one.actor_id for one in made} == {ADMIN}
        assert [one.reason for one in made if one.reason] == ["a contest"]
        by_number = {one.number: one for one in made}
        assert [by_number[one.undoes].new for one in made if one.undoes] == ["8/day", "<@&5>"]
        assert made[-3].final is Obstacle.SAID
        assert len(await changes.parts(tx, made[0].number)) == 1
        lines = await ledger.history(tx, guild_id=GUILD, user_id=ALICE, limit=9)
        of_lines = [line.change and by_number.get(line.change) for line in lines]
        assert [change and change.new for change in of_lines] == ["3", "5", None]
    await database.close()


async def test_all_that_stood_in_two_logs_is_undone_in_one_go(tmp_path: Path) -> None:
    write_two_logs(tmp_path / "data")
    database = await Database.open(tmp_path / "data")
    async with database.transaction() as tx:
        undone, staying = [], []
        while found := [one for one in await undo.standing(tx, GUILD) if one[1] is None]:
            staying = [one for one in await undo.standing(tx, GUILD) if one[1] is not None]
            assert await undo.undo(tx, found[0][0], actor_id=ADMIN, now=NOON) == 0
            undone.append(found[0][0].what or found[0][0].kind.value)
        assert undone == ["import", f"ban of <@{BOB}>", "grant", "appeal", "grant", "zone"]
        assert [(one.what, why) for one, why in staying] == [("log channel", Obstacle.UNKNOWN)]
        assert await bans.bans(tx, GUILD) == await allowances.allowances(tx, GUILD) == []
        assert (await settings.settings(tx, GUILD)).appeal is None
        assert (await terms.terms(tx, GUILD)).zone == "UTC"
        assert await account.bonus_of(tx, guild_id=GUILD, user_id=ALICE) == 7, "its change is forgotten"
        rate = Rate(0)
        who = {"guild_id": GUILD, "user_id": ALICE}
        await grants.collect(tx, **who, role_ids=[], joined_at=None, allowance=rate, now=NOON)
        assert (await account.balance(tx, **who, allowance=rate, now=NOON)).bonus == 7
    await database.close()


@pytest.mark.parametrize("version", range(3, 14))
async def test_a_setting_of_every_version_is_still_listed(tmp_path: Path, version: int) -> None:
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / "easel.db", isolation_level=None)) as old:
        migrate(old, MIGRATIONS[:version])
        old.execute(
            "INSERT INTO changes (guild_id, actor_id, what, old, new, at) VALUES (?, ?, 'appeal', NULL, 'x', 0)",
            (GUILD, ADMIN),
        )
        old.execute(CHANGES, (GUILD, "grant", "everyone", 0, None, "3", ADMIN, "", 1))
    database = await Database.open(tmp_path / "data")
    async with database.transaction() as tx:
        made = await changes.latest(tx, GUILD, limit=9)
        assert [(one.kind, one.what, one.new) for one in made] == [
            (Kind.GRANT, "", "3"),
            (Kind.SETTING, "appeal", "x"),
        ]
        assert [why for _, why in await undo.standing(tx, GUILD)] == [None, Obstacle.UNKNOWN]
        assert await undo_last(tx) == (made[0], 0)
    await database.close()
