"""The texts of a JPEG: EXIF and XMP in its segments: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B."""

from __future__ import annotations

import re
import struct

from generation.containers import exif
from generation.containers.contents import BadSource, Collector, Contents

SIGNATURE = b"\xff\xd8"

_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
"""A marker that begins a segment or ends the file: no stuffed byte, no restart within a scan."""
_APP1, _SCAN, _END = 0xE1, 0xDA, 0xD9
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"


def read(data: bytes) -> Contents:
    """The texts of a JPEG's first EXIF and XMP segments. Raises BadSource."""
    found = Collector()
    seen = set()
    at = len(SIGNATURE)
    while marker := _MARKER.search(data, at):
        found.piece()
        kind, start = marker[1][0], marker.end()
        if kind == _END:
            return found.done()
        if kind == _SCAN:
            found.scan()
        if start + 2 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, start)
        at = start + max(length, 2)
        if kind == _APP1:
            segment = data[start + 2 : at]
            name = next((name for name in (_EXIF, _XMP) if segment.startswith(name)), b"")
            if name and name not in seen:
                seen.add(name)
                _keep(found, name, segment[len(name) :])
    raise BadSource("it is damaged, or another kind of file")


def _keep(found: Collector, name: bytes, content: bytes) -> None:
    if name == _XMP:
        found.xmp = content
    else:
        exif.read(found, content)
