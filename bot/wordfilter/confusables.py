"""Which characters are read as other ones: letters of other scripts that look Latin, and digits and signs in leetspeak.

The letters are those of Unicode's confusables (https://www.unicode.org/Public/security/latest/confusables.txt) in the
Latin, Greek, Cyrillic, Armenian, Cherokee and Coptic scripts, after case folding. Letters with a stroke or a hook, and
turned ones and small capitals, are found by their names in Unicode.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain

_LIKE = {
    "a": "ɑαаᎪⱥᴀ₳",
    "b": "ƅβвьᏏᏴꞵƀɓʙ",
    "c": "сᏟᴄⲥȼƈ¢₡₵",
    "d": "ԁᎠᏧđɖɗᴅ",
    "e": "εеҽᎬꬲɇᴇəɛ",
    "f": "ϝքẝꞙꬵƒғ₣",
    "g": "ƍɡԍցᏀᏳᶃǥɠɢ₲",
    "h": "ηнһհᎻᏂⲏħɦʜ",
    "i": "ıɪᎥꙇɨ𐌉",
    "j": "ʝϳјᎫɉᴊ",
    "k": "κкᏦⲕƙᴋĸ₭𐌊",
    "l": "ǀᏞⲓⳑłƚʟ₤",
    "m": "μϻмᎷⲙɱᴍ",
    "n": "ոռⲛŋɲɴ₦",
    "o": "οσоօᴏᴑⲟꬽøɵ",
    "p": "ρрᏢⲣƥᴘ₱",
    "q": "ԛգզʠ",
    "r": "ʀгᎡᎱᏒᴦⲅꭇꭈɍɽ",
    "s": "ƽѕտᏕᏚꜱʂ",
    "t": "τтᎢⲧŧƭᴛ₮",
    "u": "ʋսᴜꞟꭎꭒʉ",
    "v": "ѵᏙᴠ",
    "w": "ɯѡԝաᎳᏔᴡ₩",
    "x": "χхⲭꭓ",
    "y": "ɣʏγуүᎩᎽᶌỿⲩꭚɏ¥",
    "z": "ζᏃᴢƶʐ",
}
_EMOJI_ALPHABETS = (0x1F150, 0x1F170, 0x1F1E6)
"""The first code points of the alphabets of white letters on black circles and squares, and of flags."""

_NAME = re.compile(
    r"LATIN (?:SMALL )?LETTER (?:(?:SMALL CAPITAL|TURNED|REVERSED|SIDEWAYS|INVERTED|OPEN|INSULAR) )*([A-Z])(?: WITH .*)?"
)
_BLOCKS = (
    range(0x0100, 0x0590),
    range(0x1D00, 0x1DC0),
    range(0x2C60, 0x2C80),
    range(0xA640, 0xA800),
    range(0xAB30, 0xAB70),
    range(0x1DF00, 0x1E000),
)
"""Where Latin, Greek and Cyrillic letters are."""


def _adorned(plain: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Further letters whose name says which one they are: turned, or with a hook, like those in `plain`."""
    named = {unicodedata.name(character): letter for character, letter in plain.items()}
    for character in map(chr, chain(*_BLOCKS)):
        name = unicodedata.name(character, "")
        latin, (base, _, rest) = _NAME.fullmatch(name), name.partition(" WITH ")
        letter = latin[1].lower() if latin else named.get(base) if rest else None
        if letter and unicodedata.normalize("NFKD", character.casefold()) == character:
            yield character, letter


READ_AS: dict[str, str] = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "¡": "i",
    "|": "il",
    "+": "t",
    "€": "e",
    "£": "l",
    "ɩ": "il",
    "ι": "il",
    "і": "il",
    "ӏ": "il",
    "ν": "nv",
    "υ": "uy",
}
"""Characters that may be meant as themselves or as any of these letters."""

_PLAIN = {alike: letter for letter, all_alike in _LIKE.items() for alike in all_alike}

LATIN: dict[str, str] = {
    **{character: letter for character, letter in _adorned(_PLAIN) if character not in READ_AS},
    **_PLAIN,
    **{chr(first + n): chr(ord("a") + n) for first in _EMOJI_ALPHABETS for n in range(26)},
}
"""The Latin letter for which a case-folded character is taken."""
