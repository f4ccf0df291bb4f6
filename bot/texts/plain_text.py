"""Takes invisible characters out of what people type, and knows which characters are dashes. Pure.

What stays reads exactly as it was written: spelling, case and accents are kept. The word filter reads a text far more
freely (`normalization.py`), because it only compares: nobody sees what it reads.
"""

from __future__ import annotations

import re
import unicodedata

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), controls, lone surrogates, and the marks of notes
# between lines.
_IGNORED = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff"
)
_BLANK = "\u2800"
"""An empty braille cell: it counts as a symbol, and shows nothing."""

HYPHENS = "-\u02d7\u2010\u2011\u2043\u207b\u208b\u2212\u30fc\ufe63\uff0d\uff70"
"""What keyboards write for a hyphen or a minus; a Japanese one writes a drawn-out vowel (U+30FC)."""
LONG_DASHES = "\u2012\u2013\u2014\u2015\u2796\u2e3a\u2e3b\ufe31\ufe32\ufe58"
"""What phones and word processors make of two hyphens."""
DASHES = HYPHENS + LONG_DASHES

_JOINERS, _EMOJI_LOOK, _KEYCAP = "\u200c\u200d", "\ufe0e\ufe0f", "\u20e3"
_INVISIBLE = re.compile(f"[{_IGNORED}{_EMOJI_LOOK}]")
_BEFORE_FLAG = re.compile(f"(?<=\\S)(?<![{_IGNORED}])[{_IGNORED}]++(?=(?:[{HYPHENS}]{{2}}|[{LONG_DASHES}])\\w)")
"""An invisible space between a word and a flag is the only space between them."""


def plain(text: str) -> str:
    """`text` without what can't be seen, its words set apart by one space each.

    Kept are joiners inside words of scripts that need them, and what holds an emoji together.
    """
    spaced = _BEFORE_FLAG.sub(" ", text.replace(_BLANK, " "))
    kept: list[str] = []
    for character, behind in zip(spaced, _next_visible(spaced), strict=True):
        if not _INVISIBLE.match(character) or (kept and _holds_together(kept[-1], character, behind)):
            kept.append(character)
    return " ".join("".join(kept).split())


def is_visible(text: str) -> bool:
    """Whether anything of a text that is `plain` can be seen: a letter, a digit, a sign or an emoji."""
    return any(unicodedata.category(character)[0] in "LNPS" for character in text)


def _next_visible(text: str) -> list[str]:
    """For each character the next one behind it that can be seen; a space behind the last."""
    found, behind = [], " "
    for character in reversed(text):
        found.append(behind)
        behind = behind if _INVISIBLE.match(character) else character
    return found[::-1]


def _holds_together(before: str, character: str, behind: str) -> bool:
    """Whether an invisible character belongs to its neighbours."""
    if character in _EMOJI_LOOK:
        return unicodedata.category(before) in ("So", "Sm") or behind == _KEYCAP
    if character not in _JOINERS:
        return False
    emoji = before in _EMOJI_LOOK or unicodedata.category(before) in ("So", "Sk")
    return (emoji and unicodedata.category(behind) == "So") or (_joins(before) and _joins(behind))


def _joins(character: str) -> bool:
    """Whether it is a letter or mark of a script without capitals, as those of Arabic and India are."""
    return unicodedata.category(character) in ("Lo", "Mn", "Mc")
