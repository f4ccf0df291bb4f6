"""No start loses a picture that the database doesn't know: it is left where it lies, or put into quarantine."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.features.privacy import _retention as retention
from storage.jobs import images, ownership
from tests.bot.features.privacy.people import delete, jobs_of, pictures_in
from tests.world import World, world

STRAY = "a2m2p9qrst4vwx"
FILES = {"1.png": b"first", "grid.jpg": b"both"}


def in_quarantine(folder: Path) -> set[str]:
    return {home.name for home in folder.glob("quarantine/*/*")}


async def restart(easel: World) -> list[Any]:
    with capture_logs() as lines:
        await easel.restart()
    return [line for line in lines if line["log_level"] == "warning"]


async def test_what_a_crash_left_goes_into_quarantine_and_after_its_days_away(tmp_path: Path) -> None:
    async with world(tmp_path, keep_quarantine_days=2) as easel:
        await easel.imagine(easel.ben)
        images.write(tmp_path, STRAY, FILES)
        (line,) = await restart(easel)
        assert line["jobs"] == 1
        assert in_quarantine(tmp_path) == {STRAY}
        assert len(pictures_in(tmp_path / "images")) == 4
        easel.clock.move(days=2)
        await retention.prune(easel.services)
        assert in_quarantine(tmp_path) == {STRAY}
        easel.clock.move(days=1)
        await retention.prune(easel.services)
        assert in_quarantine(tmp_path) == set()


async def test_nothing_is_swept_after_the_database_was_moved_away(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
    kept = pictures_in(tmp_path)
    (tmp_path / "easel.db").replace(tmp_path / "moved.db")
    async with world(tmp_path) as easel:
        for _ in range(2):
            await easel.imagine(easel.cleo)
            (line,) = await restart(easel)
            assert "easel-mark" in line["advice"]
            await retention.prune(easel.services)
    assert set(kept) < set(pictures_in(tmp_path))
    assert in_quarantine(tmp_path) == set()


async def test_nothing_is_swept_after_an_older_database_was_put_back(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        with closing(sqlite3.connect(tmp_path / "easel.db")) as beside:
            beside.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
        await easel.restart()
        await easel.imagine(easel.ben, "newer")
    kept = pictures_in(tmp_path)
    (tmp_path / "backup.db").replace(tmp_path / "easel.db")
    async with world(tmp_path) as easel:
        (line,) = await restart(easel)
        assert "older database" in line["advice"]
        assert set(kept) <= set(pictures_in(tmp_path / "images"))
        ownership.mark_file(tmp_path).unlink()
        await restart(easel)
        assert len(in_quarantine(tmp_path)) == 1, "the host said that the database is the right one"
        assert await restart(easel) == []


async def test_a_folder_of_somebodys_own_keeps_every_file(tmp_path: Path) -> None:
    photo = tmp_path / "images" / "holiday" / "2024" / "p.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"a beach")
    images.write(tmp_path, STRAY, FILES)
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        await restart(easel)
    assert photo.read_bytes() == b"a beach"
    assert in_quarantine(tmp_path) == set()


async def test_an_installation_from_before_the_marks_gets_them_and_is_swept_from_then_on(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        async with easel.services.database.transaction() as tx:
            await tx.execute("DELETE FROM state WHERE key = 'mark of the pictures'")
        ownership.mark_file(tmp_path).unlink()
        images.write(tmp_path, STRAY, FILES)
        assert await restart(easel) == []
        assert in_quarantine(tmp_path) == set()
        assert len(await restart(easel)) == 1
        assert in_quarantine(tmp_path) == {STRAY}


@pytest.mark.parametrize("step", ["the file", "the database"])
async def test_a_crash_between_the_two_marks_is_no_mismatch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write, writes = ownership.write, 0

    def crash(folder: Path, *marks: str) -> None:
        nonlocal writes
        writes += 1
        if step == "the file" or writes == 1:
            write(folder, *marks)
        if writes == (1 if step == "the file" else 2):
            raise OSError("the power went")

    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        with monkeypatch.context() as broken:
            broken.setattr(ownership, "write", crash)
            with pytest.raises(OSError, match="power"):
                await ownership.renew(easel.services.database)
        assert await restart(easel) == []
        assert await ownership.bond(easel.services.database) is ownership.Bond.SAME


@pytest.mark.parametrize("place", ["images", "images/{}"])
async def test_a_stray_file_of_the_system_stops_no_start(tmp_path: Path, place: str) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        (job,) = await jobs_of(easel)
        (tmp_path / place.format(job.id[:2]) / ".DS_Store").write_bytes(b"")
        assert await restart(easel) == []
        assert len(easel.results()) == 1


async def test_who_deletes_their_data_has_nothing_left_in_quarantine(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.cleo)
        await easel.imagine(easel.ben)
        (job,) = await jobs_of(easel)
        async with easel.services.database.transaction() as tx:
            await images.delete(tx, job.id)
        await restart(easel)
        assert in_quarantine(tmp_path) == {job.id}
        await delete(easel, easel.ben)
        assert in_quarantine(tmp_path) == set()
