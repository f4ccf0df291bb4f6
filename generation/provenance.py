"""What a picture's file says of itself: the parameters that other tools read, and a mark that AI made it. Pillow only.

Parameters are a text chunk named `parameters` in PNG, and the EXIF UserComment in JPEG and WebP. The mark is IPTC's
digital source type in an XMP packet, which never holds a prompt:
https://iptc.org/std/photometadata/specification/IPTC-PhotoMetadata#digital-source-type
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from PIL.PngImagePlugin import PngInfo

from generation import containers, parameters
from generation.contract import Request
from generation.parameters import Parameters

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's word for a picture that a model drew."""

_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_UNICODE = b"UNICODE\0"
_MAX_SEGMENT = 65_400
"""Bytes in a segment of a JPEG (65,533), less what names it: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.1.1.4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A file's words: `text` holds the parameters, `mark` is an XMP packet; each is empty if there is none."""

    text: str = ""
    mark: bytes = b""

    def options(self, form: str) -> dict[str, Any]:
        """What to save a picture with, so that its "PNG", "JPEG" or "WEBP" file carries this.

        A prompt of more than about 30,000 characters does not fit into a JPEG and is left out there.
        """
        if form == "PNG":
            info = PngInfo()
            if self.text:
                info.add_text("parameters", self.text)
            if self.mark:
                info.add_itxt("XML:com.adobe.xmp", self.mark.decode(errors="replace"))
            return {"pnginfo": info}
        exif, longest = _exif(self.text), _MAX_SEGMENT if form == "JPEG" else math.inf
        if len(exif) > longest:
            facts = parameters.parse(self.text).facts
            exif = _exif(parameters.to_text(Parameters(prompt="", facts=facts)))
        given = {"exif": exif, "xmp": self.mark}
        return {name: value for name, value in given.items() if 0 < len(value) <= longest}


def of_request(request: Request, index: int | None = None) -> Label:
    """The words of image `index` of a request, or of their grid."""
    text = parameters.to_text(parameters.of_request(request, index))
    return Label(text=text, mark=mark(request.sampling.model))


def mark(model: str = "") -> bytes:
    """An XMP packet that says that AI made the picture, with what."""
    facts = {"xmp:CreatorTool": parameters.creator(), "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPE}
    if model:
        facts["Iptc4xmpExt:AISystemUsed"] = model
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in facts.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" {attributes}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def found_in(data: bytes) -> Label:
    """The words of an encoded picture. Raises BadSource for what is none."""
    found = containers.read(data)
    text = found.texts.get("parameters") or found.texts.get("UserComment", "")
    return Label(text=text, mark=found.xmp)


def _exif(text: str) -> bytes:
    """EXIF with nothing but the text as UserComment, whose characters are in the byte order of the whole, as Exif 2.3 asks.

    Pillow would give the comment a type that stricter readers refuse.
    """
    if not text:
        return b""
    comment = _UNICODE + text.encode("utf-16-be")
    first = struct.pack(">HHHIII", 1, _EXIF_IFD, 4, 1, 26, 0)
    second = struct.pack(">HHHIII", 1, _USER_COMMENT, 7, len(comment), 44, 0)
    return b"Exif\0\0MM\0*\0\0\0\x08" + first + second + comment
