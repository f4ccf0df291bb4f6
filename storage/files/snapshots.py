"""Owns reading and copying a database that somebody else may have open: by read-only connections, never as a file.

The bot's process and its one connection own `easel.db` (see `database.py`). SQLite before 3.51.3 can corrupt a file
in WAL mode when two connections write or checkpoint at the same instant (https://sqlite.org/wal.html#walresetbug).
A connection with `mode=ro` does neither, also when it is closed last, so it is safe beside the bot, from its own
process and from another. `VACUUM INTO` on it copies one moment of the database while orders go on. It leaves pieces of
deleted rows behind, and the copy is one file without a write-ahead log.

Nothing here opens a database in use as a plain file: closing that would drop the process's locks on it
(https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_), and a copy of
the file alone lacks what the write-ahead log holds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from storage.errors import BackupFailed
from storage.files import erasure_list, manifest, private_files
from storage.files.manifest import DATABASE, PARTIAL, File, Manifest
from storage.migrations import MIGRATIONS

FOLDER = "backups"
"""Where backups lie in a data folder unless the host says otherwise."""
HALF_RESTORED = "restore-unfinished"
"""The file that is in a data folder while a restore moves what is in it. While it is there, no bot starts."""
KEPT_BEFORE_MIGRATIONS = 3
_PATIENCE = 60.0
"""Seconds to wait for a lock that the bot holds for a moment, say while it recovers the write-ahead log."""


# -------------------------------------------------------------------------------------------------------- reading


@contextmanager
def readable(path: Path) -> Iterator[str]:
    """The URI under which SQLite reads a database without changing it. Raises OSError.

    SQLite needs an index beside a write-ahead log. Where the folder can't be written to, nobody can have the database
    open, so it is read as it lies there, or, with a log, from a temporary copy.
    """
    uri = path.absolute().as_uri()
    log = path.with_name(f"{path.name}-wal")
    if os.access(path.parent, os.W_OK):
        yield f"{uri}?mode=ro"
    elif not log.exists() or log.stat().st_size == 0:
        yield f"{uri}?mode=ro&immutable=1"
    else:
        with tempfile.TemporaryDirectory() as folder:
            for file in (path, log):
                shutil.copyfile(file, Path(folder, file.name))
            yield f"{Path(folder, path.name).as_uri()}?mode=ro"


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a database. Raises sqlite3.Error and OSError."""
    with readable(path) as uri, closing(connect(uri)) as connection:
        yield connection


def connect(uri: str) -> sqlite3.Connection:
    """Open what `readable` names. Raises sqlite3.Error."""
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE)
    connection.row_factory = sqlite3.Row
    return connection


def schema(connection: sqlite3.Connection) -> int:
    """The version of the database's shape; 0 for an empty one. Raises sqlite3.Error."""
    return int(connection.cursor().execute("PRAGMA user_version").fetchone()[0])


# -------------------------------------------------------------------------------------------------------- copying


@contextmanager
def beginning(into: Path, kind: str, moment: datetime) -> Iterator[Path]:
    """A new folder for a backup, which gets its name once the block is through; its path is `finished_name` of it.

    If the block fails, what it wrote is removed. Raises `BackupFailed` for what a disk or SQLite won't do.
    """
    try:
        private_files.make_folder(into)
        partial = _unused(into, manifest.folder_name(kind, moment))
        partial.mkdir(mode=0o700)
    except OSError as error:
        raise BackupFailed(f"No backup could be begun in {into}: {error}.") from error
    try:
        yield partial
        private_files.sync_folder(partial)
        partial.rename(finished_name(partial))
        private_files.sync_folder(into)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError | sqlite3.Error):
            raise BackupFailed(f"The backup into {into} failed: {error}. It was removed.") from error
        raise


def _unused(into: Path, name: str) -> Path:
    """The folder to begin a backup in: with a number where several begin in the same second."""
    number = 1
    while True:
        wanted = into / (name if number == 1 else f"{name}-{number}")
        partial = wanted.with_name(wanted.name + PARTIAL)
        if not wanted.exists() and not partial.exists():
            return partial
        number += 1


def finished_name(partial: Path) -> Path:
    """What a backup that was begun here is called when it is done."""
    return partial.with_name(partial.name.removesuffix(PARTIAL))


def copy_database(connection: sqlite3.Connection, folder: Path) -> File:
    """Copy a connection's database, as it is at this moment, into a folder. Raises OSError and sqlite3.Error."""
    target = folder / DATABASE
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # VACUUM INTO fills an empty file
    with closing(connection.cursor()) as cursor:  # whose statements begin no transaction, as the bot's `execute` does
        cursor.execute("VACUUM INTO ?", (str(target),))
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    return File(path=DATABASE, sha256=manifest.hash_of(target), bytes=target.stat().st_size)


def keep_before_migration(connection: sqlite3.Connection, data: Path, *, now: datetime) -> Path | None:
    """Back up the database only, where a migration is about to change it; None where none is.

    The latest `KEPT_BEFORE_MIGRATIONS` are kept. Raises `BackupFailed`.
    """
    version = schema(connection)
    if not 0 < version < len(MIGRATIONS):
        return None
    into, kind = data / FOLDER, f"before-v{len(MIGRATIONS)}"
    with beginning(into, kind, now) as partial:
        erasures = erasure_list.position(data)
        database = copy_database(connection, partial)
        manifest.write(
            partial,
            Manifest(
                taken_at=now,
                easel=manifest.version(),
                schema=version,
                database=database,
                pictures=None,
                erasures=erasures,
            ),
        )
    taken = finished_name(partial)
    with contextlib.suppress(OSError):  # what can't be deleted now goes another time
        drop_oldest(into, "before-", keep=KEPT_BEFORE_MIGRATIONS, now=now, spare=taken)
    return taken


# ------------------------------------------------------------------------------------------------- those that lie there


def whole(into: Path, kind: str) -> list[tuple[datetime, Path]]:
    """The whole backups in a folder whose kind begins so, and when they were taken, the oldest first.

    Their names and the presence of a manifest tell, since manifests of many pictures are long. A link to a backup
    elsewhere is none of them: somebody moved that one away to keep it.
    """
    found = []
    with contextlib.suppress(FileNotFoundError):
        for folder in into.iterdir():
            taken_at = manifest.moment_of(folder)
            ours = (manifest.kind_of(folder) or "").startswith(kind)
            here = ours and not folder.is_symlink()
            if taken_at is not None and here and (folder / manifest.MANIFEST).exists():
                found.append((taken_at, folder))
    return sorted(found)


def drop_oldest(into: Path, kind: str, *, keep: int, now: datetime, spare: Path | None = None) -> list[Path]:
    """Delete all but the latest `keep` whole backups of a kind, and return them. Raises OSError.

    `spare` was taken just now, so it is the latest, whatever its name says. Those from the future, by a clock that was
    wrong, are the oldest.
    """

    def age(taken: tuple[datetime, Path]) -> tuple[bool, bool, tuple[datetime, Path]]:
        return taken[1] == spare, taken[0] <= now, taken

    return _delete([folder for _, folder in sorted(whole(into, kind), key=age)[:-keep]])


def drop_before(into: Path, kind: str, moment: datetime) -> list[Path]:
    """Delete the whole backups of a kind from before a moment, and return them. Raises OSError."""
    return _delete([folder for taken_at, folder in whole(into, kind) if taken_at < moment])


def drop_half_done(into: Path, *, before: datetime) -> list[Path]:
    """Delete what backups left that stopped half-way before a moment, and return it. Raises OSError."""
    stopped = []
    with contextlib.suppress(FileNotFoundError):
        for folder in into.iterdir():
            ours = manifest.kind_of(folder) and folder.name.endswith(PARTIAL) and not folder.is_symlink()
            if ours and folder.stat().st_mtime < before.timestamp():
                stopped.append(folder)
    return _delete(stopped)


def _delete(folders: list[Path]) -> list[Path]:
    """Delete backups; the manifest goes first, so that one that is half deleted is none.

    One that can't be deleted keeps no other from it; the error comes after them.
    """
    failed: OSError | None = None
    for folder in folders:
        try:
            (folder / manifest.MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(folder)
        except OSError as error:
            failed = error
    if failed is not None:
        raise failed
    return folders
