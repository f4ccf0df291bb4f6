"""Which characters are read as other ones: letters of other scripts that look Latin, and digits and signs in leetspeak.

The letters are those of Unicode's confusables (https://www.unicode.org/Public/security/latest/confusables.txt) in the
Latin, Greek, Cyrillic, Armenian, Cherokee and Coptic scripts, after case folding.
"""

from __future__ import annotations

_LIKE = {
    "a": "ɑαаᎪⱥᴀ",
    "b": "ƅβвьᏏᏴꞵƀɓʙ",
    "c": "сᏟᴄⲥȼƈ",
    "d": "ԁᎠᏧđɖɗᴅ",
    "e": "εеҽᎬꬲɇᴇəɛ",
    "f": "ϝքẝꞙꬵƒ",
    "g": "ƍɡԍցᏀᏳᶃǥɠɢ",
    "h": "ηнһհᎻᏂⲏħɦʜ",
    "i": "ıɪᎥꙇɨ",
    "j": "ʝϳјᎫɉᴊ",
    "k": "κкᏦⲕƙᴋ",
    "l": "ǀᏞⲓⳑłƚʟ",
    "m": "μϻмᎷⲙɱᴍ",
    "n": "ոռⲛŋɲɴ",
    "o": "οσоօᴏᴑⲟꬽøɵ",
    "p": "ρрᏢⲣƥᴘ",
    "q": "ԛգզʠ",
    "r": "ʀгᎡᎱᏒᴦⲅꭇꭈɍɽ",
    "s": "ƽѕտᏕᏚꜱʂ",
    "t": "τтᎢⲧŧƭᴛ",
    "u": "ʋսᴜꞟꭎꭒʉ",
    "v": "ѵᏙᴠ",
    "w": "ɯѡԝաᎳᏔᴡ",
    "x": "χхⲭꭓ",
    "y": "ɣʏγуүᎩᎽᶌỿⲩꭚɏ",
    "z": "ζᏃᴢƶʐ",
}
_EMOJI_ALPHABETS = (0x1F150, 0x1F170, 0x1F1E6)
"""The first code points of the alphabets of white letters on black circles and squares, and of flags."""

LATIN: dict[str, str] = {
    **{alike: letter for letter, all_alike in _LIKE.items() for alike in all_alike},
    **{chr(first + n): chr(ord("a") + n) for first in _EMOJI_ALPHABETS for n in range(26)},
}
"""The Latin letter for which a case-folded character is taken."""

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
