"""Every table with a person in it is on the list, so that copies and deletions miss none."""

from __future__ import annotations

import random
import re
from pathlib import Path

from storage.database import Database, Transaction
from storage.jobs import lifecycle
from storage.privacy import erasures, personal_data, retention
from storage.privacy.erasures import Erasure
from storage.privacy.personal_data import HELD, MENTIONS, OF_JOBS, Fate
from tests.storage.samples import ALICE, BOB, NOON, new_job

NAMES = re.compile(r"(^|_)(user|member|person|owner|actor|author|admin|moderator|reporter|subject)(_id)?$|_by$")
"""How columns that hold a person's id are called here."""

NOT_PEOPLE = {("veiled", "user_id"), ("erasures", "user_id"), ("guilds", "admin_role_id")}
"""A hash that leads to nobody without the key; the wish itself, which goes last; a role."""


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def columns(tx: Transaction) -> dict[str, list[str]]:
    tables = await tx.fetch_all("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {
        table["name"]: [row["name"] for row in await tx.fetch_all(f"PRAGMA table_info({table['name']})")]
        for table in tables
    }


async def test_every_column_that_names_a_person_is_on_the_list(tx: Transaction) -> None:
    named = {(table, name) for table, names in (await columns(tx)).items() for name in names if NAMES.search(name)}
    missing = named - {(held.table, held.column) for held in HELD} - NOT_PEOPLE
    assert not missing, f"add to HELD in storage/privacy/personal_data.py: {sorted(missing)}"


async def test_every_table_that_belongs_to_a_job_goes_with_it(tx: Transaction) -> None:
    for table, names in (await columns(tx)).items():
        if "job_id" in names and table not in {held.table for held in HELD if held.fate is not Fate.GOES} - set(
            OF_JOBS
        ):
            keys = await tx.fetch_all(f"PRAGMA foreign_key_list({table})")
            assert [(key["table"], key["on_delete"]) for key in keys] == [("jobs", "CASCADE")], table
            assert table in OF_JOBS


async def test_the_list_names_only_what_there_is(tx: Transaction) -> None:
    there = await columns(tx)
    for held in HELD:
        assert {held.column, *held.wiped} <= set(there[held.table]), held


async def test_mentions_in_what_admins_wrote_are_cut_out(tx: Transaction) -> None:
    words = f"ask <@{BOB}>, not <@{ALICE}>"
    await lifecycle.insert(tx, new_job(user_id=ALICE), now=NOON)
    await tx.execute("INSERT INTO guilds (guild_id, appeal) VALUES (1, ?)", (words,))
    await tx.execute("UPDATE jobs SET state = 'cancelled'")
    await tx.execute(
        "INSERT INTO changes (guild_id, actor_id, at, what, old, new) VALUES (1, 7, 0, 'appeal', ?, ?)",
        (words,) * 2,
    )
    await erasures.ask(tx, Erasure(user_id=ALICE, posts=False))
    await retention.forget_jobs(tx, await erasures.ended_jobs(tx, ALICE, limit=100))
    await erasures.erase(tx, ALICE, now=NOON)
    for sql in (
        "SELECT appeal AS words FROM guilds",
        "SELECT old AS words FROM changes",
        "SELECT new AS words FROM changes",
    ):
        assert [row["words"] for row in await tx.fetch_all(sql)] == [f"ask <@{BOB}>, not <@…>"]


async def test_the_list_of_mentions_names_only_what_there_is(tx: Transaction) -> None:
    there = await columns(tx)
    assert all(column in there[table] for table, column in MENTIONS)


def test_the_page_names_every_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text(encoding="utf-8")
    for table in personal_data.tables():
        assert f"`{table}`" in page, f"say in docs/privacy.md what `{table}` keeps"


async def test_pieces_of_rows_that_sqlite_moved_about_go_too(tmp_path: Path) -> None:
    """`secure_delete` alone leaves some: pages keep old cells behind when the tree is rebalanced."""
    source = random.Random(4)
    database = await Database.open(tmp_path)
    try:
        async with database.transaction() as tx:
            for _ in range(1500):
                mine = source.random() < 0.3
                words = "SECRET" + "x" * source.randrange(1500)
                job = new_job(user_id=ALICE if mine else BOB, prompt=words if mine else words.lower())
                await lifecycle.insert(tx, job, now=NOON)
                if source.random() < 0.3:
                    await tx.execute(
                        "UPDATE jobs SET request = ? WHERE number = ?", ("y" * 300, source.randrange(1, 1500))
                    )
        async with database.transaction() as tx:
            await erasures.ask(tx, Erasure(user_id=ALICE, posts=False))
            await tx.execute("UPDATE jobs SET state = 'cancelled'")
            while batch := await erasures.ended_jobs(tx, ALICE, limit=100):
                await retention.forget_jobs(tx, batch)
            await erasures.erase(tx, ALICE, now=NOON)
            await erasures.done(tx, ALICE)
        await database.scrub()
        data = every_byte(tmp_path)
        assert b"SECRET" not in data
        assert ALICE.to_bytes(8, "big") not in data
        assert b"secret" in data
    finally:
        await database.close()
