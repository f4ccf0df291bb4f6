"""A person's data as ZIP files that Discord takes: their rows as JSON, and their pictures. All of it blocks."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bot.pictures import files
from bot.pictures.signing import Seal
from storage.jobs import images

_JSON = 4 * 2**20
"""Bytes of a JSON file after which another begins, so that each fits into a part even where it doesn't pack."""

_OVERHEAD = 512
"""Bytes that an entry of a ZIP takes beside its data, at most, with names as short as ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in a ZIP. `source` is its data, or the picture on the disk; `size` is the room that it takes."""

    name: str
    source: bytes | Path
    size: int


def entries(folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Entry]:
    """Everything that a person gets, the JSON files first and then the pictures that are still there."""
    found = [entry for table, rows in tables.items() for entry in _as_json(table, rows)]
    for row in tables["images"]:
        path = images.path(folder, row["job_id"], row["image_index"])
        if row["image_index"] and row["finding"] not in images.HIDDEN and path.exists():
            name = f"pictures/{row['job_id']}_{row['image_index']}.png"
            found.append(Entry(name=name, source=path, size=path.stat().st_size + _OVERHEAD))
    return found


def _as_json(table: str, rows: Sequence[Mapping[str, Any]]) -> Iterable[Entry]:
    texts = (json.dumps(row, ensure_ascii=False, indent=1) for row in rows)
    for number, data in enumerate(_lists(texts), start=1):
        name = f"{table}-{number}.json" if number > 1 else f"{table}.json"
        yield Entry(name=name, source=data, size=len(zlib.compress(data)) + _OVERHEAD)


def _lists(texts: Iterable[str]) -> Iterable[bytes]:
    """JSON lists of these values, each as long as `_JSON` allows."""
    held: list[bytes] = []
    size = 0
    for text in texts:
        encoded = text.encode()
        if held and size + len(encoded) > _JSON:
            yield b"[\n" + b",\n".join(held) + b"\n]"
            held, size = [], 0
        held.append(encoded)
        size += len(encoded) + 2
    if held:
        yield b"[\n" + b",\n".join(held) + b"\n]"


def parts(found: Sequence[Entry], limit: int) -> list[list[Entry]]:
    """The entries in their order, in as few ZIPs of at most `limit` bytes as hold them so."""
    made: list[list[Entry]] = [[]]
    room = limit
    for entry in found:
        if entry.size > room and made[-1]:
            made.append([])
            room = limit
        made[-1].append(entry)
        room -= entry.size
    return made


def write(part: Sequence[Entry], limit: int, seal: Seal) -> io.BufferedIOBase:
    """A ZIP of these entries, in a temporary file that is gone when it is closed, or when the bot ends."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in part:
            _add(archive, entry, limit, seal)
    file.seek(0)
    return cast(io.BufferedIOBase, file)


def _add(archive: zipfile.ZipFile, entry: Entry, limit: int, seal: Seal) -> None:
    if isinstance(entry.source, bytes):
        archive.writestr(entry.name, entry.source)
    elif entry.size > limit:
        smaller = files.shrink(entry.source.read_bytes(), limit - _OVERHEAD, seal)
        archive.writestr(entry.name.replace(".png", "_smaller.jpg"), smaller, zipfile.ZIP_STORED)
    elif entry.source.exists():  # it may have been deleted since
        archive.write(entry.source, entry.name, zipfile.ZIP_STORED)
