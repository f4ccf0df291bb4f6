"""Reads what a picture that somebody sent says of itself. No pixel is decoded, and no library but the standard one is used."""

from __future__ import annotations

import re
from dataclasses import dataclass

from generation import containers, metadata
from generation.parameters import Parameters

_AI_MARK = re.compile(rb"digitalsourcetype/(compositewith)?trainedalgorithmicmedia", re.IGNORECASE)
"""In XMP as in Content Credentials: https://cv.iptc.org/newscodes/digitalsourcetype/"""
_CREDENTIALS = (b"jumb", b"c2pa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """`parameters` is None if the file has none that can be read; `unreadable` says that it has some all the same.

    `tool` is the name of the tool that wrote them, or empty. `says_ai` and `signed` are the file's word: nothing proves it.
    `signed` means that it carries Content Credentials (C2PA).
    """

    parameters: Parameters | None
    says_ai: bool
    signed: bool
    unreadable: bool = False
    tool: str = ""


def describe(data: bytes) -> Description:
    """What a PNG, JPEG or WebP says of itself. Raises BadSource. Blocks: a stranger's file belongs into a process of its own."""
    contents = containers.read(data)
    found = metadata.read(contents.texts, contents.left_out)
    return Description(
        parameters=found.parameters,
        says_ai=any(_AI_MARK.search(each) for each in (contents.xmp, data)),
        signed=all(name in data for name in _CREDENTIALS),
        unreadable=found.unreadable,
        tool=found.tool,
    )
