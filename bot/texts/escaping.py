"""Makes text that people wrote harmless to show: no ping, no link, no formatting, no characters that fool the eye."""

from __future__ import annotations

import re
import unicodedata

_MARKDOWN = re.compile(r"([\\*_~|`>\[\]()#-])")
_JOINERS = {"\u200d", "\ufe0f"}  # emoji sequences need them
_BREAK = "\u200b"
_MARKS_IN_A_ROW = 2


def inert(text: str, *, limit: int = 300) -> str:
    """`text` on one line, at most `limit` of its characters, safe inside a Discord message.

    `AllowedMentions` stops pings; this also stops what it does not: `<#1>`, `</command:1>`, `<t:1>`, bare links and
    invites, masked links, headings, bidirectional overrides and stacks of combining marks.
    """
    plain = readable(text)
    if len(plain) > limit:
        plain = plain[: limit - 1].rstrip() + "…"
    escaped = _MARKDOWN.sub(r"\\\1", plain)
    escaped = escaped.replace("@", "@" + _BREAK).replace("<", "<" + _BREAK).replace("://", ":" + _BREAK + "//")
    return re.sub(r"(?i)(discord(?:app)?)\.", r"\1" + _BREAK + ".", escaped)


def copyable(text: str) -> str:
    """`text` on one line in a block of code, to be copied as it is; it can't end the block."""
    harmless = readable(text).replace("`", "'")
    return f"```\n{harmless}\n```"


def readable(text: str) -> str:
    """`text` on one line without control characters, invisible formatting or more than two combining marks in a row."""
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") and character not in _JOINERS else 0
        if character.isspace():
            kept.append(" ")
        elif marks <= _MARKS_IN_A_ROW and (category[0] != "C" or character in _JOINERS):
            kept.append(character)
    return re.sub(" {2,}", " ", "".join(kept)).strip()


def file_stem(text: str, *, limit: int = 40) -> str:
    """`text` as part of a file name: ASCII letters, digits and underscores, at most `limit`; "easel" if none are left."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "_", ascii_only).strip("_")[:limit].strip("_") or "easel"
