"""What `./easel doctor` says of the database: it looks inside, also while a bot runs, and leaves it as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bot.doctor import database as doctor_database
from bot.settings.settings import Settings
from bot.texts.findings import Finding, Level
from storage import timestamps
from storage.backups import backup
from storage.database import Database
from storage.files import erasure_list
from storage.migrations import MIGRATIONS, migrate


def look(tmp_path: Path) -> list[Finding]:
    return list(doctor_database.look(Settings(data=tmp_path)))


async def made(folder: Path) -> None:
    database = await Database.open(folder)
    async with database.transaction() as tx:
        for number in range(500):
            await tx.execute("INSERT INTO state VALUES (?, ?)", (str(number), "x" * 500))
    await database.close()


async def test_a_sound_database_is_called_so(tmp_path: Path) -> None:
    await made(tmp_path)
    sound, backups = look(tmp_path)
    assert sound.level is Level.OK
    assert "is sound (0." in sound.what
    assert backups.level is Level.NOTE
    assert "./easel backup" in backups.advice
    backup.take(tmp_path, tmp_path / "backups", kind="easel", now=timestamps.now())
    assert [finding.level for finding in look(tmp_path)] == [Level.OK, Level.OK]


async def test_a_malformed_database_is_a_fault_and_a_backup_its_cure(tmp_path: Path) -> None:
    await made(tmp_path)
    with (tmp_path / "easel.db").open("r+b") as file:  # as a failing disk does: the header stays whole
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096 * 10)
    damaged, _ = look(tmp_path)
    assert damaged.level is Level.BROKEN
    assert "./easel restore" in damaged.advice
    assert str(tmp_path / "backups") in damaged.advice
    assert "move it away" not in damaged.advice


def test_a_file_that_is_no_database_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "easel.db").write_bytes(b"not a database" * 1000)
    assert look(tmp_path)[0].level is Level.BROKEN


async def test_a_database_is_looked_into_while_a_bot_runs(tmp_path: Path) -> None:
    await made(tmp_path)
    database = await Database.open(tmp_path)
    try:
        assert look(tmp_path)[0].level is Level.OK
    finally:
        await database.close()


def test_an_older_database_is_not_migrated(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as old:
        migrate(old, MIGRATIONS[:-1])
    before = (tmp_path / "easel.db").read_bytes()
    found = look(tmp_path)[0]
    assert found.level is Level.NOTE
    assert f"from version {len(MIGRATIONS) - 1} to {len(MIGRATIONS)}" in found.what
    assert (tmp_path / "easel.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["easel.db"]


def test_a_newer_easel_s_database_is_a_fault(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "easel.db")) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    found = look(tmp_path)[0]
    assert found.level is Level.BROKEN
    assert "newer Easel" in found.what


def test_a_restore_that_was_cut_short_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "restore-unfinished").write_text("{}")
    (found,) = look(tmp_path)
    assert found.level is Level.BROKEN
    assert "Do it again" in found.advice


async def test_a_damaged_list_of_erasures_is_a_fault(tmp_path: Path) -> None:
    await made(tmp_path)
    erasure_list.note(tmp_path, 1, now=timestamps.now())
    assert not any("Erasures" in finding.what for finding in look(tmp_path))
    with (tmp_path / "erasures.jsonl").open("ab") as file:
        file.write(b"garbage\n")
    (found,) = (finding for finding in look(tmp_path) if "Erasures" in finding.what)
    assert found.level is Level.BROKEN
    assert "line 3" in found.what


async def test_a_backup_from_the_future_is_not_the_newest(tmp_path: Path) -> None:
    await made(tmp_path)
    now = timestamps.now()
    real = backup.take(tmp_path, tmp_path / "backups", kind="easel", now=now)
    future = backup.take(tmp_path, tmp_path / "backups", kind="daily", now=now + timedelta(days=999))
    _, newest, warning = look(tmp_path)
    assert str(real.folder) in newest.what
    assert warning.level is Level.NOTE
    assert str(future.folder) in warning.what
