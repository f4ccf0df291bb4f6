"""Pictures: files that are there whole or not at all, and their rows."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from storage.database import Transaction
from storage.jobs import images
from storage.jobs.images import Finding, Image, ImageGone, WrittenFile
from tests.storage.samples import queue

JOB = "k7m2p9qrst4vwx"
FILES = {"1.png": b"first", "2.png": b"second", "grid.jpg": b"both"}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_files_lie_where_they_are_looked_for(tmp_path: Path) -> None:
    written = images.write(tmp_path, JOB, FILES)
    assert everything(tmp_path) == {f"images/k7/{JOB}/{name}": data for name, data in FILES.items()}
    assert [images.read(tmp_path, JOB, index) for index in (0, 1, 2)] == [b"both", b"first", b"second"]
    assert images.path(tmp_path, JOB, 2) == tmp_path / "images" / "k7" / JOB / "2.png"
    assert written["2.png"] == WrittenFile(
        path=images.path(tmp_path, JOB, 2), sha256=hashlib.sha256(b"second").hexdigest(), bytes=6
    )


def test_a_second_attempt_replaces_the_first(tmp_path: Path) -> None:
    images.write(tmp_path, JOB, FILES)
    images.write(tmp_path, JOB, {"1.png": b"again"})
    assert images.read(tmp_path, JOB, 1) == b"again"
    assert images.read(tmp_path, JOB, 2) == b"second"


def test_a_failed_write_leaves_whole_files_and_no_scraps(tmp_path: Path) -> None:
    images.write(tmp_path, JOB, FILES)
    images.path(tmp_path, JOB, 3).mkdir()
    with pytest.raises(OSError, match=r"3\.png"):
        images.write(tmp_path, JOB, {"3.png": b"never", "1.png": b"later"})
    left = everything(tmp_path)
    assert left.pop(f"images/k7/{JOB}/1.png") in (b"first", b"later")
    assert left == {f"images/k7/{JOB}/{name}": data for name, data in FILES.items() if name != "1.png"}


def test_scraps_of_an_attempt_that_a_crash_ended_are_swept(tmp_path: Path) -> None:
    images.write(tmp_path, JOB, FILES)
    (images.path(tmp_path, JOB, 1).parent / ".1.png.x.part").write_bytes(b"torn")
    images.write(tmp_path, JOB, FILES)
    assert everything(tmp_path) == {f"images/k7/{JOB}/{name}": data for name, data in FILES.items()}


def test_removing_touches_no_file_that_is_not_ours(tmp_path: Path) -> None:
    images.write(tmp_path, JOB, FILES)
    home = images.path(tmp_path, JOB, 1).parent
    (home / "notes.txt").write_bytes(b"somebody's")
    (home / ".notes.part").write_bytes(b"somebody's, too")
    images.write(tmp_path, JOB, FILES)
    images.remove(tmp_path, JOB)
    assert everything(tmp_path) == {
        f"images/k7/{JOB}/notes.txt": b"somebody's",
        f"images/k7/{JOB}/.notes.part": b"somebody's, too",
    }


def test_what_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(ImageGone, match="picture 1"):
        images.read(tmp_path, JOB, 1)
    images.write(tmp_path, JOB, FILES)
    images.remove(tmp_path, JOB)
    images.remove(tmp_path, JOB)
    with pytest.raises(ImageGone):
        images.read(tmp_path, JOB, 0)
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("job_id", ["", "..", "../up", "a/b", "a\\b", "/etc", "C:x", "a.b", "x\0y", "K7M2P9"])
def test_no_job_id_leads_out_of_the_folder(tmp_path: Path, job_id: str) -> None:
    for step in (
        lambda: images.path(tmp_path, job_id, 1),
        lambda: images.write(tmp_path, job_id, FILES),
        lambda: images.read(tmp_path, job_id, 1),
        lambda: images.remove(tmp_path, job_id),
    ):
        with pytest.raises(ValueError, match="not a job id"):
            step()


@pytest.mark.parametrize("name", ["", "0.png", "100.png", "1.jpg", "../1.png", "grid.jpg/x", "1.png\n", ".part"])
def test_no_other_file_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        images.write(tmp_path, JOB, {"1.png": b"", name: b""})
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("index", [-1, 100])
def test_no_other_index_is_looked_for(tmp_path: Path, index: int) -> None:
    with pytest.raises(ValueError, match="not the name"):
        images.path(tmp_path, JOB, index)


def picture(job_id: str, index: int, *, seed: int | None = 7) -> Image:
    return Image(
        job_id=job_id,
        index=index,
        sha256="0" * 64,
        bytes=5,
        width=64,
        height=96,
        seed=seed,
        content_type="image/png",
    )


async def test_what_moderators_decide_holds_for_the_withheld_pictures_of_a_job_alone(tx: Transaction) -> None:
    job, other = await queue(tx), await queue(tx)
    withheld = [replace(picture(one.id, 2), finding=Finding.WITHHELD) for one in (job, other)]
    await images.record(tx, [picture(job.id, 1), *withheld])
    assert await images.awaiting(tx, Finding.WITHHELD) == sorted([(job.id, 2), (other.id, 2)])
    await images.judge(tx, job.id, Finding.REFUSED)
    assert [one.finding for one in await images.of_job(tx, job.id)] == [Finding.SAFE, Finding.REFUSED]
    assert await images.awaiting(tx, Finding.WITHHELD) == [(other.id, 2)]
    assert await images.awaiting(tx, Finding.REFUSED) == [(job.id, 2)]
    await images.mark_removed(tx, job.id)
    assert await images.awaiting(tx, Finding.REFUSED) == []


async def test_rows_are_kept_in_place_of_an_earlier_attempts(tx: Transaction) -> None:
    job, other = await queue(tx), await queue(tx)
    await images.record(tx, [picture(job.id, index) for index in (1, 2, 3)])
    await images.record(tx, [picture(other.id, 1)])
    again = [picture(job.id, 2, seed=2**32 - 1), picture(job.id, 0, seed=None)]
    await images.record(tx, again)
    assert await images.of_job(tx, job.id) == [again[1], again[0]]
    await images.delete(tx, job.id)
    assert await images.of_job(tx, job.id) == []
    assert await images.of_job(tx, other.id) == [picture(other.id, 1)]
