"""Owns picture files that no row tells of: what is taken for ours, where it waits, and when it goes.

An absent row is no proof of rubbish: an older database may have been put back, or another folder named. So a job's
folder is moved only if it is named like a job that we made and holds nothing but our files, and never through a link.
It then lies in `<data>/quarantine/<date>/<job id>/` until the days are over that the host set.

Whether database and folder belong together at all, `ownership` says. Everything here blocks: use a thread.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from storage.files import private_files
from storage.files.job_ids import is_new_id
from storage.files.picture_files import drop, folders_in, holds_only_ours, remove_all

MOST = 20
"""How many folders are moved at one start. A crash leaves one for each job that was being written: more than that mean
that something else happened, such as an older database put back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did: the ids of the jobs whose files were moved, and of those it would not or could not move."""

    moved: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def sweep(folder: Path, kept: Collection[str], *, today: date) -> Swept:
    """Move the files of all jobs but the `kept` into quarantine; none if there are more than `MOST` such jobs.

    Only for the start, when nothing is being written.
    """
    strays = [home for home in _homes(folder) if home.name not in kept and holds_only_ours(home)]
    full = [home for home in strays if not drop(home)]
    if len(full) > MOST:
        return Swept(left=tuple(home.name for home in full))
    day = folder / "quarantine" / today.isoformat()
    moved = tuple(home.name for home in full if _move(home, day))
    return Swept(moved=moved, left=tuple(home.name for home in full if home.name not in moved))


def job_folders(folder: Path) -> set[str]:
    """The ids of all jobs that have a folder with pictures."""
    return {home.name for home in _homes(folder)}


def remove(folder: Path, job_id: str) -> None:
    """Remove what is in quarantine of a job, if anything is. Raises OSError."""
    for day in _days(folder):
        remove_all(day / job_id)
        drop(day)


def forget(folder: Path, *, before: date) -> int:
    """Remove what went into quarantine before a day; of how many jobs that was. Raises OSError."""
    count = 0
    for day in _days(folder):
        if date.fromisoformat(day.name) < before:
            homes = _jobs_in(day)
            for home in homes:
                remove_all(home)
            count += len(homes)
            drop(day)
    return count


def waiting(folder: Path) -> int:
    """Of how many jobs there are files in quarantine."""
    return sum(len(_jobs_in(day)) for day in _days(folder))


def _move(home: Path, day: Path) -> bool:
    """False if it can't be moved, or another of that name was moved on the same day."""
    try:
        private_files.make_folder(day)
        if (day / home.name).exists():
            return False
        home.rename(day / home.name)
    except OSError:
        return False
    return True


def _homes(folder: Path) -> Iterator[Path]:
    """The folders of jobs that we made."""
    pictures = folder / "images"
    if not pictures.is_symlink():
        for shelf in folders_in(pictures):
            yield from (home for home in _jobs_in(shelf) if home.name[:2] == shelf.name)


def _jobs_in(folder: Path) -> list[Path]:
    return [home for home in folders_in(folder) if is_new_id(home.name)]


def _days(folder: Path) -> list[Path]:
    held = folder / "quarantine"
    return [] if held.is_symlink() else [day for day in folders_in(held) if _is_date(day.name)]


def _is_date(name: str) -> bool:
    try:
        return re.fullmatch(r"\d{4}-\d\d-\d\d", name) is not None and bool(date.fromisoformat(name))
    except ValueError:
        return False
