"""The ways in which a text may be read, whatever disguises it. Pure; the time is linear in the length of the text.

A reading is a text without case, accents and look-alike letters, and remembers where each of its characters stood in
what the person wrote. Three forms of reading are compared with rules, each in the same form: words as they are written;
words with letters drawn out ("kiiill"); and everything run together, with the gaps remembered ("k ill", "k.i l.l").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from itertools import accumulate, groupby

from bot.wordfilter.confusables import LATIN, READ_AS

_INVISIBLE = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}  # blanks that count as letters or symbols
_ACCENTS = ((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE2F))
"""Blocks of marks that only adorn a letter. Those of other scripts are part of their words."""
_WIDEST = 4
"""Characters that one may mean: "⑽" is "(10)". One that means more is left as it is."""

_PUNCTUATED = re.compile(r"(?<=w)[^w ']+(?=w)")
"""In a text's kinds: signs between letters. An apostrophe is none: "he'll" is two words."""
_EDGE_DIGITS = re.compile(r"(?<![^\W\d_])(?!5(?!\d))\d+(?=[^\W\d_])|(?<=[^\W\d_])\d+(?![^\W\d_])")
"""Digits before or after a word's letters, but "5kill" is "skill"."""
_APOSTROPHE = re.compile(r"(?<=[a-z])'(?=[a-z])")
_BEFORE_APOSTROPHE = re.compile(r"(?:^|[^a-z])(?:[cdjlmnosty]|qu|dell|nell|all)$")
_AFTER_APOSTROPHE = re.compile(r"(?:[dmst]|em|er|ll|re|ve)(?:[^a-z]|$)")
"""Letters before and after an apostrophe in ordinary words of English, French and Italian."""

_DRAWN_OUT = 3
"""As many equal letters in a row stand for any number of them: no word has so many."""
_MAY_BEGIN_DOUBLE = "aefiloyu"
"""Letters that words begin with twice: "eel", "llama". Digits are never taken for one."""


class Form(Enum):
    """How a text and the rules that it is compared with are written."""

    WORDS = "words"
    """With one space between words."""
    DRAWN_OUT = "drawn out"
    """Like that, with each run of one letter as a single letter."""
    TOGETHER = "together"
    """Without spaces."""

    def of(self, text: str) -> str:
        """A text in this form."""
        match self:
            case Form.WORDS:
                return text
            case Form.DRAWN_OUT:
                return "".join(letter for letter, _ in groupby(text))
            case Form.TOGETHER:
                return text.replace(" ", "")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a text. The n-th character stood from `origin[n]` to `until[n]` in what the person wrote.

    `runs[n]` says how many times it stood in a row there (`DRAWN_OUT` only), and `gaps[n]` what was between it and the
    one before, empty inside a word (`TOGETHER` only).
    """

    text: str
    origin: tuple[int, ...]
    until: tuple[int, ...]
    form: Form = Form.WORDS
    runs: tuple[int, ...] = ()
    gaps: tuple[str, ...] = ()

    def only(self, kept: Iterable[int]) -> Reading:
        """The same, with only the characters at these places."""
        places = list(kept)
        return Reading(
            "".join(self.text[n] for n in places),
            tuple(self.origin[n] for n in places),
            tuple(self.until[n] for n in places),
        )

    def without(self, dropped: set[int]) -> Reading:
        """The same, with the characters at these places left out."""
        return self.only(n for n in range(len(self.text)) if n not in dropped)


def readings(text: str) -> Iterator[Reading]:
    """The ways to read a text; in most texts they are the same, and each is given once."""
    plain = _folded(text)
    kinds = "".join(map(kind, plain.text))
    signs = {n for found in _PUNCTUATED.finditer(kinds) for n in range(*found.span())}
    digits = {n for found in _EDGE_DIGITS.finditer(plain.text) for n in range(*found.span())}
    ways = (
        spaced(plain),
        spaced(plain, signs=True),
        spaced(plain.without(signs)),
        spaced(plain.without(signs | _apostrophes(plain.text))),
        spaced(plain.without(digits)),
        spaced(_folded(text, invisible=" ")),
    )
    seen: set[str] = set()
    for way in ways:
        if way.text not in seen:
            seen.add(way.text)
            yield way
            if (drawn := _drawn_out(way)) is not None:
                yield drawn
    yield _together(plain, kinds)


def folded(text: str) -> str:
    """A text as rules are written: folded, with one space between words."""
    return spaced(_folded(text)).text.strip()


def spaced(reading: Reading, *, signs: bool = False) -> Reading:
    """The same with one space between words, also for signs that may be letters if `signs`."""
    kept = "w" if signs else "ws"
    places: list[int] = []
    letters: list[str] = []
    for n, character in enumerate(reading.text):
        if kind(character) in kept:
            letters.append(character)
            places.append(n)
        elif letters and letters[-1] != " ":
            letters.append(" ")
            places.append(n)
    return replace(reading.only(places), text="".join(letters))


def _apostrophes(text: str) -> set[int]:
    """Those that stand where no ordinary word has one: k'ill, not he'll or l'amour."""
    text = "".join("'" if kind(character) == "'" else character for character in text)
    return {
        found.start()
        for found in _APOSTROPHE.finditer(text)
        if not _BEFORE_APOSTROPHE.search(text[max(0, found.start() - 6) : found.start()])
        and not _AFTER_APOSTROPHE.match(text, found.end())
    }


def _drawn_out(reading: Reading) -> Reading | None:
    """The same with equal letters in a row written once; None where none is drawn out."""
    runs = [(character, len(list(same))) for character, same in groupby(reading.text)]
    counts = tuple(count for _, count in runs)
    begins = [0, *accumulate(counts)][:-1]
    letters = "".join(character for character, _ in runs)
    if not any(is_drawn_out(letters, counts, n) for n in range(len(letters))):
        return None
    return Reading(
        letters,
        tuple(reading.origin[n] for n in begins),
        tuple(reading.until[n + count - 1] for n, count in zip(begins, counts, strict=True)),
        Form.DRAWN_OUT,
        runs=counts,
    )


def is_drawn_out(letters: str, runs: Sequence[int], place: int) -> bool:
    """Whether a letter repeats more often than in words: thrice, or twice where a word begins."""
    if not letters[place].isalpha():
        return False
    doubled = runs[place] == 2 and letters[place] not in _MAY_BEGIN_DOUBLE
    return runs[place] >= _DRAWN_OUT or (doubled and (place == 0 or letters[place - 1] == " "))


def _together(plain: Reading, kinds: str) -> Reading:
    """Letters, and signs that may be letters, without what is between them."""
    kept = [n for n, one in enumerate(kinds) if one in "ws"]
    before = [-1, *kept][:-1]
    gaps = tuple(kinds[last + 1 : n] for last, n in zip(before, kept, strict=True))
    return replace(plain.only(kept), form=Form.TOGETHER, gaps=gaps)


def _folded(text: str, *, invisible: str = "") -> Reading:
    pairs = [
        (part, place)
        for place, character in enumerate(text)
        for part in fold(character) or (invisible if unicodedata.category(character) == "Cf" else "")
    ]
    places = tuple(place for _, place in pairs)
    return Reading("".join(part for part, _ in pairs), places, places)


@lru_cache(maxsize=4096)
def fold(character: str) -> str:
    """A character without case, accent and disguise; nothing for an invisible one."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold())
    if len(parts) > _WIDEST:
        return character
    return "".join(LATIN.get(part, part) for part in parts if not _is_adornment(part))


def _is_adornment(character: str) -> bool:
    return (
        unicodedata.category(character) == "Cf"
        or character in _INVISIBLE
        or any(first <= ord(character) <= last for first, last in _ACCENTS)
    )


@lru_cache(maxsize=4096)
def kind(character: str) -> str:
    """`w` for letters and digits, `s` for a sign that may be a letter, or the character between words itself."""
    if is_letter(character):
        return "w"
    if character in READ_AS:
        return "s"
    if character.isspace():
        return " "
    return "'" if character in "’‘`´" else character


@lru_cache(maxsize=4096)
def is_letter(character: str) -> bool:
    """Whether it is part of a word: a letter, a digit, or a mark of scripts that have them."""
    return character.isalnum() or unicodedata.category(character)[0] == "M"
