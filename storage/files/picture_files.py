"""Owns the names of a job's files, and with them which files are ours: nothing else is ever moved or removed.

All of it blocks: use a thread.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

_PICTURE = re.compile(r"(?:[1-9][0-9]?\.png|grid\.jpg)\Z")
_TORN = re.compile(r"\.(?:[1-9][0-9]?\.png|grid\.jpg)\.[^.]*\.part\Z")


def is_picture(name: str) -> bool:
    """Whether a file is named like a picture of ours."""
    return _PICTURE.match(name) is not None


def is_torn(name: str) -> bool:
    """Whether a file is named like a picture that is being written, or was when a crash came."""
    return _TORN.match(name) is not None


def holds_only_ours(home: Path) -> bool:
    """Whether nothing but our files is in a job's folder; False if it can't be read."""
    try:
        with os.scandir(home) as found:
            return all(
                entry.is_file(follow_symlinks=False) and (is_picture(entry.name) or is_torn(entry.name))
                for entry in found
            )
    except OSError:
        return False


def remove_torn(home: Path) -> None:
    """Remove what a crash left half-written in a job's folder. Raises OSError."""
    for name in _names(home):
        if is_torn(name):
            _unlink(home / name)


def remove_all(home: Path) -> None:
    """Remove our files from a job's folder, and the folder unless something else is in it. Raises OSError."""
    for name in _names(home):
        if is_picture(name) or is_torn(name):
            _unlink(home / name)
    drop(home)


def drop(folder: Path) -> bool:
    """Remove a folder if it is empty; whether it was."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, without links and files; none if it can't be read."""
    try:
        with os.scandir(folder) as found:
            return sorted(Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _names(home: Path) -> list[str]:
    try:
        return [path.name for path in home.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _unlink(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not path.is_dir() or path.is_symlink():
            path.unlink()
