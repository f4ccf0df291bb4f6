"""What a walk over a picture's file finds, and how much of it is kept."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_SOURCE_BYTES = 32 * 2**20
"""Bytes of a file from a person."""

MAX_PIECES = 20_000
"""Segments or chunks of a file: 32 MiB in PNG chunks of 8 KiB, the smallest that encoders write, are 4,096."""

MAX_SCANS = 100
"""Scans of a progressive JPEG: encoders write about ten. Each costs a decoder a walk over the whole picture."""

MAX_TEXT_BYTES = 2 * 2**20
"""Bytes of one text, unpacked: ComfyUI's largest workflows have about 1 MiB."""

MAX_TEXTS_BYTES = 8 * 2**20
"""Bytes of all texts of a file, unpacked."""

_MAX_TEXTS = 200


class BadSource(ValueError):
    """A picture from a person can't be used; the message is half a sentence that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The texts of a file.

    `texts` are a PNG's by their keywords, and EXIF's by the names of their tags, such as "UserComment". `xmp` is a
    packet of XML, or empty. `left_out` names texts that are too large or damaged. `pieces` counts the segments or
    chunks looked at.
    """

    texts: Mapping[str, str]
    xmp: bytes
    left_out: frozenset[str]
    pieces: int


@dataclass(slots=True, kw_only=True)
class Collector:
    """Collects what a walk finds, and ends the walk where the file has too much of anything."""

    texts: dict[str, str] = field(default_factory=dict)
    xmp: bytes = b""
    left_out: set[str] = field(default_factory=set)
    pieces: int = 0
    scans: int = 0
    room: int = MAX_TEXTS_BYTES

    def piece(self) -> None:
        """Count one segment or chunk. Raises BadSource."""
        self.pieces += 1
        if self.pieces > MAX_PIECES:
            raise BadSource(f"it is made of more than {MAX_PIECES:,} pieces")

    def scan(self) -> None:
        """Count one scan of a JPEG. Raises BadSource."""
        self.scans += 1
        if self.scans > MAX_SCANS:
            raise BadSource(f"it is drawn in more than {MAX_SCANS} scans")

    def fits(self, name: str, raw: bytes, *, packed: bool = False) -> bytes | None:
        """The bytes of a text, unpacked; None if they are damaged or too many, which is noted."""
        limit = min(MAX_TEXT_BYTES, self.room)
        if packed:
            unpacker = zlib.decompressobj()
            try:
                raw = unpacker.decompress(raw, limit + 1)
            except zlib.error:
                self.left_out.add(name)
                return None
        self.room -= min(len(raw), limit)
        if len(raw) > limit or len(self.texts) >= _MAX_TEXTS:
            self.left_out.add(name)
            return None
        return raw

    def done(self) -> Contents:
        """What was found."""
        return Contents(texts=self.texts, xmp=self.xmp, left_out=frozenset(self.left_out), pieces=self.pieces)
