"""Owns `erasures.jsonl`: who was erased and when, outside of the database and of every backup.

An older backup still holds people who were erased since. This list lets a restore erase them again. It names nobody:
a line holds a hash of the person's id with a key that stands in the first line. A restored database has an older key
for its pseudonyms, or none, so this one is kept apart from it.
"""

from __future__ import annotations

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

from storage import private_files
from storage.errors import ErasuresUnreadable

NAME = "erasures.jsonl"

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureList:
    """The key, and for each hash when that person was last erased."""

    key: bytes
    times: Mapping[str, datetime]

    def since(self, user_id: int, moment: datetime) -> bool:
        """Whether a person was erased after a moment."""
        at = self.times.get(_hash(self.key, user_id))
        return at is not None and at > moment


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
            file.truncate(
                _whole_lines(file.read())
            )  # without the line that a crash tore: it was never acted upon
            file.seek(0, os.SEEK_END)
            file.write(_line({"hash": _hash(known.key, user_id), "at": now.isoformat()}))
            file.flush()
            os.fsync(file.fileno())


def read(data: Path) -> ErasureList:
    """The list of a data folder, an empty one where there is none. Raises `ErasuresUnreadable` and OSError."""
    try:
        content = (data / NAME).read_bytes()
    except FileNotFoundError:
        return ErasureList(key=b"", times={})
    times: dict[str, datetime] = {}
    try:
        first, *lines = content[: _whole_lines(content)].splitlines()
        key = bytes.fromhex(json.loads(first)["key"])
        for line in lines:
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["at"])
            times[entry["hash"]] = max(at, times.get(entry["hash"], at))
    except (ValueError, KeyError, TypeError) as error:
        raise ErasuresUnreadable(
            f"{data / NAME} is damaged. It says who was erased, so that no restore brings them back."
        ) from error
    return ErasureList(key=key, times=times)


def _whole_lines(content: bytes) -> int:
    """The length of the lines that were written to their end."""
    return content.rfind(b"\n") + 1


def _line(entry: Mapping[str, str]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _hash(key: bytes, user_id: int) -> str:
    return hmac.new(key, str(user_id).encode(), hashlib.sha256).hexdigest()
