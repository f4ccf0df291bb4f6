"""Finds the texts in a picture's file without decoding it: PNG, JPEG and WebP, one module each.

A stranger chose every byte. So pieces are counted, texts are measured before they are unpacked, and no pixel is looked at:
the work is bounded by the limits below and one pass over the file.
"""

from __future__ import annotations

from generation.containers import jpeg, png, webp
from generation.containers.contents import (
    MAX_PIECES,
    MAX_SCANS,
    MAX_SOURCE_BYTES,
    MAX_TEXT_BYTES,
    MAX_TEXTS_BYTES,
    BadSource,
    Contents,
)

__all__ = [
    "MAX_PIECES",
    "MAX_SCANS",
    "MAX_SOURCE_BYTES",
    "MAX_TEXTS_BYTES",
    "MAX_TEXT_BYTES",
    "BadSource",
    "Contents",
    "read",
]

_READERS = {png.SIGNATURE: png.read, jpeg.SIGNATURE: jpeg.read, webp.SIGNATURE: webp.read}


def read(data: bytes) -> Contents:
    """The texts of a PNG, JPEG or WebP. Raises BadSource for another kind of file, half a file, or too much of anything."""
    if len(data) > MAX_SOURCE_BYTES:
        raise BadSource(f"it has more than {MAX_SOURCE_BYTES // 2**20} MiB")
    for signature, reader in _READERS.items():
        if data.startswith(signature):
            return reader(data)
    raise BadSource("it is damaged, or another kind of file")
