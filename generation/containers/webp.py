"""The texts of a WebP: its chunks EXIF and XMP: https://developers.google.com/speed/webp/docs/riff_container"""

from __future__ import annotations

import struct

from generation.containers import exif
from generation.containers.contents import MAX_TEXT_BYTES, BadSource, Collector, Contents

SIGNATURE = b"RIFF"


def read(data: bytes) -> Contents:
    """The texts of a WebP. Raises BadSource."""
    if data[8:12] != b"WEBP":
        raise BadSource("it is damaged, or another kind of file")
    found = Collector()
    (size,) = struct.unpack_from("<I", data, 4)
    at, end = 12, size + 8
    if end > len(data):
        raise BadSource("it is damaged, or another kind of file")
    while at + 8 <= end:
        found.piece()
        name, length = struct.unpack_from("<4sI", data, at)
        start, at = at + 8, at + 8 + length + length % 2
        if start + length > end:
            raise BadSource("it is damaged, or another kind of file")
        if name == b"EXIF":
            exif.read(found, data[start : start + length].removeprefix(b"Exif\0\0"))
        elif name == b"XMP " and length <= MAX_TEXT_BYTES:
            found.xmp = data[start : start + length]
    return found.done()
