"""Owns the mark by which a database and a folder of pictures know that they belong together.

The same random word lies in the database and in `<data>/images/easel-mark`, and both get a new one at each start and
each hour. So pictures of another database are told apart, and those that are newer than a database put back. The file
holds the word before, too, while the database gets the new one: a crash in between is no mismatch.

To say that the two belong together after all, the host deletes the file.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from enum import StrEnum
from pathlib import Path

from storage.database import Database
from storage.files import private_files, quarantine
from storage.jobs import images

_KEY = "mark of the pictures"
FILE = "easel-mark"
"""In the folder of the pictures."""


class Bond(StrEnum):
    """How a database and the pictures beside it belong together."""

    SAME = "same"
    """They carry the same mark, or the host said so by deleting the file."""
    NEW = "new"
    """They got their first mark just now."""
    OTHER = "other"
    """The pictures are another database's, or newer than this one."""


def mark_file(folder: Path) -> Path:
    """The file that holds the folder's mark."""
    return folder / "images" / FILE


async def bond(database: Database) -> Bond:
    """Compare the marks, and make them where there are none yet. Raises OSError and StorageError."""
    folder = database.folder
    async with database.reading() as tx:
        mine = await tx.get_value(_KEY)
        known = await images.with_rows(tx)
    theirs = await asyncio.to_thread(read, folder)
    if theirs:
        return Bond.SAME if mine in theirs else Bond.OTHER
    homes = await asyncio.to_thread(quarantine.job_folders, folder)
    if mine is None and homes and known.isdisjoint(homes):  # from before there were marks, and of other jobs
        await asyncio.to_thread(write, folder, secrets.token_hex(16))
        return Bond.OTHER
    await renew(database)
    return Bond.NEW if mine is None else Bond.SAME


async def renew(database: Database) -> None:
    """Give both a new mark. Only if they belong together. Raises OSError and StorageError."""
    new = secrets.token_hex(16)
    async with database.transaction() as tx:
        old = await tx.get_value(_KEY)
        await asyncio.to_thread(write, database.folder, *([old] if old else []), new)
        await tx.put_value(_KEY, new)
    await asyncio.to_thread(write, database.folder, new)


async def renew_if_same(database: Database) -> None:
    """Give both a new mark where they have the same. Raises OSError and StorageError."""
    async with database.reading() as tx:
        mine = await tx.get_value(_KEY)
    if mine in await asyncio.to_thread(read, database.folder):
        await renew(database)


def read(folder: Path) -> frozenset[str]:
    """The folder's marks; none if there is no file. What is no mark can't be the database's either."""
    try:
        words = mark_file(folder).read_text(encoding="ascii", errors="replace").split()
    except FileNotFoundError:
        return frozenset()
    return frozenset(word for word in words if re.fullmatch(r"[0-9a-f]{32}", word)) or frozenset({"?"})


def write(folder: Path, *marks: str) -> None:
    """Put the marks on disk, whole or not at all. Raises OSError."""
    target = mark_file(folder)
    private_files.make_folder(target.parent)
    private_files.write(target, b"".join(f"{mark}\n".encode() for mark in marks))
