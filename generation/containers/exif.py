"""The texts in EXIF, which is a TIFF of tags: Exif 3.0, 4.6 (https://www.cipa.jp/std/documents/download_e.html?DC-008-2023-E)."""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterator

from generation.containers.contents import Collector

_ORDERS = {b"II": "<", b"MM": ">"}
_TAGS = {0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x9286: "UserComment"}
_INNER = 0x8769
_MOST_TAGS = 200
_SIZES = {1: 1, 2: 1, 7: 1}
"""Bytes of one value of the types that hold text: bytes, ASCII, undefined."""
_UNICODE = b"UNICODE\0"
_ENCODINGS = (_UNICODE, b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8))
_LETTERS = re.compile(r"[ -~\n]+")
_SETTINGS = re.compile(r'Steps: |"\w+" *:')


def read(found: Collector, tiff: bytes) -> None:
    """Collect the texts; what is damaged has none."""
    order = _ORDERS.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return
    (first,) = struct.unpack_from(order + "I", tiff, 4)
    inner = _directory(found, tiff, order, first)
    if inner is not None:
        _directory(found, tiff, order, inner)


def _directory(found: Collector, tiff: bytes, order: str, at: int) -> int | None:
    """Collect the texts of one directory of tags; where it says that the inner one begins."""
    inner = None
    for tag, kind, count, value in _entries(tiff, order, at):
        if tag == _INNER:
            (inner,) = struct.unpack(order + "I", value)
        elif tag in _TAGS and kind in _SIZES:
            (where,) = struct.unpack(order + "I", value)
            raw = value[:count] if count <= 4 else tiff[where : where + count]
            name = _TAGS[tag]
            fitting = found.fits(name, raw)
            if fitting is not None:
                found.texts[name] = comment(fitting) if name == "UserComment" else _ascii(fitting)
    return inner


def _entries(tiff: bytes, order: str, at: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Each tag with its type, its count of values, and four bytes: the value, or where it is."""
    if at + 2 > len(tiff):
        return
    (count,) = struct.unpack_from(order + "H", tiff, at)
    for start in range(at + 2, at + 2 + 12 * min(count, _MOST_TAGS), 12):
        if start + 12 > len(tiff):
            return
        yield struct.unpack_from(order + "HHI4s", tiff, start)


def _ascii(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip("\0")


def comment(raw: bytes) -> str:
    """The text of a UserComment, which names its encoding in its first eight bytes.

    Tools write "Unicode" in either byte order, whatever the order of the whole, and some as UTF-8: the reading with the
    settings is taken, or else that with the most ASCII letters.
    """
    encoding = next((one for one in _ENCODINGS if raw.startswith(one)), b"")
    content = raw[len(encoding) :]
    if encoding != _UNICODE:
        return _ascii(content)
    readings = [content.decode(f"utf-16-{end}", "replace") for end in ("be", "le")]
    with contextlib.suppress(UnicodeDecodeError):
        readings.append(content.decode("utf-8"))
    return max(readings, key=_likelihood).rstrip("\0")


def _likelihood(text: str) -> tuple[bool, int]:
    return _SETTINGS.search(text) is not None, sum(map(len, _LETTERS.findall(text)))
