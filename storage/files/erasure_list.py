"""Owns `erasures.jsonl`: who was erased and when, outside of the database and of every backup.

An older backup still holds people who were erased since. This list lets a restore erase them again. It names nobody:
a line holds a hash of the person's id with a key that stands in the first line. A restored database has an older key
for its pseudonyms, or none, so this one is kept apart from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storage.errors import ErasuresUnreadable
from storage.files import private_files

NAME = "erasures.jsonl"

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a list went at a moment: `lines` people of the list that `key` tells from others; no key, no list yet."""

    key: str
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureList:
    """The key, and for each hash when that person was last erased, and in which line, counted from 0."""

    key: bytes
    times: Mapping[str, datetime]
    lines: Mapping[str, int]
    length: int

    @property
    def position(self) -> Position:
        """Where the next line begins. It holds a hash of the key, since a backup must not say who was erased."""
        return Position(key=hashlib.sha256(self.key).hexdigest()[:16] if self.key else "", lines=self.length)

    def since(self, user_id: int, moment: datetime, position: Position | None = None) -> bool:
        """Whether a person was erased after a moment. A position in this list tells, whatever the clocks said."""
        one = _hash(self.key, user_id)
        if one not in self.times:
            return False
        if position is not None and position.key in ("", self.position.key):
            return self.lines[one] >= position.lines
        return self.times[one] > moment


def position(data: Path) -> Position | None:
    """How far the list of a data folder goes; None if it can't be read. Blocks."""
    with contextlib.suppress(ErasuresUnreadable, OSError):
        return read(data).position
    return None


def note(data: Path, user_id: int, *, now: datetime) -> None:
    """Add a person to the list, for certain. Blocks: use a thread. Raises `ErasuresUnreadable` and OSError.

    This comes before anything of theirs is deleted.
    """
    path = data / NAME
    with _one_at_a_time:
        if not path.exists():
            private_files.write(path, _line({"key": secrets.token_hex(32)}))
        known = read(data)
        with path.open("rb+") as file:
            file.truncate(_whole_lines(file.read()))  # without the line that a crash tore: it was never acted upon
            file.seek(0, os.SEEK_END)
            file.write(_line({"hash": _hash(known.key, user_id), "at": now.isoformat()}))
            file.flush()
            os.fsync(file.fileno())


def read(data: Path) -> ErasureList:
    """The list of a data folder, an empty one where there is none. Raises `ErasuresUnreadable` and OSError."""
    try:
        content = (data / NAME).read_bytes()
    except FileNotFoundError:
        return ErasureList(key=b"", times={}, lines={}, length=0)
    times: dict[str, datetime] = {}
    last: dict[str, int] = {}
    number = 0
    try:
        first, *lines = content[: _whole_lines(content)].splitlines()
        key = bytes.fromhex(json.loads(first)["key"])
        for number, line in enumerate(lines, start=1):
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["at"])
            times[entry["hash"]] = max(at, times.get(entry["hash"], at))
            last[entry["hash"]] = number - 1
    except (ValueError, KeyError, TypeError) as error:
        raise ErasuresUnreadable(
            f"{data / NAME} is damaged in line {number + 1}."
            " It says who was erased, so that no restore brings them back."
        ) from error
    return ErasureList(key=key, times=times, lines=last, length=len(lines))


def _whole_lines(content: bytes) -> int:
    """The length of the lines that were written to their end."""
    return content.rfind(b"\n") + 1


def _line(entry: Mapping[str, str]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _hash(key: bytes, user_id: int) -> str:
    return hmac.new(key, str(user_id).encode(), hashlib.sha256).hexdigest()
