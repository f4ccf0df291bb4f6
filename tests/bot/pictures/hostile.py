"""Files that cost their reader as much as their maker likes: many segments, many scans, texts that unpack to much more."""

from __future__ import annotations

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


_TABLES = (
    segment(0xDB, b"\0" + bytes([1] * 64))
    + segment(0xC4, b"\x00" + bytes([1] + [0] * 15) + b"\x00")
    + segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\x00")
)


def jpeg(piece: bytes, size: int) -> bytes:
    """A JPEG of about `size` bytes of the same piece again and again."""
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x3f"
    frame = segment(0xC0, struct.pack(">BHHB", 8, 8, 8, 1) + b"\x01\x11\x00")
    return b"\xff\xd8" + piece * (size // len(piece)) + _TABLES + frame + scan + b"\xff\xd9"


def progressive(scans: int, side: int = 7000) -> bytes:
    """A progressive JPEG, grey, with so many scans that change nothing."""
    frame = segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\x00")
    blocks = ((side + 7) // 8) ** 2
    first = segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + bytes((blocks + 7) // 8)
    return (
        b"\xff\xd8"
        + _TABLES
        + frame
        + first
        + (segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + b"\0") * scans
        + b"\xff\xd9"
    )


def png(pieces: bytes) -> bytes:
    """A PNG of 8×8 black pixels with more chunks before them."""
    header = chunk(b"IHDR", struct.pack(">II5B", 8, 8, 8, 0, 0, 0, 0))
    return PNG + header + pieces + chunk(b"IDAT", zlib.compress(bytes(72))) + chunk(b"IEND", b"")


SIZE = 10 * 2**20
"""Bytes that every account may upload."""

COSTLY = {
    "comments": lambda: jpeg(segment(0xFE, b""), SIZE),
    "long EXIF": lambda: jpeg(segment(0xE1, b"Exif\0\0" + bytes(500)), SIZE),
    "short EXIF": lambda: jpeg(segment(0xE1, b"Exif\0\0" + bytes(40)), SIZE),
    "ICC": lambda: jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1x"), SIZE),
    "scans": lambda: progressive(722),
    "chunks": lambda: png(chunk(b"abCd", b"") * (SIZE // 12)),
    "texts": lambda: png(b"".join(chunk(b"tEXt", b"k%d\0" % n) for n in range(SIZE // 20))),
}
"""What took a decoder 1 to 128 seconds, by what there is too much of."""
