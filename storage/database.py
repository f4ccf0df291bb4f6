"""Owns the database file: its lock, its one connection, and transactions that end for certain.

One process and one connection own `easel.db`: SQLite's write-ahead log had a way to corrupt a file under
several connections before 3.51.3 (https://sqlite.org/wal.html#walresetbug), and one connection needs no
retries. Beside it only connections that can't write are opened (`snapshots.py`). Every commit is synced to the
disk before it returns (`synchronous=FULL`).
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from storage import timestamps
from storage.errors import BackupFailed, DatabaseFailed, DatabaseUnreadable, PiecesLeft
from storage.files import private_files, snapshots
from storage.files.lock import FolderLock
from storage.migrations import migrate

Row = sqlite3.Row
"""A result row, read by column name or position."""

Parameters = Sequence[Any] | Mapping[str, Any]

_T = TypeVar("_T")

_BUSY_MILLISECONDS = 5000
"""For how long a statement waits for another program that holds the file's lock."""

_SETTINGS = (
    f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    # Without it INSERT OR REPLACE would slip past the triggers that keep the ledger append-only.
    "PRAGMA recursive_triggers = ON",
)


class _Connection(sqlite3.Connection):
    """Begins a transaction together with its first statement, which saves a trip between threads.

    IMMEDIATE, because a reading transaction that turns into a writing one can fail at once despite a busy
    timeout.
    """

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if not self.in_transaction:
            super().execute("BEGIN IMMEDIATE")
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        if not self.in_transaction:
            super().execute("BEGIN IMMEDIATE")
        return super().executemany(sql, parameters)


def _connect(path: Path) -> _Connection:
    """Open and set up the file. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, isolation_level=None, factory=_Connection)
    try:
        with closing(connection.cursor()) as cursor:
            for setting in _SETTINGS:
                cursor.execute(setting).fetchall()
        connection.row_factory = sqlite3.Row
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(path: Path, now: datetime) -> None:
    """Make, migrate and close the file, with a backup of it first if it is migrated. Blocks.

    This is not left to aiosqlite's thread, which outlives the event loop for a moment when its start fails.
    """
    if (path.parent / snapshots.HALF_RESTORED).exists():
        raise DatabaseUnreadable(f"A restore into {path.parent} was cut short. Do it again: ./easel restore FOLDER.")
    try:
        if path.exists():
            private_files.tighten(path.parent)
        private_files.make_file(path)  # SQLite would let everybody read it, and its log takes its mode
        with closing(_connect(path)) as connection:
            snapshots.keep_before_migration(connection, path.parent, now=now)
            migrate(connection)
    except BackupFailed as error:
        raise DatabaseUnreadable(
            f"The database {path} must be migrated, and can't be backed up before. {error}"
        ) from error
    except (sqlite3.Error, OSError) as error:
        raise DatabaseUnreadable(f"The database {path} can't be opened: {error}.") from error


async def _start(path: Path, now: datetime) -> aiosqlite.Connection:
    await asyncio.to_thread(_prepare, path, now)
    return await aiosqlite.Connection(partial(_connect, path), iter_chunk_size=64)


async def _to_the_end(work: Awaitable[_T]) -> _T:
    """Await `work` to its end even if this task is cancelled meanwhile; the cancellation comes after."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from task.exception()
    return task.result()


class Transaction:
    """Statements that take effect together or not at all; made by `Database.transaction()`."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._refusal: str | None = None

    async def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Run a statement whose rows nobody needs."""
        await self.fetch_all(sql, parameters)

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row, or None. Writes tell whether they changed anything by RETURNING."""
        rows = await self.fetch_all(sql, parameters)
        return rows[0] if rows else None

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows.

        Raises sqlite3.IntegrityError for a broken constraint, and `DatabaseFailed` when SQLite can't go on.
        """
        return list(await self._run(lambda: self._connection.execute_fetchall(sql, parameters)))

    async def get_value(self, key: str) -> str | None:
        """What the bot noted for itself under a key, such as the hash of the commands that it has synced."""
        row = await self.fetch_one("SELECT value FROM state WHERE key = ?", (key,))
        return None if row is None else str(row["value"])

    async def put_value(self, key: str, value: str) -> None:
        """Note a text under a key, in place of what was there."""
        await self.execute("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", (key, value))

    async def execute_many(self, sql: str, parameters: Sequence[Parameters]) -> None:
        """Run a statement that writes once for each of these, in one trip to the database's thread. Raises alike."""
        await self._run(lambda: self._connection.executemany(sql, parameters))

    async def _run(self, statement: Callable[[], Awaitable[_T]]) -> _T:
        if self._refusal is not None:
            raise RuntimeError(self._refusal)
        try:
            return await statement()
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except asyncio.CancelledError:
            self.refuse("a statement of this transaction was abandoned")
            raise
        except sqlite3.Error as error:
            # On a full disk SQLite rolls back by itself: what follows would be half of the transaction.
            self.refuse("this transaction has failed already")
            raise DatabaseFailed(f"The database failed: {error}.") from error

    @property
    def refuses(self) -> bool:
        """Whether a statement failed, or was cancelled, so that the transaction can't be committed."""
        return self._refusal is not None

    def refuse(self, why: str) -> None:
        """Take no more statements."""
        self._refusal = why


class _Supposed(Exception):
    """Ends a transaction that was not meant to stay."""


class Database:
    """The open database of a data folder."""

    def __init__(self, folder: Path, lock: FolderLock, connection: aiosqlite.Connection) -> None:
        self.folder = folder
        self._folder_lock = lock
        self._connection = connection
        self.rewriting = asyncio.Lock()
        """Held around `scrub` and what decides on it, so that one rewriting serves all who want it."""
        self._turn = asyncio.Lock()
        self._holder: asyncio.Task[Any] | None = None
        self._closed = False

    @classmethod
    async def open(cls, folder: Path, *, now: datetime | None = None) -> Self:
        """Open `<folder>/easel.db`, making and migrating it as needed. `now` names the backup before a migration.

        Raises `DataFolderBusy` when another Easel has the folder open, `DatabaseTooNew` when a newer Easel
        wrote the file, and `DatabaseUnreadable` when it is no database, can't be opened or backed up before a
        migration, or when a restore was cut short.
        """
        lock = FolderLock.take(folder)
        starting = asyncio.ensure_future(_start(folder / "easel.db", now or timestamps.now()))
        try:
            return cls(folder, lock, await _to_the_end(starting))
        except BaseException:
            try:
                if starting.exception() is None:
                    await _to_the_end(starting.result().close())
            finally:
                lock.release()
            raise

    async def close(self) -> None:
        """Wait for the transaction in progress, close the file and give the folder back. Twice is fine."""
        async with self._turn:
            if self._closed:
                return
            self._closed = True
            try:
                await _to_the_end(self._connection.close())
            finally:
                self._folder_lock.release()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction: committed and synced at the end of the block, rolled back by any exception.

        One runs at a time; the others wait. A cancelled task leaves none behind. If the cancellation comes
        during the commit itself, the commit happens and the cancellation is raised after it. Raises
        `DatabaseFailed`, with nothing written, when the commit fails.
        """
        if self._holder is not None and self._holder is asyncio.current_task():
            raise RuntimeError("a transaction inside a transaction would wait for itself")
        async with self._turn:
            if self._closed:
                raise DatabaseFailed("The database is closed.")
            self._holder = asyncio.current_task()
            transaction = Transaction(self._connection)
            try:
                yield transaction
                await self._commit(transaction)
            except BaseException:
                # Statements run in the order they were sent, so this also comes after one that was abandoned.
                await _to_the_end(self._connection.rollback())
                raise
            finally:
                transaction.refuse("this transaction has ended")
                self._holder = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A transaction that only reads; RuntimeError, and nothing written, if the block wrote after all."""
        async with self.transaction() as transaction:
            before = self._connection.total_changes
            yield transaction
            if self._connection.total_changes != before:
                raise RuntimeError("reading() is for reading: use transaction() to write")

    @asynccontextmanager
    async def supposing(self) -> AsyncIterator[Transaction]:
        """A transaction that is always rolled back: what would be, if that were written."""
        with contextlib.suppress(_Supposed):
            async with self.transaction() as transaction:
                yield transaction
                raise _Supposed

    async def scrub(self) -> float:
        """Leave nothing of deleted rows in the files. Rewrites the whole database, while transactions wait; the
        seconds that it took.

        `secure_delete` alone leaves pieces of rows in pages that were rebalanced, and the write-ahead log holds
        pages as they were. Raises `DatabaseFailed`, with everything as it was, when the disk lacks the room, and
        `PiecesLeft` when another program's reading keeps the log from being emptied.
        """
        async with self._turn:
            if self._closed:
                raise DatabaseFailed("The database is closed.")
            return await _to_the_end(self._scrub())

    async def _scrub(self) -> float:
        began = time.monotonic()
        await self._run_alone("VACUUM")
        seconds = time.monotonic() - began
        # A reader may take hours: nobody's order waits for it.
        await self._run_alone("PRAGMA busy_timeout = 0")
        try:
            emptied = await self._run_alone("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            await self._run_alone(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        assert emptied is not None
        busy, frames, moved = emptied
        if busy or frames != moved:
            raise PiecesLeft(seconds)
        return seconds

    async def _run_alone(self, statement: str) -> Row | None:
        """Run a statement outside of a transaction: a cursor of its own does not begin one. Its first row."""
        try:
            async with self._connection.cursor() as cursor:
                await cursor.execute(statement)
                return await cursor.fetchone()
        except sqlite3.Error as error:
            raise DatabaseFailed(f"The database could not be cleaned: {error}.") from error

    async def _commit(self, transaction: Transaction) -> None:
        if transaction.refuses:
            raise DatabaseFailed("A statement failed or was cancelled, so nothing was written.")
        try:
            await _to_the_end(self._connection.commit())
        except sqlite3.Error as error:
            raise DatabaseFailed(f"The database could not be written: {error}.") from error
