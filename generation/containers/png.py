"""The texts of a PNG: chunks tEXt, zTXt and iTXt, and EXIF: https://www.w3.org/TR/png-3/#11textinfo"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from generation.containers import exif
from generation.containers.contents import BadSource, Collector, Contents

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_XMP = "XML:com.adobe.xmp"
_LONGEST_KEYWORD = 79


def read(data: bytes) -> Contents:
    """The texts of a PNG, also of those behind its pixels. Raises BadSource."""
    found = Collector()
    for name, start, end in _chunks(data, found):
        if name in _TEXTS:
            _TEXTS[name](found, data[start:end])
        elif name == b"eXIf":
            exif.read(found, data[start:end])
    return found.done()


def _chunks(data: bytes, found: Collector) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's name, and where its data begins and ends. Raises BadSource unless the last is IEND."""
    at, name = len(SIGNATURE), b""
    while name != b"IEND":
        found.piece()
        if at + 12 > len(data):
            raise BadSource("it is damaged, or another kind of file")
        length, name = struct.unpack_from(">I4s", data, at)
        start, end = at + 8, at + 8 + length
        if (at == len(SIGNATURE)) != (name == b"IHDR"):
            raise BadSource("it is damaged, or another kind of file")
        if end + 4 > len(data):
            raise BadSource("it is damaged, or another kind of file")
        yield name, start, end
        at = end + 4


def _plain(found: Collector, chunk: bytes) -> None:
    keyword, _, raw = chunk.partition(b"\0")
    _keep(found, keyword, raw)


def _packed(found: Collector, chunk: bytes) -> None:
    keyword, _, raw = chunk.partition(b"\0")
    _keep(found, keyword, raw[1:], packed=True)


def _international(found: Collector, chunk: bytes) -> None:
    keyword, _, rest = chunk.partition(b"\0")
    packed = rest[:1] == b"\1"
    raw = rest[2:].split(b"\0", 2)[-1]  # behind a language and a translated keyword
    _keep(found, keyword, raw, packed=packed)


def _keep(found: Collector, keyword: bytes, raw: bytes, *, packed: bool = False) -> None:
    name = keyword[:_LONGEST_KEYWORD].decode("latin-1")
    unpacked = found.fits(name, raw, packed=packed)
    if unpacked is None:
        return
    if name == _XMP:
        found.xmp = unpacked
    else:
        found.texts[name] = _decoded(unpacked)


def _decoded(raw: bytes) -> str:
    """tEXt is Latin-1 by its definition, and many tools write UTF-8: other words are hardly ever valid UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


_TEXTS = {b"tEXt": _plain, b"zTXt": _packed, b"iTXt": _international}
