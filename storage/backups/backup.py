"""Owns taking backups: a copy of the database, and the pictures that this copy names.

The database comes first. A picture that was deleted between the two is left out, and the manifest says so. Pictures
are never changed in place, so on the same disk a backup shares their files by hard links and takes no room for them.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from storage.errors import BackupFailed
from storage.files import erasure_list, manifest, private_files, snapshots
from storage.files.manifest import DATABASE, Absent, File, Manifest, Why
from storage.jobs import images

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many of these are done, and how many there are."""

_BLOCK = 2**20
_T = TypeVar("_T")


def silent(_what: str, _done: int, _of: int) -> None:
    """A `Progress` that nobody looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A whole backup: its folder, and what its manifest says."""

    folder: Path
    manifest: Manifest

    @property
    def bytes(self) -> int:
        """What restoring it takes on a disk."""
        files = (self.manifest.database, *(self.manifest.pictures or ()))
        return sum(file.bytes for file in files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture's file as a database names it."""

    job_id: str
    index: int
    sha256: str
    bytes: int

    @property
    def path(self) -> str:
        """Where it lies, from the data folder. Raises ValueError for an impossible id or index."""
        return images.path(Path(), self.job_id, self.index).as_posix()

    @property
    def possible(self) -> bool:
        """Whether Easel could have written it: no damaged row, nor one that somebody else changed."""
        try:
            return bool(self.path)
        except ValueError:
            return False

    @property
    def label(self) -> str:
        """What to call it: its path, or what its row says where that is impossible."""
        return self.path if self.possible else f"picture {self.index} of a job {self.job_id!r}"


def take(data: Path, into: Path, *, kind: str, now: datetime, progress: Progress = silent) -> Backup:
    """Back up a data folder into a new folder in `into`, while a bot runs on it or not. Blocks: use a thread.

    `now` is the moment before this call. Raises `BackupFailed`, with nothing left in `into`.
    """
    if not (data / DATABASE).exists():
        raise BackupFailed(f"There is nothing to back up: {data / DATABASE} does not exist.")
    with snapshots.beginning(into, kind, now) as partial:
        progress("Database", 0, 1)
        erasures = erasure_list.position(data)
        database, schema, named = _copy_database(data, partial)
        kept: list[File] = []
        absent: list[Absent] = []
        for done, picture in enumerate(named):
            progress("Pictures", done, len(named))
            outcome = _copy_picture(data, partial, picture)
            if isinstance(outcome, Why):
                absent.append(Absent(path=picture.label, why=outcome))
            else:
                kept.append(outcome)
        sync_folders(partial / "images")
        made = Manifest(
            taken_at=now,
            easel=manifest.version(),
            schema=schema,
            database=database,
            pictures=tuple(kept),
            absent=tuple(absent),
            erasures=erasures,
        )
        manifest.write(partial, made)
    return Backup(folder=snapshots.finished_name(partial), manifest=made)


def _copy_database(data: Path, partial: Path) -> tuple[File, int, list[Picture]]:
    with snapshots.reading(data / DATABASE) as connection:
        copied = snapshots.copy_database(connection, partial)
    with snapshots.reading(partial / DATABASE) as copy:
        return copied, snapshots.schema(copy), list(pictures(copy))


def pictures(connection: sqlite3.Connection) -> Iterator[Picture]:
    """The pictures that have a file, as a database says. Raises sqlite3.Error."""
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'images'").fetchone() is None:
        return
    with closing(connection.execute("SELECT * FROM images WHERE bytes > 0 ORDER BY job_id, image_index")) as rows:
        for row in rows:
            yield Picture(job_id=row["job_id"], index=row["image_index"], sha256=row["sha256"], bytes=row["bytes"])


# ------------------------------------------------------------------------------------------------------------- files


def _copy_picture(data: Path, partial: Path, picture: Picture) -> File | Why:
    """The copied file; why there is none. A file that is linked is compared by its size only, and read by `verify`.

    Raises OSError for what the disk of the backup won't do: what is wrong with one picture ends no backup.
    """
    if not picture.possible:
        return Why.DAMAGED
    source, target = data / picture.path, partial / picture.path
    private_files.make_folder(target.parent)
    try:
        if not stat.S_ISREG(source.lstat().st_mode):
            return Why.DAMAGED
    except (FileNotFoundError, NotADirectoryError):
        return Why.GONE
    except OSError:
        return Why.DAMAGED
    try:
        sha256 = link_or_copy(source, target)
    except SourceFailed as error:
        target.unlink(missing_ok=True)
        return Why.GONE if isinstance(error.__cause__, FileNotFoundError) else Why.DAMAGED
    if target.stat().st_size != picture.bytes or sha256 not in (None, picture.sha256):
        target.unlink()
        return Why.DAMAGED
    return File(path=picture.path, sha256=picture.sha256, bytes=picture.bytes)


class SourceFailed(OSError):
    """What is to be copied can't be read."""


def link_or_copy(source: Path, target: Path) -> str | None:
    """Make `target` the same file as `source`, or, on another disk, a copy; the copy's SHA-256. Raises OSError."""
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without hard links
        return copy(source, target)
    return None


def copy(source: Path, target: Path) -> str:
    """Copy a file onto the disk for certain, for this user alone; the SHA-256 of what was copied.

    Raises `SourceFailed` for what can't be read, and another OSError for what can't be written.
    """
    found = hashlib.sha256()
    with (
        _of_the_source(lambda: source.open("rb")) as old,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new,
    ):
        while block := _of_the_source(lambda: old.read(_BLOCK)):
            found.update(block)
            new.write(block)
        new.flush()
        os.fsync(new.fileno())
        times = _of_the_source(lambda: os.fstat(old.fileno()))
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
    return found.hexdigest()


def _of_the_source(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except OSError as error:
        raise SourceFailed(*error.args) from error


def sync_folders(folder: Path) -> None:
    """Make the names in a folder, and in those below it, last."""
    for parent, _, _ in os.walk(folder):
        private_files.sync_folder(Path(parent))
