"""Owns who may read what Easel keeps: this user alone, as far as the operating system can hold others off.

Folders are 700 and files 600 from the moment that they are made, whatever the umask. What an older Easel made is
narrowed at the start. Windows has no such modes: a folder there is as private as the one that it lies in.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

OPEN_TO_OTHERS = 0o077
"""The bits of a mode that let in anybody but the owner."""

_FILES = re.compile(r"easel\.db.*|easel\.lock|heartbeat|clock|erasures\.jsonl|restore-unfinished|\..+\.part")
_STAMP = r"[0-9]{8}T[0-9]{6}Z(-[0-9]+)?"
_FOLDERS = (
    (re.compile(r"images"), re.compile(r"[a-z0-9_-]{2}|easel-mark")),
    (re.compile(r"quarantine"), re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")),
    (re.compile(r"backups"), re.compile(rf"(easel|daily|before-v[0-9]+)-{_STAMP}(\.partial)?")),
    (re.compile(rf"replaced-{_STAMP}"), re.compile(r"images|easel\.db.*")),
    (re.compile(r"restoring(-[0-9]+)?"), re.compile(r"images|easel\.db.*|\.easel-restores-here")),
)
"""How folders of ours are named, and what is in each. Others may have given the same name to something else."""
_HARMLESS = ("lost+found", ".DS_Store", "Thumbs.db", "desktop.ini")
"""What systems put into folders by themselves."""


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone. Raises OSError."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file for this user alone, where there is none yet. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def write(target: Path, content: bytes) -> None:
    """Put a file on disk for certain, whole or not at all, in place of what was there. Raises OSError."""
    replace(target, content)
    sync_folder(target.parent)


def replace(target: Path, content: bytes) -> None:
    """As `write`, but the name lasts only once `sync_folder` made it last. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last. Windows can't open a folder and keeps names by itself. Raises OSError."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def tighten(folder: Path) -> None:
    """Take from others what an older Easel let them read. What can't be changed, or belongs to others, stays.

    A folder in which other files lie, too, keeps its mode: somebody else may need them.
    """
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        with os.scandir(folder) as found:
            entries = list(found)
        ours = [entry for entry in entries if _is_ours(entry)]
        for entry in ours:
            if not entry.is_symlink():
                _narrow(Path(entry.path))
        if all(entry in ours or entry.name in _HARMLESS for entry in entries):
            _narrow(folder)


def open_to_others(paths: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    """Those of these paths that others on this machine may read or write, with their modes."""
    if os.name == "nt":
        return
    for path in paths:
        with contextlib.suppress(OSError):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & OPEN_TO_OTHERS:
                yield path, mode


def _is_ours(entry: os.DirEntry[str]) -> bool:
    inside = _inside(entry.name)
    if inside is None or not entry.is_dir(follow_symlinks=False):
        return _FILES.fullmatch(entry.name) is not None or (inside is not None and entry.is_symlink())
    try:
        with os.scandir(entry.path) as found:
            return all(inside.fullmatch(each.name) or each.name in _HARMLESS for each in found)
    except OSError:
        return False


def _inside(name: str) -> re.Pattern[str] | None:
    return next((inside for folder, inside in _FOLDERS if folder.fullmatch(name)), None)


def _narrow(path: Path) -> None:
    with contextlib.suppress(OSError):
        found = path.stat()
        if found.st_uid == os.geteuid() and found.st_mode & OPEN_TO_OTHERS:
            path.chmod(stat.S_IMODE(found.st_mode) & ~OPEN_TO_OTHERS)
