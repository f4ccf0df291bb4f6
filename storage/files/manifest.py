"""Owns what a backup says of itself: the manifest beside its files, and the names of backups.

A backup is a folder with `easel.db`, the pictures in `images/` as in a data folder, and `manifest.json`. It has
`.partial` behind its name until it is done. The manifest is written last: without one, the backup stopped half-way.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from storage.errors import BackupUnusable
from storage.files import picture_files, private_files
from storage.files.erasure_list import Position
from storage.files.job_ids import check_id

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "easel.db"
PARTIAL = ".partial"

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(easel|daily|before-v[0-9]+)-([0-9]{8}T[0-9]{6}Z)(-[0-9]+)?")


class Why(StrEnum):
    """Why a picture that the database names is not in a backup."""

    GONE = "gone"
    """Its file was not there any more: deleted meanwhile, or lost before."""
    DAMAGED = "damaged"
    """Its file was not as it had been written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a backup: its path with `/` from the backup's folder, its SHA-256 in hexadecimal, its size."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A picture that the database names and the backup lacks."""

    path: str
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds. `taken_at` is just before the database was read."""

    taken_at: datetime
    easel: str
    schema: int
    database: File
    #: None: the backup is of the database only.
    pictures: tuple[File, ...] | None
    absent: tuple[Absent, ...] = ()
    #: How far the list of erasures went before the database was read; None if that isn't known.
    erasures: Position | None = None


def folder_name(kind: str, moment: datetime) -> str:
    """The name of a backup of a kind: `easel` by command, `daily`, or `before-v11` before a migration."""
    return f"{kind}-{stamp(moment)}"


def stamp(moment: datetime) -> str:
    """A moment as names of folders carry it, in UTC."""
    return moment.astimezone(UTC).strftime(_STAMP)


def kind_of(folder: Path) -> str | None:
    """The kind that a folder's name says, half done or not; None for a name that no backup has."""
    found = _NAME.fullmatch(folder.name.removesuffix(PARTIAL))
    return None if found is None else found[1]


def moment_of(folder: Path) -> datetime | None:
    """When a backup was taken by its name, to the second; None for a name that no backup has."""
    found = _NAME.fullmatch(folder.name)
    try:
        return None if found is None else datetime.strptime(found[2], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def version() -> str:
    """Easel's version."""
    try:
        return importlib.metadata.version("easel")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def hash_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal. Raises OSError. Never for a database in use (see `snapshots`)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---------------------------------------------------------------------------------------------- reading and writing


def write(folder: Path, manifest: Manifest) -> None:
    """Put a backup's manifest on disk, whole or not at all. Raises OSError."""
    content = {"format": FORMAT, **asdict(manifest), "taken_at": manifest.taken_at.isoformat()}
    private_files.write(folder / MANIFEST, json.dumps(content, indent=1).encode())


def read(folder: Path) -> Manifest:
    """The manifest of a backup. Raises `BackupUnusable` where there is none, or none that can be understood."""
    if folder.name.endswith(PARTIAL):
        raise BackupUnusable(f"The backup {folder} stopped half-way. Take another one.")
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise BackupUnusable(
            f"{folder} is no whole backup: it has no {MANIFEST}. A backup that stopped half-way has none."
        ) from error
    except (OSError, ValueError) as error:
        raise BackupUnusable(f"The manifest of the backup {folder} can't be read: {error}.") from error
    if isinstance(content, dict) and content.get("format") not in (None, FORMAT):
        raise BackupUnusable(f"A newer Easel took the backup {folder}. Restore it with that Easel.")
    try:
        return _manifest(content)
    except (KeyError, TypeError, ValueError) as error:
        raise BackupUnusable(f"The manifest of the backup {folder} is damaged.") from error


def _manifest(content: Mapping[str, Any]) -> Manifest:
    taken_at = datetime.fromisoformat(content["taken_at"])
    database = _file(content["database"])
    if taken_at.tzinfo is None or database.path != DATABASE:
        raise ValueError
    return Manifest(
        taken_at=taken_at,
        easel=str(content["easel"]),
        schema=int(content["schema"]),
        database=database,
        pictures=None if content["pictures"] is None else tuple(map(_picture, content["pictures"])),
        erasures=_position(content.get("erasures")),
        absent=tuple(Absent(path=each["path"], why=Why(each["why"])) for each in content["absent"]),
    )


def _position(content: Mapping[str, Any] | None) -> Position | None:
    return None if content is None else Position(key=str(content["key"]), lines=int(content["lines"]))


def _file(content: Mapping[str, Any]) -> File:
    return File(path=str(content["path"]), sha256=str(content["sha256"]), bytes=int(content["bytes"]))


def _picture(content: Mapping[str, Any]) -> File:
    """A picture of the manifest. Raises ValueError for a path that leads elsewhere."""
    file = _file(content)
    images, shelf, job_id, name = file.path.split("/")
    if images != "images" or shelf != check_id(job_id)[:2] or not picture_files.is_picture(name):
        raise ValueError(file.path)
    return file
