"""Owns comparing picture files with their rows: each is there as it was written, and files without rows are named."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.backups.backup import Picture, Progress, pictures
from storage.backups.restoring import fault
from storage.files import snapshots
from storage.files.manifest import DATABASE, File
from storage.jobs import ownership

_MARK = f"images/{ownership.FILE}"
"""By which a database knows its pictures; no picture itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """How many pictures were looked at, what is wrong with some, and files that belong to none."""

    looked_at: int
    faults: Sequence[str]
    strangers: Sequence[str]


def check(folder: Path, *, absent: Collection[str] = (), read: bool = True, progress: Progress) -> Pictures:
    """Compare the pictures of a data folder or a backup. `absent` are those that a backup says it lacks.

    With `read`, each file's hash is compared, not only its size. Blocks. Raises sqlite3.Error and OSError.
    """
    wanted = {path: picture for path, picture in _rows(folder).items() if path not in absent}
    faults: dict[str, str] = {}
    for done, (path, picture) in enumerate(wanted.items()):
        progress("Pictures", done, len(wanted))
        if why := _fault(folder, path, picture, read=read):
            faults[path] = why
    strangers = [path for path in _files(folder) if path not in wanted and path != _MARK]
    if faults or strangers:  # a running bot may have written or deleted them meanwhile
        now = _rows(folder)
        faults = {path: why for path, why in faults.items() if now.get(path) == wanted[path]}
        drawn = _being_drawn(folder)
        strangers = [path for path in strangers if path not in now and Path(path).parent.name not in drawn]
        strangers = [path for path in strangers if (folder / path).exists()]
    return Pictures(looked_at=len(wanted), faults=list(faults.values()), strangers=strangers)


def _rows(folder: Path) -> Mapping[str, Picture]:
    with snapshots.reading(folder / DATABASE) as connection:
        return {picture.label: picture for picture in pictures(connection)}


def _being_drawn(folder: Path) -> set[str]:
    with snapshots.reading(folder / DATABASE) as connection:
        return {row["id"] for row in connection.execute("SELECT id FROM jobs WHERE state = 'running'")}


def _fault(folder: Path, path: str, picture: Picture, *, read: bool) -> str:
    if not picture.possible:
        return f"a row names what can't be a picture's file: {path}"
    if read:
        return fault(folder, File(path=path, sha256=picture.sha256, bytes=picture.bytes))
    with suppress(OSError):
        found = (folder / path).stat().st_size
        return "" if found == picture.bytes else f"{path} has {found} bytes instead of {picture.bytes}"
    return f"{path} is missing"


def _files(folder: Path) -> Iterator[str]:
    """Every file below `images/`, by its path from the folder."""
    for parent, _, names in os.walk(folder / "images"):
        for name in sorted(names):
            yield Path(parent, name).relative_to(folder).as_posix()
