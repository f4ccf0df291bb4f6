"""Backups of the whole bot: a restore brings nobody back, daily ones come and go, and a backup in mid-work is whole."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.settings.settings import PROJECT
from storage.backups import backup, restoring
from storage.backups.verification import verify
from storage.errors import BackupFailed
from storage.files import erasure_list, snapshots
from storage.files.manifest import Why
from storage.migrations import MIGRATIONS, migrate
from storage.privacy import clock_check
from tests.bot.features.privacy.people import SECRET, a_full_life, delete, pictures_in, traces
from tests.world import Clock, World, world


async def take(easel: World, into: Path) -> Path:
    taken = await asyncio.to_thread(backup.take, easel.services.database.folder, into, kind="easel", now=easel.clock())
    return taken.folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# ----------------------------------------------------------------------------------------- nobody is brought back


async def test_a_restore_brings_nobody_back(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", Clock()
    async with world(data, clock=clock) as easel:
        await a_full_life(easel)
        await easel.imagine(easel.cleo, "a boat of Cleo's")
        easel.generator.paused = True
        await easel.imagine(easel.ben, f"running, {SECRET}")
        await easel.imagine(easel.ben, f"waiting, {SECRET}")
        old = await take(easel, tmp_path / "backups")
        clock.move(hours=1)
        assert "nothing of you is left" in await delete(easel, easel.ben)
        ben, cleo = easel.ben.id, easel.cleo.id
        assert traces(data, ben, SECRET) == []
        clock.move(hours=1)
    assert traces(old, ben, SECRET), "the backup is from before"

    done = restoring.restore(old, data, now=clock())
    assert done.erased == 1
    async with world(data, clock=clock) as easel:
        await easel.rest()
        assert traces(data, ben, SECRET) == []
        assert traces(data, cleo, "a boat"), "who did not ask for it is still there"
        assert len(pictures_in(data / "images")) == 8
        assert all(SECRET not in message.content for message in easel.messages()), "nothing is posted for them"
        report = await verify(data, now=clock())
        assert report.whole, report.broken
    report = await verify(data, now=clock())
    assert report.whole, report.broken


async def test_who_came_back_before_the_backup_stays(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", Clock()
    async with world(data, clock=clock) as easel:
        await easel.imagine(easel.ben, "of his first life")
        await delete(easel, easel.ben)
        clock.move(hours=1)
        await easel.imagine(easel.ben, "of his second life")
        late = await take(easel, tmp_path / "backups")
        clock.move(hours=1)
        await delete(easel, easel.cleo)
    assert restoring.restore(late, data, now=clock()).erased == 0
    async with world(data, clock=clock):
        pass
    with snapshots.reading(data / "easel.db") as connection:
        assert [row[0] for row in connection.execute("SELECT prompt FROM jobs")] == ["of his second life"]


async def test_a_wish_that_was_not_carried_out_yet_outlives_a_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    data, clock = tmp_path / "data", Clock()
    async with world(data, clock=clock) as easel:
        await easel.imagine(easel.ben, SECRET)
        old = await take(easel, tmp_path / "backups")
        clock.move(hours=1)
        with monkeypatch.context() as broken:
            broken.setattr(erasure_list, "note", full)
            assert "disk of this bot's host is full" in await delete(easel, easel.ben)
        easel.forgive()
        ben = easel.ben.id
        assert traces(data, ben, SECRET), "nothing is deleted before the list of erasures has it"
    done = restoring.restore(old, data, now=clock())
    assert done.erased == 1
    assert done.aside is not None
    shutil.rmtree(done.aside)  # as the host does who needs it no more
    async with world(data, clock=clock) as easel:
        await easel.rest()
        assert traces(data, ben, SECRET) == []


async def test_people_of_a_backup_from_before_erasures_are_erased_too(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", Clock()
    data.mkdir()
    person = 800_000_000_000_000_001
    with closing(sqlite3.connect(data / "easel.db", isolation_level=None)) as old:
        migrate(old, MIGRATIONS[:4])
        old.execute("INSERT INTO users VALUES (?, 1, 1)", (person,))
    taken = backup.take(data, tmp_path / "backups", kind="easel", now=clock())
    clock.move(hours=1)
    erasure_list.note(data, person, now=clock())
    done = restoring.restore(taken.folder, data, now=clock())
    assert done.erased == 1
    assert done.aside is not None
    assert traces(data, person)
    shutil.rmtree(done.aside)
    async with world(data, clock=clock) as easel:
        await easel.rest()
        assert traces(data, person) == []


async def test_who_is_erased_where_nothing_is_kept_is_not_brought_back_either(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", Clock()
    async with world(data, clock=clock) as easel:
        empty = await take(easel, tmp_path / "backups")
        clock.move(hours=1)
        await easel.imagine(easel.ben, SECRET)
        full = await take(easel, tmp_path / "backups")
        ben = easel.ben.id
    shutil.rmtree(restoring.restore(empty, data, now=clock()).aside or data / "nothing")
    clock.move(hours=1)
    async with world(data, clock=clock) as easel:
        assert traces(data, ben, SECRET) == []
        assert "nothing of you is left" in await delete(easel, easel.ben)
    shutil.rmtree(restoring.restore(full, data, now=clock()).aside or data / "nothing")
    async with world(data, clock=clock) as easel:
        await easel.rest()
        assert traces(data, ben, SECRET) == []


async def test_who_was_erased_by_a_clock_that_was_behind_is_not_brought_back(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", Clock()
    async with world(data, clock=clock) as easel:
        await easel.imagine(easel.ben, SECRET)
        clock.move(days=4000)
        old = await take(easel, tmp_path / "backups")
        clock.move(days=-4000)
        await delete(easel, easel.ben)
        ben = easel.ben.id
    done = restoring.restore(old, data, now=clock())
    assert done.erased == 1
    shutil.rmtree(done.aside or data / "nothing")
    async with world(data, clock=clock) as easel:
        await easel.rest()
        assert traces(data, ben, SECRET) == []


# ----------------------------------------------------------------------------------------------- in the middle of work


async def test_a_backup_in_mid_work_restores_to_a_state_that_is_whole(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", Clock()
    async with world(data, clock=clock) as easel:
        for who in (easel.ben, easel.cleo, easel.ben):
            await easel.imagine(who)
        easel.generator.paused = True
        for who in (easel.ben, easel.cleo):
            await easel.imagine(who)
        taken = await take(easel, tmp_path / "backups")
        assert (await verify(data, now=clock())).whole, "while the bot runs"
    report = await verify(taken, now=clock())
    assert report.whole, report.broken
    restoring.restore(taken, data, now=clock())
    report = await verify(data, now=clock())
    assert report.whole, report.broken
    async with world(data, clock=clock) as easel:
        await easel.rest()
        with snapshots.reading(data / "easel.db") as connection:
            states = [row[0] for row in connection.execute("SELECT state FROM jobs")]
        assert states == ["delivered"] * 5, "what waited is drawn"


async def test_a_picture_that_is_deleted_while_the_backup_is_taken_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_database = backup._copy_database

    async with world(tmp_path / "data") as easel:
        await easel.imagine(easel.ben, SECRET)
        await easel.imagine(easel.cleo, "a boat")
        loop = asyncio.get_running_loop()

        def meanwhile(data: Path, partial: Path) -> object:
            found = copy_database(data, partial)
            asyncio.run_coroutine_threadsafe(delete(easel, easel.ben), loop).result(30)
            return found

        monkeypatch.setattr(backup, "_copy_database", meanwhile)
        taken = await asyncio.to_thread(
            backup.take, tmp_path / "data", tmp_path / "backups", kind="easel", now=easel.clock()
        )
    assert {one.why for one in taken.manifest.absent} == {Why.GONE}
    assert (len(taken.manifest.absent), len(taken.manifest.pictures or ())) == (5, 5)
    report = await verify(taken.folder, now=easel.clock())
    assert report.whole, report.broken


# --------------------------------------------------------------------------------------------------------- each day


async def test_a_backup_is_taken_each_day_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    async with world(tmp_path / "data", backup_daily=2, backup_folder=tmp_path / "daily") as easel:
        await easel.imagine(easel.ben)
        await easel.env.advance_time(601)
        assert names(tmp_path / "daily") == ["daily-20260301T120000Z"], "the first at once, and no other that day"
        await easel.restart()
        easel.clock.move(hours=23)
        await easel.env.advance_time(601)
        assert len(names(tmp_path / "daily")) == 1
        for _ in range(3):
            easel.clock.move(hours=25)
            await easel.env.advance_time(601)
        assert names(tmp_path / "daily") == ["daily-20260304T130000Z", "daily-20260305T140000Z"]
        assert (await verify(tmp_path / "daily" / "daily-20260305T140000Z", now=easel.clock())).whole


async def test_no_daily_backup_without_the_setting(tmp_path: Path) -> None:
    async with world(tmp_path / "data") as easel:
        easel.clock.move(days=3)
        await easel.env.advance_time(601)
        assert names(tmp_path / "data" / "backups") == []


async def test_a_clock_that_was_wrong_once_does_not_stop_the_backups(tmp_path: Path) -> None:
    async with world(tmp_path / "data", backup_daily=3) as easel:
        easel.clock.move(days=-400)
        await easel.env.advance_time(601)
        easel.clock.move(days=-2)
        await easel.env.advance_time(601)
        await easel.env.advance_time(601)
        assert len(names(tmp_path / "data" / "backups")) == 3


async def test_a_real_backup_is_not_dropped_for_those_of_a_wrong_clock(tmp_path: Path) -> None:
    into = tmp_path / "data" / "backups"
    for year in (2030, 2031):
        (into / f"daily-{year}0301T120000Z").mkdir(parents=True)
        (into / f"daily-{year}0301T120000Z" / "manifest.json").write_text("{}")
    async with world(tmp_path / "data", backup_daily=2) as easel:
        await easel.imagine(easel.ben)
        await easel.env.advance_time(1300)
        assert names(into) == ["daily-20260301T120000Z", "daily-20310301T120000Z"]


async def test_what_can_not_be_deleted_keeps_no_backup_from_being_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(snapshots, "drop_half_done", refuse)
    monkeypatch.setattr(restoring, "clear_away", refuse)
    monkeypatch.setattr(clock_check, "write", refuse)
    async with world(tmp_path / "data", backup_daily=2) as easel:
        await easel.env.advance_time(601)
        assert len(names(tmp_path / "data" / "backups")) == 1
        easel.forgive()


async def test_half_a_copy_from_before_a_migration_goes_wherever_daily_ones_lie(tmp_path: Path) -> None:
    half = tmp_path / "data" / "backups" / "before-v10-20260220T120000Z.partial"
    half.mkdir(parents=True)
    os.utime(half, (0, 0))
    async with world(tmp_path / "data", backup_folder=tmp_path / "daily") as easel:
        await easel.env.advance_time(601)
        assert not half.exists()


async def test_a_backup_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_one, tries = backup.take, []

    def full(*arguments: object, **named: object) -> object:
        tries.append(None)
        if len(tries) < 3:
            raise BackupFailed("The disk is full.")
        return take_one(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(backup, "take", full)
    async with world(tmp_path / "data", backup_daily=3) as easel:
        await easel.env.advance_time(1200)
        assert len(tries) == 1, "a full disk is not filled again at once"
        await easel.env.advance_time(10_000)
        assert len(tries) == 3
        assert len(names(tmp_path / "data" / "backups")) == 1


async def test_copies_from_before_migrations_are_not_kept_for_ever(tmp_path: Path) -> None:
    kept = tmp_path / "data" / "backups" / "before-v10-20260220T120000Z"
    kept.mkdir(parents=True)
    (kept / "manifest.json").write_text("{}")
    async with world(tmp_path / "data") as easel:
        await easel.env.advance_time(601)
        assert kept.exists()
        easel.live(days=30)
        await easel.env.advance_time(601)
        assert not kept.exists()


async def test_what_a_killed_restore_had_put_together_goes(tmp_path: Path) -> None:
    stage = tmp_path / "data" / "restoring"
    stage.mkdir(parents=True)
    (stage / "easel.db").write_text(SECRET)
    (stage / ".easel-restores-here").touch()
    async with world(tmp_path / "data") as easel:
        await easel.rest()
        assert not stage.exists()


# ------------------------------------------------------------------------------------------------------ by command


def bot(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        capture_output=True, text=True, check=False, cwd=PROJECT,
        env={"EASEL_DATA": str(data), "PATH": "", "EASEL_BACKUP_FOLDER": str(data.parent / "backups")},
    )  # fmt: skip


async def both(*commands: tuple[Path, *tuple[str, ...]]) -> list[subprocess.CompletedProcess[str]]:
    """Two commands at once: most of their time, they start."""
    return await asyncio.gather(*(asyncio.to_thread(bot, *command) for command in commands))


async def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    data = tmp_path / "data"
    nothing = bot(data, "backup")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert nothing.stderr.startswith("easel: There is nothing to back up")
    async with world(data, clock=Clock()) as easel:
        await easel.imagine(easel.ben)
        while_it_runs = await asyncio.to_thread(bot, data, "backup")
        assert while_it_runs.returncode == 0, while_it_runs.stderr
        told, folder = while_it_runs.stdout.splitlines()
        busy, looked_at = await both((data, "restore", folder), (data, "verify"))
        assert busy.returncode == 1
        assert "already running" in busy.stderr
        assert looked_at.returncode == 0, looked_at.stdout
    assert told.startswith("The database and 5 pictures (0.")
    assert Path(folder).parent == tmp_path / "backups"
    assert Path(bot(data, "backup", "--to", str(tmp_path / "nas")).stdout.splitlines()[-1]).parent == tmp_path / "nas"

    next(data.glob("images/*/*/1.png")).write_bytes(b"damaged")
    faulty, faulty_backup = await both((data, "verify"), (data, "verify", folder))
    assert faulty.returncode == 1
    assert "✗ Pictures: images/" in faulty.stdout
    assert "Not whole: 1 faults." in faulty.stdout
    assert faulty_backup.returncode == 1, "a hard link shares the damage of what it is linked to"

    copied = bot(data, "restore", str(tmp_path / "nothing"))
    assert copied.returncode == 1
    assert "Traceback" not in copied.stderr
    assert copied.stderr.count("\n") == 1


async def test_a_restore_by_command(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with world(data, clock=Clock()) as easel:
        await easel.imagine(easel.ben)
    folder = bot(data, "backup").stdout.splitlines()[-1]
    done = bot(data, "restore", folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith(f"What was there is in {data}")
    whole = bot(data, "verify", "--quick")
    assert whole.returncode == 0
    assert whole.stdout.splitlines()[-1] == "Whole."
