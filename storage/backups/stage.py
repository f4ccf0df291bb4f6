"""Owns the folder in a data folder in which a restore puts things together: its name, its mark, and its end.

A folder of that name may be somebody else's. So ours carries a mark, and one is deleted only if it does and holds
nothing but what a restore puts there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

from storage.files import picture_files, private_files
from storage.files.job_ids import is_id
from storage.files.manifest import DATABASE

_NAME = re.compile(r"restoring(-[0-9]+)?")
_MARK = ".easel-restores-here"
_SHELF = re.compile(r"[a-z0-9_-]{2}")


def make(data: Path) -> Path:
    """A new empty folder with our mark. Raises OSError."""
    number, stage = 1, data / "restoring"
    while os.path.lexists(stage):
        number += 1
        stage = data / f"restoring-{number}"
    private_files.make_folder(stage)
    private_files.write(stage / _MARK, b"")
    return stage


def clear(data: Path) -> int:
    """Delete the folders that restores left; how many there were. Raises OSError."""
    left = [folder for folder in picture_files.folders_in(data) if _NAME.fullmatch(folder.name) and _is_ours(folder)]
    for folder in left:
        shutil.rmtree(folder)
    return len(left)


def drop(stage: Path) -> None:
    """Delete the folder of `make` as far as the disk allows; `clear` deletes what is left."""
    with contextlib.suppress(OSError):
        for path in stage.iterdir():
            if path.name != _MARK:  # it goes last: without it, nobody would know whose the rest is
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (stage / _MARK).unlink(missing_ok=True)
        stage.rmdir()


def _is_ours(stage: Path) -> bool:
    try:
        return (stage / _MARK).is_file() and all(
            path.name == _MARK
            or (path.name.startswith(DATABASE) and _is_file(path))
            or (path.name == "images" and _is_folder(path) and _holds_only_pictures(path))
            for path in stage.iterdir()
        )
    except OSError:
        return False


def _holds_only_pictures(pictures: Path) -> bool:
    shelves = list(pictures.iterdir())
    homes = [home for shelf in shelves if _is_folder(shelf) for home in shelf.iterdir()]
    return all(_is_folder(shelf) and _SHELF.fullmatch(shelf.name) for shelf in shelves) and all(
        _is_folder(home) and is_id(home.name) and picture_files.holds_only_ours(home) for home in homes
    )


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
