"""Reads text files that a person wrote with whatever editor: `models.toml`, `.env`, lists of words, tables."""

from __future__ import annotations

import codecs
from pathlib import Path

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotUtf8(ValueError):
    """Bytes that are no UTF-8 text; the message is half a sentence with what to do."""


def decoded(content: bytes) -> str:
    """UTF-8 text, without the byte order mark that editors on Windows put before it. Raises NotUtf8."""
    # UTF-16 of plain letters is also UTF-8, with a null character beside each.
    if content.startswith(_UTF_16) or b"\0" in content[:4]:
        raise NotUtf8('it is UTF-16 text, which some editors call "Unicode": save it as UTF-8')
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotUtf8(f"it is not UTF-8 text (byte {error.start + 1}): save it as UTF-8") from None


def read_lines(path: Path) -> str:
    """The text of a file, its lines ended by `\\n` alone. Raises OSError, and NotUtf8."""
    return decoded(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
