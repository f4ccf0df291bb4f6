"""Owns looking whether a data folder or a backup is whole. It changes nothing, and a bot may run meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiosqlite

from storage.backups import picture_check, restoring
from storage.backups.backup import Progress, silent
from storage.credits import audit
from storage.database import Transaction
from storage.errors import BackupUnusable, ErasuresUnreadable
from storage.files import erasure_list, manifest, snapshots
from storage.files.manifest import DATABASE, MANIFEST, PARTIAL, Manifest
from storage.migrations import MIGRATIONS

_SHOWN = 20
"""As many faults of one kind are told."""


@dataclass(slots=True)
class Report:
    """What was looked at: what is `well`, what is worth knowing, and what is `broken`, each a sentence's worth."""

    well: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is broken."""
        return not self.broken

    def tell(self, faults: list[str], *, of: str) -> None:
        """Add faults, the first of many."""
        self.broken += [f"{of}: {fault}" for fault in faults[:_SHOWN]]
        if len(faults) > _SHOWN:
            self.broken.append(f"{of}: {len(faults) - _SHOWN} more")


async def verify(folder: Path, *, now: datetime, read_pictures: bool = True, progress: Progress = silent) -> Report:
    """Look at a data folder or a backup. Without `read_pictures`, files are compared by their sizes only."""
    report = Report()
    backup = await asyncio.to_thread(_manifest, folder, report)
    if not report.whole:
        return report
    if backup is None:
        await asyncio.to_thread(_look_at_erasures, folder, report)
    try:
        before = len(report.broken)
        version = await asyncio.to_thread(_look_at_database, folder, report)
        if version and len(report.broken) == before:
            await _add_up(folder, version, report, now)
        if version and (backup is None or backup.pictures is not None):
            await asyncio.to_thread(_compare_pictures, folder, backup, report, read_pictures, progress)
    except (sqlite3.Error, OSError) as error:
        report.broken.append(f"Database: it can't be read: {error}")
    return report


def _manifest(folder: Path, report: Report) -> Manifest | None:
    """The manifest of a backup, whose database is compared with it; None for a data folder."""
    if (folder / snapshots.HALF_RESTORED).exists():
        report.broken.append("A restore was cut short. Do it again: ./easel restore FOLDER")
    if not (folder / MANIFEST).exists() and not folder.name.endswith(PARTIAL) and not manifest.kind_of(folder):
        if not (folder / DATABASE).exists():
            report.broken.append(f"There is no {DATABASE} in {folder}")
        return None
    try:
        found = manifest.read(folder)
    except BackupUnusable as error:
        report.broken.append(str(error))
        return None
    if why := restoring.fault(folder, found.database):
        report.broken.append(why)
    what = "database only" if found.pictures is None else f"{len(found.pictures)} pictures"
    report.well.append(f"Backup of {found.taken_at:%Y-%m-%d %H:%M:%S} UTC by Easel {found.easel}: {what}")
    if found.absent:
        report.notes.append(f"{len(found.absent)} pictures were gone or damaged already when it was taken")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    """How a database is: what is wrong with it in words, its version, and the newest that this Easel knows."""

    damage: str
    version: int
    newest: int = len(MIGRATIONS)


def database_state(data: Path) -> DatabaseState:
    """Look at the structure of a data folder's database, and change nothing. Blocks."""
    try:
        with snapshots.reading(data / DATABASE) as connection:
            faults, version = damage(connection), snapshots.schema(connection)
    except (sqlite3.Error, OSError) as error:
        return DatabaseState(damage=str(error), version=0)
    return DatabaseState(damage="; ".join(faults[:3]), version=version)


def damage(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong with a database's structure. A file that is none raises sqlite3.Error."""
    try:
        found = [str(row[0]) for row in connection.execute(f"PRAGMA quick_check({_SHOWN})")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if found == ["ok"] else [" ".join(line.split()) for line in found]


def erasures_damage(data: Path) -> str:
    """What is wrong with the list of erasures of a data folder, in words; nothing if it is whole. Blocks."""
    try:
        erasure_list.read(data)
    except (ErasuresUnreadable, OSError) as error:
        return str(error)
    return ""


def _look_at_erasures(folder: Path, report: Report) -> None:
    if why := erasures_damage(folder):
        report.broken.append(f"Erasures: {why}")


def _look_at_database(folder: Path, report: Report) -> int:
    """Look at the structure and the references; the version, or 0 if nothing more can be looked at."""
    with snapshots.reading(folder / DATABASE) as connection:
        version = snapshots.schema(connection)
        if faults := damage(connection):
            report.tell(faults, of="Database")
            return 0
        loose = connection.execute("PRAGMA foreign_key_check").fetchall()
    report.tell([f"a row of {row[0]} belongs to none of {row[2]}" for row in loose], of="Database")
    if version > len(MIGRATIONS):
        report.broken.append(f"Database: a newer Easel wrote it (version {version} of {len(MIGRATIONS)})")
        return 0
    if version < len(MIGRATIONS):
        report.notes.append(f"Database: the next start migrates it from version {version} to {len(MIGRATIONS)}")
    report.well.append(f"Database: sound, of version {version}")
    return version


# --------------------------------------------------------------------------------------------------------- credits


async def _add_up(folder: Path, version: int, report: Report, now: datetime) -> None:
    if version < audit.SINCE:
        report.notes.append("Credits: they can be added up once the database is migrated")
        return
    async with _snapshot(folder) as tx:
        faults = [fault async for fault in audit.check(tx, now=now)]
        count = await tx.fetch_one(
            "SELECT count(*) AS lines, count(DISTINCT guild_id || ' ' || user_id) AS accounts FROM ledger"
        )
    report.tell(faults, of="Credits")
    if count is not None and not faults:
        report.well.append(f"Credits: {count['lines']} lines of {count['accounts']} accounts add up")


@asynccontextmanager
async def _snapshot(folder: Path) -> AsyncIterator[Transaction]:
    """One moment of the database, to read only."""
    with snapshots.readable(folder / DATABASE) as uri:
        connection = await aiosqlite.Connection(lambda: snapshots.connect(uri), iter_chunk_size=64)
        try:
            await connection.execute("BEGIN")
            yield Transaction(connection)
        finally:
            await connection.close()


# -------------------------------------------------------------------------------------------------------- pictures


def _compare_pictures(folder: Path, backup: Manifest | None, report: Report, read: bool, progress: Progress) -> None:
    absent = {one.path for one in backup.absent} if backup else set()
    found = picture_check.check(folder, absent=absent, read=read, progress=progress)
    report.tell(list(found.faults), of="Pictures")
    if not found.faults:
        report.well.append(f"Pictures: {found.looked_at}, all as they were written")
    if found.strangers:
        more = f", and {len(found.strangers) - _SHOWN} more" if len(found.strangers) > _SHOWN else ""
        listed = ", ".join(found.strangers[:_SHOWN])
        report.notes.append(f"Pictures: {len(found.strangers)} files belong to no job: {listed}{more}")
