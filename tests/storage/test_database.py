"""The file, its lock, its migrations and its transactions, on real SQLite."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import Database, Transaction
from storage.errors import (
    DatabaseFailed,
    DatabaseTooNew,
    DatabaseUnreadable,
    DataFolderBusy,
    PiecesLeft,
    StorageError,
)
from storage.migrations import MIGRATIONS, migrate

ROOT = Path(__file__).parents[2]


async def test_a_new_folder_is_made_and_what_is_written_outlives_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    database = await Database.open(folder)
    assert database.folder == folder
    async with database.transaction() as tx:
        await tx.put_value("key", "value")
    await database.close()

    database = await Database.open(folder)
    async with database.reading() as tx:
        assert await tx.get_value("key") == "value"
    await database.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("recursive_triggers", 1),
        ("user_version", len(MIGRATIONS)),
    ],
)
async def test_the_connection_is_set_up(tx: Transaction, pragma: str, value: object) -> None:
    row = await tx.fetch_one(f"PRAGMA {pragma}")
    assert row is not None
    assert row[0] == value


async def test_every_table_is_strict(tx: Transaction) -> None:
    tables = await tx.fetch_all("PRAGMA table_list")
    loose = [row["name"] for row in tables if not row["strict"] and not row["name"].startswith("sqlite_")]
    assert loose == []


# ----------------------------------------------------------------------------------------------- the folder's lock


async def test_two_on_one_folder_are_refused_until_the_first_closes(tmp_path: Path) -> None:
    first = await Database.open(tmp_path)
    with pytest.raises(DataFolderBusy, match="already running"):
        await Database.open(tmp_path)
    async with first.transaction() as tx:
        await tx.put_value("key", "the first goes on")
    await first.close()

    second = await Database.open(tmp_path)
    await second.close()


OWNER = """
import asyncio, sys
from pathlib import Path
from storage.database import Database

async def main():
    await Database.open(Path(sys.argv[1]))
    print("open", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_the_folder_is_free_again_after_its_owner_was_killed(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    owner = subprocess.Popen(  # noqa: ASYNC220 - the test has nothing else to do meanwhile
        [sys.executable, "-c", OWNER, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "open\n"
        with pytest.raises(DataFolderBusy):
            await Database.open(tmp_path)
        owner.kill()
    database = await Database.open(tmp_path)
    await database.close()


async def test_a_failed_opening_gives_the_folder_back(tmp_path: Path) -> None:
    file = tmp_path / "easel.db"
    file.write_bytes(b"these are not the pages you are looking for" * 100)
    for _ in range(2):
        with pytest.raises(DatabaseUnreadable, match=r"easel\.db"):
            await Database.open(tmp_path)
    file.unlink()
    database = await Database.open(tmp_path)
    await database.close()


async def test_a_folder_that_is_a_file_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DatabaseUnreadable, match="data folder"):
        await Database.open(tmp_path / "data")


# ------------------------------------------------------------------------------------------------------ migrations


async def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    async with database.transaction() as tx:
        await tx.execute("PRAGMA user_version = 1000")
    await database.close()
    with pytest.raises(DatabaseTooNew, match="1000"):
        await Database.open(tmp_path)
    with sqlite3.connect(tmp_path / "easel.db") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1000,)
    connection.close()


def shape(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
def test_a_failed_migration_leaves_the_version_before(version: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, MIGRATIONS[:version])
    before = shape(connection)
    broken = "CREATE TABLE half (made INTEGER); INSERT INTO half VALUES (1); CREATE TABLE half (again INTEGER);"
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection, [*MIGRATIONS[:version], broken])
    assert not connection.in_transaction
    assert shape(connection) == before
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


def test_migrating_twice_changes_nothing() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    before = shape(connection)
    migrate(connection)
    assert shape(connection) == before
    connection.close()


# ---------------------------------------------------------------------------------------------------- transactions


async def read(database: Database, key: str) -> str | None:
    async with database.reading() as tx:
        return await tx.get_value(key)


async def test_an_exception_undoes_the_whole_transaction(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as tx:
            await tx.put_value("one", "1")
            await tx.put_value("two", "2")
            raise LookupError

    with pytest.raises(LookupError):
        await write()
    assert await read(database, "one") is None
    assert await read(database, "two") is None


async def test_transactions_take_turns(database: Database) -> None:
    async def add_one() -> None:
        async with database.transaction() as tx:
            count = int(await tx.get_value("count") or 0)
            await asyncio.sleep(0)
            await tx.put_value("count", str(count + 1))

    await asyncio.gather(*(add_one() for _ in range(50)))
    assert await read(database, "count") == "50"


async def test_a_transaction_inside_a_transaction_is_refused(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.put_value("key", "value")
        with pytest.raises(RuntimeError, match="inside"):
            async with database.transaction():
                pass
    assert await read(database, "key") == "value"


async def test_an_ended_transaction_takes_no_more_statements(database: Database) -> None:
    async with database.transaction() as tx:
        pass
    with pytest.raises(RuntimeError, match="ended"):
        await tx.put_value("key", "value")


async def test_reading_writes_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError, match="reading"):
        async with database.reading() as tx:
            await tx.put_value("key", "value")
    assert await read(database, "key") is None


async def test_a_broken_constraint_can_be_handled_inside(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.put_value("key", "value")
        with pytest.raises(sqlite3.IntegrityError):
            await tx.execute("INSERT INTO state VALUES ('key', 'other')")
    assert await read(database, "key") == "value"


async def test_a_full_disk_undoes_everything_even_if_the_block_carries_on(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as tx:
            await tx.put_value("first", "1")
            with pytest.raises(DatabaseFailed, match="full"):
                await tx.put_value("huge", "x" * 1_000_000)
            with pytest.raises(RuntimeError, match="failed"):
                await tx.put_value("second", "2")

    async with database.transaction() as tx:
        await tx.execute("PRAGMA max_page_count = 60")
    with pytest.raises(DatabaseFailed, match="nothing was written"):
        await write()
    assert await read(database, "first") is None
    async with database.transaction() as tx:
        await tx.put_value("later", "fits")
    assert await read(database, "later") == "fits"


async def test_a_failed_commit_undoes_everything(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as tx:
            await tx.execute("PRAGMA defer_foreign_keys = ON")
            await tx.put_value("key", "value")
            await tx.execute("INSERT INTO messages (message_id, job_id) VALUES (1, 'nobody')")

    with pytest.raises(DatabaseFailed, match="could not be written"):
        await write()
    assert await read(database, "key") is None


async def test_closing_waits_for_the_transaction_in_progress(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with database.transaction() as tx:
            await tx.put_value("key", "value")
            begun.set()
            await go_on.wait()

    writing = asyncio.create_task(write())
    await begun.wait()
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    assert not closing.done()
    go_on.set()
    await asyncio.gather(writing, closing)
    await database.close()
    with pytest.raises(StorageError, match="closed"):
        async with database.transaction():
            pass

    database = await Database.open(tmp_path)
    assert await read(database, "key") == "value"
    await database.close()


async def test_a_reader_that_keeps_deleted_rows_in_the_files_is_told_of(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    try:
        async with database.transaction() as tx:
            await tx.put_value("note", "a walrus")
        with closing(sqlite3.connect(tmp_path / "easel.db")) as reader:
            reader.execute("BEGIN").execute("SELECT count(*) FROM state").fetchone()
            async with database.transaction() as tx:
                await tx.execute("DELETE FROM state WHERE key = 'note'")
            with pytest.raises(PiecesLeft):
                await database.scrub()
            assert b"a walrus" in every_byte(tmp_path)
        assert await database.scrub() >= 0
        assert b"a walrus" not in every_byte(tmp_path)
    finally:
        await database.close()


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("trouble", ["the checkpoint fails", "cancelled"])
async def test_after_a_scrub_that_ended_early_others_are_waited_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    database = await Database.open(tmp_path)
    before = await database._run_alone("PRAGMA busy_timeout")
    run_alone = database._run_alone

    async def run(statement: str) -> object:
        if trouble == "cancelled" and statement == "PRAGMA busy_timeout = 0":
            scrubbing.cancel()
        if trouble != "cancelled" and "wal_checkpoint" in statement:
            raise DatabaseFailed("The disk fails.")
        return await run_alone(statement)

    with monkeypatch.context() as broken:
        broken.setattr(database, "_run_alone", run)
        scrubbing = asyncio.ensure_future(database.scrub())
        with pytest.raises(asyncio.CancelledError if trouble == "cancelled" else DatabaseFailed):
            await scrubbing
    after = await database._run_alone("PRAGMA busy_timeout")
    await database.close()
    assert before is not None
    assert after is not None
    assert tuple(after) == tuple(before)
