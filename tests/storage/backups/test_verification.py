"""`verify` finds what is wrong, calls whole what is whole, and changes nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.backups import backup
from storage.backups.verification import Report, verify
from storage.credits import account, grants
from storage.credits.calendar import Rate
from storage.database import Database
from storage.files import erasure_list
from storage.guilds.changes import Subject
from storage.jobs import images, lifecycle
from storage.jobs.images import Image
from storage.migrations import MIGRATIONS, migrate
from tests.storage.samples import ADMIN, ALICE, GUILD, NOON, queue, run

ROOT = Path(__file__).parents[3]
UNLOCK = "DROP TRIGGER ledger_never_changes; DROP TRIGGER ledger_never_forgets;"
AS_NOBODY = """
import asyncio, os, sys
from pathlib import Path
from storage import timestamps
from storage.backups.verification import verify
os.setgroups([]); os.setgid(65534); os.setuid(65534)
report = asyncio.run(verify(Path(sys.argv[1]), now=timestamps.now()))
print(*report.broken or report.well[1:2])
"""


async def look(folder: Path, *, read: bool = True) -> Report:
    return await verify(folder, now=NOON, read_pictures=read)


def files(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


def as_nobody(folder: Path) -> str:
    """What `verify` says of a folder to a user who may only read it."""
    child = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return child.stdout.strip()


@pytest.fixture
async def data(tmp_path: Path) -> AsyncIterator[Path]:
    """A delivered job with a picture, a cancelled and a waiting one, paid from all three pools; nobody has it open."""
    who = {"guild_id": GUILD, "user_id": ALICE}
    of_alice = {"guild_id": GUILD, "subject": Subject(kind="user", id=ALICE)}
    database = await Database.open(tmp_path / "data")
    async with database.transaction() as tx:
        await grants.give(tx, **of_alice, credits=3, actor_id=ADMIN, reason="", now=NOON, ends_at=NOON.replace(month=6))
        await grants.give(tx, **of_alice, credits=50, actor_id=ADMIN, reason="", now=NOON)
        job = await run(tx, images=1, price=6)
        for one in (job, cancelled := await queue(tx, price=4), await queue(tx, price=5)):
            await account.reserve(tx, **who, job_id=one.id, price=one.price, allowance=Rate(4), now=NOON)
        written = images.write(database.folder, job.id, {"1.png": b"a picture"})["1.png"]
        row = Image(
            job_id=job.id, index=1, sha256=written.sha256, bytes=written.bytes, width=8, height=8, seed=1,
            content_type="image/png",
        )  # fmt: skip
        await lifecycle.finish(tx, job.id, job.attempt, seconds=1, now=NOON)
        await images.record(tx, [row])
        await lifecycle.deliver(tx, job.id, message_id=None, now=NOON)
        await account.settle(tx, job.id, now=NOON)
        await lifecycle.cancel(tx, cancelled.id, by=ALICE, now=NOON)
        await account.refund(tx, cancelled.id, now=NOON)
    await database.close()
    return tmp_path / "data"


async def test_what_is_whole_is_called_whole_and_left_as_it_is(data: Path) -> None:
    before = {path: path.read_bytes() for path in files(data) if path.is_file()}
    report = await look(data)
    assert report.whole, report.broken
    assert report.notes == []
    assert report.well == [
        f"Database: sound, of version {len(MIGRATIONS)}",
        "Credits: 7 lines of 1 accounts add up",
        "Pictures: 1, all as they were written",
    ]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM ledger WHERE kind = 'settle'", "is delivered, and its credits are still set aside"),
        ("DELETE FROM ledger WHERE kind = 'refund'", "is cancelled, and was not paid back"),
        ("DELETE FROM ledger WHERE kind = 'reserve' AND spent = 5", "is queued and was never charged"),
        ("UPDATE jobs SET price = 9 WHERE state = 'queued'", "costs 9 and was charged 5"),
        ("UPDATE jobs SET state = 'queued' WHERE state = 'delivered'", "spent or given back already"),
        ("UPDATE ledger SET bonus = 9, spent = -9 WHERE kind = 'refund'", "got more credits back than it had cost"),
        (
            "DROP INDEX ledger_one_reserve; INSERT INTO ledger (guild_id, user_id, job_id, kind, day, host_day, at)"
            " SELECT guild_id, user_id, id, 'reserve', 1, 1, 1 FROM jobs WHERE state = 'delivered'",
            "was charged 2 times",
        ),
        ("UPDATE ledger SET boost = 1 WHERE boost = 3", "boost 1 of 1 credits has -1 left"),
        ("DELETE FROM ledger WHERE kind = 'grant' AND bonus = 50", "bonus credits"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM jobs WHERE state = 'delivered'", "a row of images belongs to none of jobs"),
        ("UPDATE images SET bytes = 8", "/1.png has 9 bytes instead of 8"),
        (f"UPDATE images SET sha256 = '{'0' * 64}'", "/1.png is not what was written"),
    ],
)  # fmt: skip
async def test_each_fault_of_the_database_is_found(data: Path, damage: str, words: str) -> None:
    with closing(sqlite3.connect(data / "easel.db", isolation_level=None)) as connection:
        connection.executescript(UNLOCK + damage)
    report = await look(data)
    assert any(words in fault for fault in report.broken), report.broken


async def test_a_balance_that_says_otherwise_than_the_lines_is_found(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "USED", account.USED.replace("AND NOT", "AND allowance < -99 AND NOT"))
    report = await look(data)
    assert report.broken == [
        f"Credits: member {ALICE} of server {GUILD} has 0 credits used this month, and the ledger adds up to 4"
    ]


async def test_each_fault_of_the_files_is_found(data: Path) -> None:
    (picture,) = (path for path in files(data) if path.name == "1.png")
    stranger = data / "images" / "ab" / "abcdefgh" / "3.png"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"of nobody")
    (data / "images" / "easel-mark").write_text("by which a database knows its pictures")
    report = await look(data)
    assert report.whole
    assert report.notes == ["Pictures: 1 files belong to no job: images/ab/abcdefgh/3.png"]
    assert stranger.exists()

    picture.write_bytes(b"A picture")
    assert "is not what was written" in (await look(data)).broken[0]
    assert (await look(data, read=False)).whole, "only sizes are compared"
    picture.write_bytes(b"half")
    assert "4 bytes instead of 9" in (await look(data, read=False)).broken[0]
    picture.unlink()
    for read in (True, False):
        assert "is missing" in (await look(data, read=read)).broken[0]


async def test_a_malformed_database_is_found(data: Path) -> None:
    content = bytearray((data / "easel.db").read_bytes())
    content[4096 * 10 : 4096 * 30] = b"\xff" * 4096 * 20
    (data / "easel.db").write_bytes(content)
    assert not (await look(data)).whole
    (data / "easel.db").write_bytes(b"no database" * 1000)
    assert not (await look(data)).whole
    (data / "easel.db").unlink()
    assert "There is no easel.db" in (await look(data)).broken[0]


async def test_while_a_bot_runs_nothing_is_migrated_or_changed(data: Path) -> None:
    database = await Database.open(data)
    async with database.transaction() as tx:
        await grants.give(
            tx,
            guild_id=GUILD,
            subject=Subject(kind="user", id=ALICE),
            credits=1,
            actor_id=1,
            reason="",
            now=NOON,
        )
    report = await look(data)
    assert report.whole
    assert "Credits: 8 lines of 1 accounts add up" in report.well
    await database.close()


async def test_an_older_database_is_looked_at_as_it_is(tmp_path: Path) -> None:
    for version in (1, 5, len(MIGRATIONS) - 1):
        folder = tmp_path / str(version)
        folder.mkdir()
        with closing(sqlite3.connect(folder / "easel.db", isolation_level=None)) as old:
            migrate(old, MIGRATIONS[:version])
        before = (folder / "easel.db").read_bytes()
        report = await look(folder)
        assert report.whole, report.broken
        assert f"migrates it from version {version} to {len(MIGRATIONS)}" in report.notes[0]
        assert (folder / "easel.db").read_bytes() == before
    with closing(sqlite3.connect(tmp_path / "1" / "easel.db")) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    assert "newer Easel" in (await look(tmp_path / "1")).broken[0]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("logged", [False, True])
async def test_a_copy_that_can_not_be_written_to_is_read(data: Path, logged: bool) -> None:
    """As on a read-only disk, with and without a log that a killed bot left."""
    database = await Database.open(data)
    async with database.transaction() as tx:
        await grants.give(
            tx,
            guild_id=GUILD,
            subject=Subject(kind="user", id=ALICE),
            credits=1,
            actor_id=1,
            reason="",
            now=NOON,
        )
    if not logged:
        await database.close()
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder, "copy")
        shutil.copytree(data, copied, ignore=shutil.ignore_patterns("*-shm"))
        if logged:
            await database.close()
        for path in (Path(folder), copied, *files(copied)):
            path.chmod(0o555 if path.is_dir() else 0o444)
        assert as_nobody(copied) == "Credits: 8 lines of 1 accounts add up"
        assert not [path for path in files(copied) if path.name.endswith("-shm")]


async def test_what_differs_from_the_manifest_is_found(data: Path, tmp_path: Path) -> None:
    taken = backup.take(data, tmp_path / "backups", kind="easel", now=NOON)
    report = await look(taken.folder)
    assert report.whole, report.broken
    assert report.well[0].startswith("Backup of 2026-03-14 12:00:00 UTC by Easel")
    with closing(sqlite3.connect(taken.folder / "easel.db")) as changed:
        changed.execute("INSERT INTO state VALUES ('changed', 'since')")
        changed.commit()
    assert any(fault.startswith("easel.db") for fault in (await look(taken.folder)).broken)


async def test_a_damaged_list_of_erasures_is_a_fault_and_hides_no_other(data: Path) -> None:
    erasure_list.note(data, ALICE, now=NOON)
    assert (await look(data)).whole
    with (data / "erasures.jsonl").open("ab") as file:
        file.write(b"garbage\n")
    report = await look(data)
    (fault,) = report.broken
    assert "erasures.jsonl is damaged in line 3" in fault
    assert any("add up" in line for line in report.well)
