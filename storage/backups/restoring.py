"""Owns bringing a backup back: looked through first, put together beside what is there, then moved into its place.

What was there is moved aside and never deleted. A file marks the moment in which neither is whole; no bot starts then,
and the next restore goes on from there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storage.backups import backup, reapplied, stage
from storage.backups.backup import Backup, Progress, silent
from storage.backups.reapplied import Known
from storage.errors import BackupFailed, BackupUnusable, DatabaseTooNew
from storage.files import erasure_list, manifest, picture_files, private_files
from storage.files.lock import FolderLock
from storage.files.manifest import DATABASE, File
from storage.files.snapshots import HALF_RESTORED
from storage.migrations import MIGRATIONS

_DATABASE_FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was brought back. `aside` is where what was there lies now; `erased` counts those to be erased again."""

    backup: Backup
    aside: Path | None
    erased: int


def check(folder: Path, *, progress: Progress = silent) -> Backup:
    """A backup whose files were all read and are as its manifest says.

    Raises `BackupUnusable` for one that stopped half-way or is damaged, and `DatabaseTooNew` for a newer Easel's.
    """
    found = Backup(folder=folder, manifest=manifest.read(folder))
    if found.manifest.schema > len(MIGRATIONS):
        raise DatabaseTooNew(f"A newer Easel took the backup {folder}. Restore it with that Easel.")
    files = (found.manifest.database, *(found.manifest.pictures or ()))
    damaged = []
    for done, file in enumerate(files):
        progress("Checking", done, len(files))
        if why := fault(folder, file):
            damaged.append(why)
    if damaged:
        more = f", and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        raise BackupUnusable(f"The backup {folder} is damaged: {damaged[0]}{more}. Nothing was changed.")
    return found


def fault(folder: Path, file: File) -> str:
    """What is wrong with a file, in words; nothing if it is as it should be."""
    path = folder / file.path
    try:
        if path.stat().st_size != file.bytes:
            return f"{file.path} has {path.stat().st_size} bytes instead of {file.bytes}"
        return "" if manifest.hash_of(path) == file.sha256 else f"{file.path} is not what was written"
    except (FileNotFoundError, NotADirectoryError):
        return f"{file.path} is missing"
    except OSError as error:
        return f"{file.path} can't be read: {error.strerror}"


def restore(folder: Path, data: Path, *, now: datetime, progress: Progress = silent) -> Restored:
    """Put a backup in the place of what a data folder holds, which is moved aside.

    A backup of the database only leaves the pictures as they are. Raises `DataFolderBusy` while a bot runs on the data
    folder, and as `check` does; `BackupFailed` for what the disk won't do. Nothing was changed then, unless it says so.
    """
    lock = FolderLock.take(data)
    try:
        found = check(folder, progress=progress)
        with _failing(f"The backup {folder} could not be brought back, and nothing was changed"):
            made, erased = _put_together(found, data, progress)
            aside = _swap(made, data, now)
    finally:
        lock.release()
    return Restored(backup=found, aside=aside, erased=erased)


def clear_away(data: Path) -> bool:
    """Delete what a restore left that was killed before it moved anything; whether there was any. Raises OSError.

    Only for who has the data folder's lock.
    """
    return not (data / HALF_RESTORED).exists() and stage.clear(data) > 0


@contextmanager
def _failing(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{what}: {error}.") from error


def _put_together(found: Backup, data: Path, progress: Progress) -> tuple[Path, int]:
    """A folder in the data folder with everything that is to be moved into its place."""
    begun = _begun(data)
    asked = (*reapplied.pending(data), *(reapplied.pending(begun) if begun else ()))
    known = Known(listed=erasure_list.read(data), asked=asked)
    stage.clear(data)  # what restores that failed left
    made = stage.make(data)
    try:
        backup.copy(found.folder / DATABASE, made / DATABASE)
        pictures = found.manifest.pictures
        for done, file in enumerate(pictures or ()):
            progress("Restoring", done, len(pictures or ()))
            private_files.make_folder((made / file.path).parent)
            backup.link_or_copy(found.folder / file.path, made / file.path)
        if pictures is not None:
            private_files.make_folder(made / "images")
        erased = reapplied.apply(made, found.manifest, known)
        backup.sync_folders(made)
    except BaseException:
        stage.drop(made)
        raise
    return made, erased


def _swap(made: Path, data: Path, now: datetime) -> Path | None:
    """Move what is there aside, and what was put together into its place; where the former lies, if anything does.

    If a move fails, all are taken back. Raises OSError then, and `BackupFailed` where that fails, too, or for what the
    disk won't do afterwards.
    """
    back = _pictures_to_bring_back(made, data)
    names = [*(["images"] if back or (made / "images").exists() else []), *_DATABASE_FILES]
    aside = _aside(data, names, now)
    private_files.write(data / HALF_RESTORED, json.dumps({"aside": aside.name}).encode())
    moves = [(data / name, aside / name) for name in names if (data / name).exists()]
    moves += [(back, data / "images")] if back else []
    moves += [(made / name, data / name) for name in names if (made / name).exists()]
    _carry_out(moves, data)
    with _failing(f"Everything was moved into {data}, but not for certain yet. Do the restore again"):
        private_files.sync_folder(aside)
        private_files.sync_folder(data)
        (data / HALF_RESTORED).unlink()
        private_files.sync_folder(data)
    stage.drop(made)
    return None if picture_files.drop(aside) else aside


def _pictures_to_bring_back(made: Path, data: Path) -> Path | None:
    """The pictures that a restore of everything had moved aside when it was cut short, where this one brings none."""
    begun = _begun(data)
    if begun is None or (made / "images").exists() or not (begun / "images").exists():
        return None
    return begun / "images"


def _carry_out(moves: Sequence[tuple[Path, Path]], data: Path) -> None:
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            source.rename(target)
            done.append((source, target))
    except OSError as error:
        try:
            for source, target in reversed(done):
                target.rename(source)
        except OSError:
            raise BackupFailed(f"The restore into {data} was cut short: {error}. Do it again.") from error
        (data / HALF_RESTORED).unlink()
        raise


def _aside(data: Path, names: Sequence[str], now: datetime) -> Path:
    """The folder for what is there: that of a restore that was cut short, while nothing of these lies there yet."""
    begun = _begun(data)
    if begun and not any((begun / name).exists() and (data / name).exists() for name in names):
        return begun
    number, first = 1, data / f"replaced-{manifest.stamp(now)}"
    aside = first
    while aside.exists():
        number += 1
        aside = first.with_name(f"{first.name}-{number}")
    private_files.make_folder(aside)
    return aside


def _begun(data: Path) -> Path | None:
    """Where a restore that was cut short moved what was there."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        begun = data / Path(str(json.loads((data / HALF_RESTORED).read_bytes())["aside"])).name
        return begun if begun.is_dir() else None
    return None
