"""Picture files that no row tells of: what is moved aside, what is never touched, and when it goes."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from storage.files import quarantine
from storage.files.job_ids import new_id
from storage.files.quarantine import MOST, Swept
from storage.jobs import images

JOB, STRAY = "k7m2p9qrst4vwx", "a2m2p9qrst4vwx"
FILES = {"1.png": b"first", "grid.jpg": b"both"}
TODAY = date(2026, 3, 1)


def everything(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir()}


def test_files_that_no_row_tells_of_are_moved_aside(tmp_path: Path) -> None:
    assert quarantine.sweep(tmp_path, set(), today=TODAY) == Swept()
    for job_id in (JOB, STRAY):
        images.write(tmp_path, job_id, FILES)
    (images.path(tmp_path, STRAY, 1).parent / ".1.png.x.part").write_bytes(b"torn")
    assert quarantine.sweep(tmp_path, {JOB}, today=TODAY) == Swept(moved=(STRAY,))
    home = f"quarantine/2026-03-01/{STRAY}"
    assert everything(tmp_path) == {
        f"images/k7/{JOB}/1.png",
        f"images/k7/{JOB}/grid.jpg",
        *(f"{home}/{name}" for name in ("1.png", "grid.jpg", ".1.png.x.part")),
    }


def holiday(folder: Path) -> Path:
    return folder / "images" / "holiday" / "2024"


def old_id(folder: Path) -> Path:
    return folder / "images" / "st" / "strayjob"


def other_shelf(folder: Path) -> Path:
    return folder / "images" / "xx" / STRAY


def letters_we_never_use(folder: Path) -> Path:
    return folder / "images" / "a0" / "a0m2p9qrst4vwx"


@pytest.mark.parametrize("where", [holiday, old_id, other_shelf, letters_we_never_use])
def test_folders_that_are_not_named_as_ours_are_never_touched(tmp_path: Path, where: Callable[[Path], Path]) -> None:
    home = where(tmp_path)
    home.mkdir(parents=True)
    (home / "1.png").write_bytes(b"somebody's")
    assert quarantine.sweep(tmp_path, set(), today=TODAY) == Swept()
    assert (home / "1.png").read_bytes() == b"somebody's"


@pytest.mark.parametrize("name", ["p.jpg", "notes.txt", ".DS_Store", "0.png", "100.png", "1.png.txt"])
def test_a_folder_with_anything_else_in_it_is_never_touched(tmp_path: Path, name: str) -> None:
    images.write(tmp_path, STRAY, FILES)
    (images.path(tmp_path, STRAY, 1).parent / name).write_bytes(b"somebody's")
    before = everything(tmp_path)
    assert quarantine.sweep(tmp_path, set(), today=TODAY) == Swept()
    assert everything(tmp_path) == before


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_links_are_never_followed(tmp_path: Path, depth: int) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    images.write(elsewhere, STRAY, FILES)
    steps = ("images", STRAY[:2], STRAY, "1.png")[:depth]
    link, target = data.joinpath(*steps), elsewhere.joinpath(*steps)
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    before = everything(elsewhere)
    assert quarantine.sweep(data, set(), today=TODAY) == Swept()
    assert everything(elsewhere) == before
    assert link.is_symlink()


def test_stray_files_where_folders_are_expected_stop_nothing(tmp_path: Path) -> None:
    images.write(tmp_path, STRAY, FILES)
    for place in ("images", "images/a2", "quarantine"):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / ".DS_Store").write_bytes(b"")
    assert quarantine.sweep(tmp_path, set(), today=TODAY) == Swept(moved=(STRAY,))
    assert quarantine.forget(tmp_path, before=date(2027, 1, 1)) == 1
    assert everything(tmp_path) == {f"{place}/.DS_Store" for place in ("images", "images/a2", "quarantine")}


def test_more_than_a_few_are_left_where_they_are(tmp_path: Path) -> None:
    source = random.Random(1)
    ids = sorted(new_id(source) for _ in range(MOST + 1))
    for job_id in ids:
        images.write(tmp_path, job_id, FILES)
    before = everything(tmp_path)
    assert quarantine.sweep(tmp_path, set(), today=TODAY) == Swept(left=tuple(ids))
    assert everything(tmp_path) == before
    assert quarantine.sweep(tmp_path, ids[:1], today=TODAY) == Swept(moved=tuple(ids[1:]))


def test_what_is_in_quarantine_goes_after_its_days_and_nothing_else_with_it(tmp_path: Path) -> None:
    for job_id, day in ((JOB, date(2026, 3, 1)), (STRAY, date(2026, 3, 2))):
        images.write(tmp_path, job_id, FILES)
        quarantine.sweep(tmp_path, set(), today=day)
    held = tmp_path / "quarantine"
    for name in ("mine", "2026-02-30", "2025-01-01"):
        (held / name).mkdir()
        (held / name / "letter.txt").write_bytes(b"somebody's")
    assert quarantine.waiting(tmp_path) == 2
    assert quarantine.forget(tmp_path, before=date(2026, 3, 2)) == 1
    assert everything(held) == {
        f"2026-03-02/{STRAY}/1.png",
        f"2026-03-02/{STRAY}/grid.jpg",
        *(f"{name}/letter.txt" for name in ("mine", "2026-02-30", "2025-01-01")),
    }


def test_removing_a_job_removes_it_from_quarantine_too(tmp_path: Path) -> None:
    images.write(tmp_path, STRAY, FILES)
    quarantine.sweep(tmp_path, set(), today=TODAY)
    images.write(tmp_path, STRAY, FILES)
    images.remove(tmp_path, STRAY)
    assert everything(tmp_path) == set()


def test_the_same_job_twice_on_one_day_stays_where_it_is(tmp_path: Path) -> None:
    for expected in (Swept(moved=(STRAY,)), Swept(left=(STRAY,))):
        images.write(tmp_path, STRAY, FILES)
        assert quarantine.sweep(tmp_path, set(), today=TODAY) == expected
    assert quarantine.sweep(tmp_path, set(), today=date(2026, 3, 2)) == Swept(moved=(STRAY,))
