"""Reads what a picture that somebody sent says of itself, without harm, and without decoding where that can be."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from PIL import Image

from generation import parameters, provenance
from generation.parameters import Parameters
from generation.pictures import MAX_SOURCE_BYTES, MAX_SOURCE_PIXELS, BadSource

_FORMATS = ("PNG", "JPEG", "WEBP")
_AI_MARK = re.compile(rb"digitalsourcetype/(compositewith)?trainedalgorithmicmedia", re.IGNORECASE)
"""In XMP as in Content Credentials: https://cv.iptc.org/newscodes/digitalsourcetype/"""
_CREDENTIALS = (b"jumb", b"c2pa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """`parameters` is None where the file has none. `says_ai` and `signed` are the file's word: nothing proves it.

    `signed` means that it carries Content Credentials (C2PA).
    """

    parameters: Parameters | None
    says_ai: bool
    signed: bool


def describe(data: bytes) -> Description:
    """What a PNG, JPEG or WebP says of itself. Raises BadSource. Blocks: use a thread."""
    if len(data) > MAX_SOURCE_BYTES:
        raise BadSource(f"it has more than {MAX_SOURCE_BYTES // 2**20} MiB")
    try:
        return _read(data)
    except BadSource:
        raise
    except Exception as error:  # decoders fed with hostile bytes raise nearly anything
        raise BadSource("it is damaged, or another kind of file") from error


def _read(data: bytes) -> Description:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        across, down = picture.size
        if across * down > MAX_SOURCE_PIXELS:
            raise BadSource(f"it has {across}×{down} pixels, more than {MAX_SOURCE_PIXELS // 10**6} million")
        label = provenance.found_in(picture)
        if not label.text:
            picture.load()  # words may stand behind the pixels; and half a file is refused, not called wordless
            label = provenance.found_in(picture)
    if len(label.text) > parameters.MAX_TEXT:
        raise BadSource(f"its text has more than {parameters.MAX_TEXT} characters")
    return Description(
        parameters=parameters.parse(label.text) if label.text.strip() else None,
        says_ai=any(_AI_MARK.search(each) for each in (label.mark, data)),
        signed=all(name in data for name in _CREDENTIALS),
    )
