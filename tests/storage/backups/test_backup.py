"""Backups: what they hold, what is known of them when they stop half-way, and what a restore leaves where."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.backups import backup, restoring
from storage.backups.backup import Backup
from storage.backups.verification import Report, verify
from storage.credits import account
from storage.credits.calendar import Rate
from storage.database import Database
from storage.errors import BackupFailed, BackupUnusable, DatabaseTooNew, DatabaseUnreadable, DataFolderBusy
from storage.files import manifest, private_files, snapshots
from storage.files.manifest import Why
from storage.jobs import images, lifecycle
from storage.jobs.images import Image
from storage.migrations import MIGRATIONS, migrate
from tests.storage.samples import ALICE, GUILD, NOON, run

ROOT = Path(__file__).parents[3]
LATER = NOON + timedelta(days=99)


async def draw(database: Database) -> str:
    """A job of Alice's with two pictures, paid for and delivered."""
    async with database.transaction() as tx:
        job = await run(tx, images=2, price=2)
        await account.reserve(tx, guild_id=GUILD, user_id=ALICE, job_id=job.id, price=2, allowance=Rate(1000), now=NOON)
    files = {"1.png": f"one {job.id}".encode(), "2.png": f"two {job.id}".encode()}
    written = images.write(database.folder, job.id, files)
    rows = [
        Image(
            job_id=job.id,
            index=number,
            sha256=written[f"{number}.png"].sha256,
            bytes=written[f"{number}.png"].bytes,
            width=8,
            height=8,
            seed=number,
            content_type="image/png",
        )
        for number in (1, 2)
    ]
    async with database.transaction() as tx:
        assert await lifecycle.finish(tx, job.id, job.attempt, seconds=1, now=NOON)
        await images.record(tx, rows)
        assert await lifecycle.deliver(tx, job.id, message_id=None, now=NOON)
        await account.settle(tx, job.id, now=NOON)
    return job.id


@pytest.fixture
async def drawn(tmp_path: Path) -> AsyncIterator[tuple[Path, list[str]]]:
    """A data folder that no bot has open, and the ids of its three jobs."""
    database = await Database.open(tmp_path / "data")
    made = [await draw(database) for _ in range(3)]
    await database.close()
    return tmp_path / "data", made


def take(data: Path, into: Path) -> Backup:
    return backup.take(data, into, kind="easel", now=NOON)


async def look(folder: Path) -> Report:
    return await verify(folder, now=NOON)


def job_ids(folder: Path) -> list[str]:
    with snapshots.reading(folder / "easel.db") as connection:
        return [row["id"] for row in connection.execute("SELECT id FROM jobs ORDER BY number")]


def shared(one: Path, other: Path, job_id: str) -> bool:
    """Whether a picture is one file in both folders."""
    return images.path(one, job_id, 1).samefile(images.path(other, job_id, 1))


def run_script(script: str, *paths: Path) -> int:
    """Run a script in a process of its own, and wait for its exit status."""
    return subprocess.run([sys.executable, "-c", script, *map(str, paths)], cwd=ROOT, check=False).returncode


# ----------------------------------------------------------------------------------------------------------- taking


async def test_a_backup_of_a_running_bot_holds_what_only_the_log_holds(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "data")
    try:
        made = [await draw(database) for _ in range(5)]
        taken = await asyncio.to_thread(take, tmp_path / "data", tmp_path / "backups")
        later = await draw(database)
    finally:
        await database.close()
    assert job_ids(taken.folder) == made
    assert later in job_ids(tmp_path / "data")
    report = await look(taken.folder)
    assert report.whole, report.broken
    assert "Pictures: 10, all as they were written" in report.well


async def test_backups_from_another_process_while_jobs_are_written_are_whole(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "data")
    script = (
        "import sys; from pathlib import Path; from storage import timestamps; from storage.backups import backup\n"
        + (
            "for _ in range(4): print(backup.take(Path(sys.argv[1]), Path(sys.argv[2]), kind='easel', now=timestamps.now()).folder)"
        )
    )
    try:
        await draw(database)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(tmp_path / "data"), str(tmp_path / "backups"),
            cwd=ROOT, stdout=subprocess.PIPE,
        )  # fmt: skip
        made = 1
        while child.returncode is None:
            await draw(database)
            made += 1
            await asyncio.sleep(0)
        out, _ = await child.communicate()
        assert child.returncode == 0
    finally:
        await database.close()
    folders = [Path(line) for line in out.decode().splitlines()]
    assert len(set(folders)) == 4
    counts = []
    for folder in folders:
        report = await look(folder)
        assert report.whole, report.broken
        counts.append(len(job_ids(folder)))
    assert counts == sorted(counts)
    assert len(job_ids(tmp_path / "data")) == made
    assert (await look(tmp_path / "data")).whole


async def test_pictures_are_shared_on_one_disk_and_not_lost_with_their_job(
    drawn: tuple[Path, list[str]], tmp_path: Path
) -> None:
    data, (first, *_) = drawn
    taken = take(data, tmp_path / "backups")
    assert shared(data, taken.folder, first)
    images.remove(data, first)
    assert (await look(taken.folder)).whole


async def test_a_disk_without_hard_links_gets_copies(
    drawn: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    data, (first, second, _) = drawn
    images.path(data, second, 1).write_bytes(b"ONE" + images.path(data, second, 1).read_bytes()[3:])
    monkeypatch.setattr(os, "link", refuse)
    taken = take(data, tmp_path / "backups")
    assert not shared(data, taken.folder, first)
    assert [(one.path, one.why) for one in taken.manifest.absent] == [
        (images.path(Path(), second, 1).as_posix(), Why.DAMAGED)
    ]
    assert (await look(taken.folder)).whole


async def test_a_picture_that_is_gone_already_is_named(drawn: tuple[Path, list[str]], tmp_path: Path) -> None:
    data, (first, *_) = drawn
    images.path(data, first, 2).unlink()
    taken = take(data, tmp_path / "backups")
    assert [one.why for one in taken.manifest.absent] == [Why.GONE]
    report = await look(taken.folder)
    assert report.whole, report.broken
    assert any("1 pictures were gone" in note for note in report.notes)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
async def test_backups_are_for_their_owner_alone(
    drawn: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    into = tmp_path / "new" / "backups"
    take(drawn[0], into)
    paths = [tmp_path / "new", into, *into.rglob("*")]
    assert {oct(path.stat().st_mode & 0o777) for path in paths if path.is_dir()} == {"0o700"}
    assert {oct(path.stat().st_mode & 0o777) for path in paths if path.is_file()} == {"0o600"}


def test_nothing_to_back_up_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="nothing to back up"):
        take(tmp_path / "data", tmp_path / "backups")
    assert list(tmp_path.iterdir()) == []


async def test_a_backup_that_fails_leaves_nothing(
    drawn: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest, "write", full)
    with pytest.raises(BackupFailed, match="No space left"):
        take(drawn[0], tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


ODD = {
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere"),
    "a link": lambda path: path.symlink_to(path.with_name("2.png")),
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
}


@pytest.mark.parametrize("odd", ODD)
async def test_one_odd_picture_does_not_end_the_backup(drawn: tuple[Path, list[str]], tmp_path: Path, odd: str) -> None:
    data, (first, *_) = drawn
    path = images.path(data, first, 1)
    path.unlink()
    ODD[odd](path)
    taken = take(data, tmp_path / "backups")
    assert [one.why for one in taken.manifest.absent] == [Why.DAMAGED]
    assert len(taken.manifest.pictures or ()) == 5
    report = await look(taken.folder)
    assert report.whole, report.broken


@pytest.mark.parametrize("failing", ["open", "read"])
async def test_a_picture_that_can_not_be_read_does_not_end_the_backup(
    drawn: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """As on a failing disk, or with another owner's file; a disk without hard links makes that known."""

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    data, (first, *_) = drawn
    bad = images.path(data, first, 1)
    real = Path.open

    class Failing(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    def opened(path: Path, *arguments: Any, **named: Any) -> Any:
        if path != bad:
            return real(path, *arguments, **named)
        if failing == "open":
            raise PermissionError(13, "Permission denied")
        return Failing()

    with monkeypatch.context() as broken:
        broken.setattr(os, "link", refuse)
        broken.setattr(Path, "open", opened)
        taken = take(data, tmp_path / "backups")
    assert [one.why for one in taken.manifest.absent] == [Why.DAMAGED]
    assert not images.path(taken.folder, first, 1).exists()


async def test_a_row_that_names_no_possible_picture_is_a_fault_and_ends_nothing(
    drawn: tuple[Path, list[str]], tmp_path: Path
) -> None:
    data, _ = drawn
    with closing(sqlite3.connect(data / "easel.db")) as connection, connection:
        connection.execute("UPDATE images SET job_id = '../etc' WHERE job_id = (SELECT min(job_id) FROM images)")
    report = await look(data)
    assert sum("can't be a picture's file" in fault and "../etc" in fault for fault in report.broken) == 2
    taken = take(data, tmp_path / "backups")
    assert [one.why for one in taken.manifest.absent] == [Why.DAMAGED] * 2
    assert len(taken.manifest.pictures or ()) == 4


# ------------------------------------------------------------------------------------------------- stopped half-way


@pytest.mark.parametrize("step", ["copy_database", "_copy_picture", "write"])
async def test_a_backup_that_is_killed_half_way_is_known_as_one(
    drawn: tuple[Path, list[str]], tmp_path: Path, step: str
) -> None:
    script = (
        "import os, sys; from pathlib import Path; from storage import timestamps; from storage.backups import backup; from storage.files import manifest, snapshots\n"
        f"owner = {{'copy_database': snapshots, '_copy_picture': backup, 'write': manifest}}['{step}']\n"
        f"real = getattr(owner, '{step}')\n"
        "calls = []\n"
        "def killed(*arguments):\n"
        "    calls.append(1)\n"
        f"    if len(calls) > ('{step}' == '_copy_picture'): os.kill(os.getpid(), 9)\n"
        "    return real(*arguments)\n"
        f"setattr(owner, '{step}', killed)\n"
        "backup.take(Path(sys.argv[1]), Path(sys.argv[2]), kind='daily', now=timestamps.now())\n"
    )
    into = tmp_path / "backups"
    assert run_script(script, drawn[0], into) == -9
    (half,) = into.iterdir()
    assert half.name.endswith(".partial")
    with pytest.raises(BackupUnusable, match="half-way"):
        restoring.restore(half, tmp_path / "other", now=NOON)
    assert "half-way" in (await look(half)).broken[0]
    renamed = half.rename(manifest.Path(str(half).removesuffix(".partial")))
    with pytest.raises(BackupUnusable, match="half-way"):
        restoring.restore(renamed, tmp_path / "other", now=NOON)
    assert "half-way" in (await look(renamed)).broken[0]
    assert snapshots.whole(into, "daily") == []


async def test_only_old_halves_are_cleared_away(drawn: tuple[Path, list[str]], tmp_path: Path) -> None:
    into = tmp_path / "backups"
    whole = take(drawn[0], into).folder
    begun, stopped, own = (into / name for name in (
        "daily-20260301T120000Z.partial", "daily-20260201T120000Z.partial", "letters.partial"
    ))  # fmt: skip
    for folder in (begun, stopped, own):
        folder.mkdir()
    old = (NOON - timedelta(days=2)).timestamp()
    os.utime(stopped, (old, old))
    os.utime(own, (old, old))
    os.utime(begun, (NOON.timestamp(), NOON.timestamp()))
    assert snapshots.drop_half_done(into, before=NOON - timedelta(days=1)) == [stopped]
    assert set(into.iterdir()) == {whole, begun, own}


def test_the_oldest_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    names = [manifest.folder_name("daily", NOON + timedelta(days=day)) for day in range(4)]
    others = [manifest.folder_name("easel", NOON), "daily-notes", "daily-20260101T000000Z"]
    for name in (*names, *others):
        (tmp_path / name).mkdir()
        if name != others[-1]:  # which has no manifest, so it is no backup
            (tmp_path / name / "manifest.json").write_text("{}")
    assert [path.name for path in snapshots.drop_oldest(tmp_path, "daily", keep=3, now=LATER)] == names[:1]
    assert {path.name for path in tmp_path.iterdir()} == {*names[1:], *others}


def a_backup(into: Path, kind: str, days: int) -> Path:
    """What counts as a whole backup, of so many days after noon."""
    made = into / manifest.folder_name(kind, NOON + timedelta(days=days))
    made.mkdir(parents=True)
    (made / "manifest.json").write_text("{}")
    return made


def test_backups_from_the_future_are_the_oldest(tmp_path: Path) -> None:
    future = [a_backup(tmp_path, "daily", 4000 + day) for day in range(3)]
    real = [a_backup(tmp_path, "daily", day) for day in (-2, -1, 0)]
    assert snapshots.drop_oldest(tmp_path, "daily", keep=3, now=NOON) == future
    assert sorted(tmp_path.iterdir()) == real


def test_the_one_just_taken_stays_whatever_the_clock_says(tmp_path: Path) -> None:
    before = [a_backup(tmp_path, "daily", day) for day in range(3)]
    new = a_backup(tmp_path, "daily", -4000)
    now = NOON - timedelta(days=4000)
    assert snapshots.drop_oldest(tmp_path, "daily", keep=3, now=now, spare=new) == before[:1]
    assert new.exists()


async def test_the_copy_from_before_this_migration_stays_whatever_the_clock_says(tmp_path: Path) -> None:
    data = tmp_path / "data"
    an_older_database(data)
    for day in range(1, 4):
        a_backup(data / "backups", "before-v9", day)
    await (await Database.open(data, now=NOON)).close()
    names = sorted(folder.name for folder in (data / "backups").iterdir())
    assert len(names) == 3
    assert manifest.folder_name(f"before-v{len(MIGRATIONS)}", NOON) in names


@pytest.mark.parametrize("what", ["whole", "half"])
def test_a_backup_that_was_moved_away_and_linked_stays_whole(tmp_path: Path, what: str) -> None:
    away = a_backup(tmp_path / "nas", "daily", -100)
    into = tmp_path / "backups"
    for day in (-1, 0):
        a_backup(into, "daily", day)
    link = into / (away.name + (".partial" if what == "half" else ""))
    link.symlink_to(away)
    os.utime(away, (0, 0))
    assert snapshots.drop_oldest(into, "daily", keep=2, now=NOON) == []
    assert snapshots.drop_before(into, "daily", NOON - timedelta(days=30)) == []
    assert snapshots.drop_half_done(into, before=NOON) == []
    assert link.is_symlink()
    assert (away / "manifest.json").exists()


def test_one_that_can_not_be_deleted_keeps_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, other, kept = (a_backup(tmp_path, "daily", day) for day in range(3))
    real = shutil.rmtree

    def rmtree(folder: Path) -> None:
        if folder == stuck:
            raise OSError(30, "Read-only file system")
        real(folder)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with pytest.raises(OSError, match="Read-only"):
        snapshots.drop_oldest(tmp_path, "daily", keep=1, now=LATER)
    assert not other.exists()
    assert kept.exists()


# -------------------------------------------------------------------------------------------------------- restoring


async def test_a_restore_brings_everything_back_and_moves_aside_what_was_there(
    drawn: tuple[Path, list[str]], tmp_path: Path
) -> None:
    data, made = drawn
    taken = take(data, data / "backups")
    database = await Database.open(data)
    later = await draw(database)
    await database.close()
    images.remove(data, made[0])

    done = restoring.restore(taken.folder, data, now=NOON)

    assert job_ids(data) == made
    assert (await look(data)).whole
    assert not images.path(data, later, 1).exists()
    assert done.aside is not None
    assert done.aside.parent == data
    assert job_ids(done.aside) == [*made, later]
    assert images.path(done.aside, later, 1).exists()
    assert (await look(taken.folder)).whole, "the backup is as it was"
    assert restoring.restore(taken.folder, data, now=NOON).aside != done.aside
    database = await Database.open(data)
    await draw(database)
    await database.close()
    assert (await look(taken.folder)).whole, "what the bot writes is not written into the backup"


async def test_a_restore_into_an_empty_folder(drawn: tuple[Path, list[str]], tmp_path: Path) -> None:
    taken = take(drawn[0], tmp_path / "backups")
    done = restoring.restore(taken.folder, tmp_path / "new", now=NOON)
    assert done.aside is None
    assert (await look(tmp_path / "new")).whole
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"easel.db", "easel.lock", "images"}


async def test_a_restore_refuses_while_a_bot_runs(drawn: tuple[Path, list[str]], tmp_path: Path) -> None:
    data, made = drawn
    taken = take(data, tmp_path / "backups")
    database = await Database.open(data)
    with pytest.raises(DataFolderBusy, match="already running"):
        restoring.restore(taken.folder, data, now=NOON)
    await database.close()
    assert job_ids(data) == made


@pytest.mark.parametrize("what", ["database", "picture", "missing", "manifest", "path"])
async def test_a_damaged_backup_is_refused_and_changes_nothing(
    drawn: tuple[Path, list[str]], tmp_path: Path, what: str
) -> None:
    data, made = drawn
    taken = take(data, tmp_path / "backups")
    database, picture = taken.folder / "easel.db", images.path(taken.folder, made[0], 1)
    text = taken.folder / "manifest.json"
    match what:
        case "database":
            database.write_bytes(database.read_bytes()[:-1] + b"x")
        case "picture":
            picture.unlink()
            picture.write_bytes(b"x" * taken.manifest.pictures[0].bytes)  # type: ignore[index]
        case "missing":
            picture.unlink()
        case "manifest":
            text.write_text(text.read_text()[:-20])
        case "path":
            text.write_text(text.read_text().replace(f"images/{made[0][:2]}/{made[0]}/1.png", "../../etc/passwd"))
    before = sorted(data.rglob("*"))
    with pytest.raises(BackupUnusable):
        restoring.restore(taken.folder, data, now=NOON)
    assert sorted(data.rglob("*")) == before
    assert not (await look(taken.folder)).whole


async def test_a_newer_easel_s_backup_is_refused(drawn: tuple[Path, list[str]], tmp_path: Path) -> None:
    taken = take(drawn[0], tmp_path / "backups")
    text = taken.folder / "manifest.json"
    content = json.loads(text.read_text())
    text.write_text(json.dumps({**content, "schema": len(MIGRATIONS) + 1}))
    with pytest.raises(DatabaseTooNew):
        restoring.restore(taken.folder, drawn[0], now=NOON)
    text.write_text(json.dumps({**content, "format": 2}))
    with pytest.raises(BackupUnusable, match="newer Easel"):
        restoring.restore(taken.folder, drawn[0], now=NOON)


def _steps(real: object, failing: int, error: BaseException) -> object:
    moved: list[None] = []

    def rename(source: Path, target: Path) -> Path:
        moved.append(None)
        if len(moved) == failing:
            raise error
        return real(source, target)  # type: ignore[operator, no-any-return]

    return rename


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
async def test_a_move_that_fails_is_taken_back(
    drawn: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    data, made = drawn
    taken = take(data, tmp_path / "backups")
    database = await Database.open(data)
    later = await draw(database)
    await database.close()
    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", _steps(Path.rename, failing, OSError(16, "Device or resource busy")))
        with pytest.raises(BackupFailed, match="nothing was changed"):
            restoring.restore(taken.folder, data, now=NOON)
    assert job_ids(data) == [*made, later]
    report = await look(data)
    assert report.whole, report.broken
    await (await Database.open(data)).close()


@pytest.mark.parametrize("killed_at", [1, 2, 3, 4])
async def test_a_restore_that_is_killed_lets_no_bot_start_and_is_done_again(
    drawn: tuple[Path, list[str]], tmp_path: Path, killed_at: int
) -> None:
    data, made = drawn
    taken = take(data, tmp_path / "backups")
    database = await Database.open(data)
    later = await draw(database)
    await database.close()
    script = (
        "import os, sys; from pathlib import Path; from storage import timestamps; from storage.backups import restoring\n"
        "real, moved = Path.rename, []\n"
        "def rename(source, target):\n"
        "    moved.append(1)\n"
        f"    if len(moved) == {killed_at}: os.kill(os.getpid(), 9)\n"
        "    return real(source, target)\n"
        "Path.rename = rename\n"
        "restoring.restore(Path(sys.argv[1]), Path(sys.argv[2]), now=timestamps.now())\n"
    )
    assert run_script(script, taken.folder, data) == -9
    with pytest.raises(DatabaseUnreadable, match="cut short"):
        await Database.open(data)
    assert "cut short" in (await look(data)).broken[0]

    restoring.restore(taken.folder, data, now=NOON)

    assert job_ids(data) == made
    assert (await look(data)).whole
    aside = [folder for folder in data.glob("replaced-*") if (folder / "easel.db").exists()]
    assert [*made, later] in [job_ids(folder) for folder in aside]
    assert any(images.path(folder, later, 1).exists() for folder in data.glob("replaced-*"))


KILLED_IN_A_MOVE = """
import os, sys; from pathlib import Path; from storage import timestamps; from storage.backups import restoring
real, moved = Path.rename, []
def rename(source, target):
    moved.append(1)
    if len(moved) == {killed_at}: os.kill(os.getpid(), 9)
    return real(source, target)
Path.rename = rename
restoring.restore(Path(sys.argv[1]), Path(sys.argv[2]), now=timestamps.now())
"""


@pytest.mark.parametrize("killed_at", [2, 3, 4, 5])
async def test_pictures_that_a_killed_restore_moved_aside_come_back_with_a_backup_of_the_database_only(
    tmp_path: Path, killed_at: int
) -> None:
    data = tmp_path / "data"
    an_older_database(data)
    database = await Database.open(data, now=NOON)
    early = await draw(database)
    await database.close()
    (of_the_database,) = (data / "backups").iterdir()
    whole = take(data, tmp_path / "backups")
    database = await Database.open(data)
    later = await draw(database)
    await database.close()
    # A log beside the database makes one more file to move.
    (data / "easel.db-journal").touch()
    assert run_script(KILLED_IN_A_MOVE.format(killed_at=killed_at), whole.folder, data) == -9

    restoring.restore(of_the_database, data, now=NOON)

    for job_id in (early, later):
        assert images.path(data, job_id, 1).exists()


async def test_a_stranger_s_folder_named_like_ours_stays(drawn: tuple[Path, list[str]], tmp_path: Path) -> None:
    data, _ = drawn
    taken = take(data, tmp_path / "backups")
    letter = data / "restoring" / "letter.txt"
    letter.parent.mkdir()
    letter.write_text("Dear Ada")
    assert not restoring.clear_away(data)
    restoring.restore(taken.folder, data, now=NOON)
    assert letter.read_text() == "Dear Ada"
    assert [path.name for path in data.glob("restoring*")] == ["restoring"]


@pytest.mark.parametrize("foreign", ["letter.txt", "images/letter.txt", "images/ab/abcd/letter.txt"])
async def test_ours_is_not_deleted_with_something_else_in_it(
    drawn: tuple[Path, list[str]], tmp_path: Path, foreign: str
) -> None:
    data, _ = drawn
    taken = take(data, tmp_path / "backups")
    assert run_script(KILLED_IN_A_MOVE.format(killed_at=1), taken.folder, data) == -9
    (data / "restore-unfinished").unlink()
    (left,) = data.glob("restoring*")
    (left / foreign).parent.mkdir(parents=True, exist_ok=True)
    (left / foreign).write_text("Dear Ada")
    assert not restoring.clear_away(data)
    (left / foreign).unlink()
    assert restoring.clear_away(data)
    assert not left.exists()


@pytest.mark.parametrize("broken", ["rmdir", "sync_folder"])
async def test_what_fails_after_the_last_move_is_not_called_unchanged(
    drawn: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    data, made = drawn
    taken = take(data, tmp_path / "backups")
    database = await Database.open(data)
    await draw(database)
    await database.close()
    moved: list[str] = []
    rename, sync_folder = Path.rename, private_files.sync_folder

    def remember(source: Path, target: Path) -> Path:
        moved.append(target.name)
        return rename(source, target)

    def fail(folder: Path) -> None:
        if "easel.db" in moved[2:]:
            raise OSError(5, "Input/output error")
        sync_folder(folder)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", remember)
        if broken == "rmdir":
            patched.setattr(Path, "rmdir", fail)
            restoring.restore(taken.folder, data, now=NOON)
        else:
            patched.setattr(private_files, "sync_folder", fail)
            with pytest.raises(BackupFailed, match="Everything was moved"):
                restoring.restore(taken.folder, data, now=NOON)
    assert job_ids(data) == made
    restoring.restore(taken.folder, data, now=NOON)
    await (await Database.open(data)).close()


# ------------------------------------------------------------------------------------------------ before a migration


def an_older_database(data: Path) -> None:
    data.mkdir(exist_ok=True)
    with closing(sqlite3.connect(data / "easel.db", isolation_level=None)) as old:
        migrate(old, MIGRATIONS[:-1])
        old.execute("INSERT INTO state VALUES ('a note', 'from before')")


async def test_a_migration_is_preceded_by_a_backup_of_the_database(tmp_path: Path) -> None:
    data = tmp_path / "data"
    an_older_database(data)
    await (await Database.open(data, now=NOON)).close()
    (kept,) = (data / "backups").iterdir()
    assert kept.name == f"before-v{len(MIGRATIONS)}-20260314T120000Z"
    assert manifest.read(kept).schema == len(MIGRATIONS) - 1
    report = await look(kept)
    assert report.whole, report.broken
    await (await Database.open(data)).close()
    assert list((data / "backups").iterdir()) == [kept], "there was nothing more to migrate"

    database = await Database.open(data)
    made = await draw(database)
    await database.close()
    restoring.restore(kept, data, now=NOON)
    with snapshots.reading(data / "easel.db") as connection:
        assert snapshots.schema(connection) == len(MIGRATIONS) - 1, "it is not migrated, so the older Easel can start"
    assert images.path(data, made, 1).exists(), "a backup of the database leaves the pictures where they are"


async def test_of_the_backups_before_migrations_three_are_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for day in range(5):
        (data / "easel.db").unlink(missing_ok=True)
        an_older_database(data)
        await (await Database.open(data, now=NOON + timedelta(days=day))).close()
    kept = sorted(folder.name[-16:-8] for folder in (data / "backups").iterdir())
    assert kept == ["20260316", "20260317", "20260318"]


async def test_a_new_database_is_not_backed_up(tmp_path: Path) -> None:
    await (await Database.open(tmp_path)).close()
    assert not (tmp_path / "backups").exists()


async def test_without_the_backup_nothing_is_migrated(tmp_path: Path) -> None:
    an_older_database(tmp_path)
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(DatabaseUnreadable, match="can't be backed up"):
        await Database.open(tmp_path)
    with snapshots.reading(tmp_path / "easel.db") as connection:
        assert snapshots.schema(connection) == len(MIGRATIONS) - 1
