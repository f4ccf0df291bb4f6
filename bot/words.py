"""Finds forbidden words in what people write, however they disguise them. Pure.

A rule is a word or a phrase, like `kill` or `kill all`, and matches whole words only: `kill` is not in "skill". A `*` at
its beginning or end stands for any more letters there: `kill*` matches "killer", too. Rules and texts are compared
without regard to case, accents, look-alike letters, digits for letters ("k1ll"), invisible characters, and letters
set apart ("k i l l", "k.i.l.l"). The time is linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.lookalikes import LATIN, READ_AS

LONGEST_RULE = 60
_SHORTEST_DISGUISED = 3
"""Letters of a rule from which digits count as letters: "3d" is not "ed"."""

_INVISIBLE = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}  # blanks that count as letters or symbols
_ACCENTS = ((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE2F))
"""Blocks of marks that only adorn a letter. Those of other scripts are part of their words."""

_SET_APART = re.compile(r"(?<![ws])[ws]([^ws]{1,3})[ws](?:\1[ws])+(?![ws])")
"""In a text's kinds: three or more single letters with the same between each two."""

_PUNCTUATED = re.compile(r"(?<=w)[^w ']+(?=w)")
"""In a text's kinds: signs between letters. An apostrophe is none: "he'll" is two words."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A word or phrase as it is compared, and whether the words at its ends may go on."""

    core: str
    open_start: bool = False
    open_end: bool = False

    @classmethod
    def parse(cls, text: str) -> Rule:
        """The rule that a person wrote. Raises ValueError, with a sentence, for what is none."""
        text = text.strip()
        core = _spaced(_folded(text.strip("*"))).text.strip()
        if not any(map(_is_letter, core)):
            raise ValueError("A rule needs a word of letters or digits, like `kill` or `kill*`.")
        if len(core) > LONGEST_RULE:
            raise ValueError(f"A rule can be {LONGEST_RULE} characters long at most.")
        return cls(core, text.startswith("*"), text.endswith("*"))

    def __str__(self) -> str:
        return "*" * self.open_start + self.core + "*" * self.open_end

    def reads(self, text: str) -> bool:
        """Whether the rule's letters can be read in a text of the same length."""
        if text == self.core:
            return True
        if len(self.core) < _SHORTEST_DISGUISED or text.replace(" ", "").isdigit():
            return False
        return all(
            mine == theirs or mine in READ_AS.get(theirs, "")
            for mine, theirs in zip(self.core, text, strict=True)
        )


class RuleSet:
    """What is blocked, and what is allowed although a blocked word is in it."""

    def __init__(self, blocked: Iterable[Rule] = (), allowed: Iterable[Rule] = ()) -> None:
        self._blocked = _Index(blocked)
        self._allowed = _Index(allowed)

    def find(self, text: str) -> str | None:
        """The first forbidden word, as it stands in the text."""
        for reading in _readings(text) if self._blocked else ():
            words = _Words(reading.text)
            reach = self._reach(words)
            for start, end, _ in self._blocked.matches(words):
                if reach[start] < end:
                    first, last = words.begin[start], words.finish[end - 1]
                    return _cut(text, reading.origin[first], reading.origin[last - 1])
        return None

    def _reach(self, words: _Words) -> list[int]:
        """For each position, the furthest end of what is allowed and begins there or before."""
        reach = [0] * (len(words.text) + 1)
        for start, end, rule in self._allowed.matches(words):
            start = words.begin[start] if rule.open_start else start
            reach[start] = max(reach[start], words.finish[end - 1] if rule.open_end else end)
        for position in range(1, len(reach)):
            reach[position] = max(reach[position], reach[position - 1])
        return reach


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a text. `origin[n]` is where the n-th character stood in what the person wrote."""

    text: str
    origin: tuple[int, ...]

    def without(self, dropped: set[int]) -> _Reading:
        kept = [n for n in range(len(self.text)) if n not in dropped]
        return _Reading("".join(self.text[n] for n in kept), tuple(self.origin[n] for n in kept))


class _Words:
    """A reading's words: `begin[n]` and `finish[n]` are where the word around the n-th character begins and ends."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.key = text.translate(_KEYS)
        size = len(text)
        inside = [_is_letter(character) for character in text]
        self.edge = [True, *(not (inside[n - 1] and inside[n]) for n in range(1, size)), True]
        self.begin, self.finish = list(range(size)), list(range(1, size + 1))
        for n in range(1, size):
            if not self.edge[n]:
                self.begin[n] = self.begin[n - 1]
        for n in range(size - 2, -1, -1):
            if not self.edge[n + 1]:
                self.finish[n] = self.finish[n + 1]


class _Index:
    """Rules by a key that every text which they match shares, so that many rules cost no more than few."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.core.translate(_KEYS), []).append(rule)
        self._lengths = sorted({len(key) for key in self._rules})
        self._inside_words = any(rule.open_start for same in self._rules.values() for rule in same)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def matches(self, words: _Words) -> Iterator[tuple[int, int, Rule]]:
        """Where rules match: start, end and the rule."""
        for start in range(len(words.text) if self else 0):
            if not words.edge[start] and not self._inside_words:
                continue
            for length in self._lengths:
                end = start + length
                if end > len(words.text):
                    break
                for rule in self._rules.get(words.key[start:end], ()):
                    if (
                        (rule.open_start or words.edge[start])
                        and (rule.open_end or words.edge[end])
                        and rule.reads(words.text[start:end])
                    ):
                        yield start, end, rule


def _cut(text: str, first: int, last: int) -> str:
    """From the first character to the last, with the accents that follow it."""
    end = last + 1
    while end < len(text) and not _fold(text[end]):
        end += 1
    return text[first:end]


def _readings(text: str) -> Iterator[_Reading]:
    """The ways to read a text; in most texts they are the same, and each is given once."""
    plain = _folded(text)
    kinds = "".join(_kind(character) for character in plain.text)
    ways = (
        _spaced(plain),
        _spaced(plain, signs=True),
        _spaced(plain.without(_gaps(kinds, plain.text, whole=True))),
        _spaced(plain.without(_gaps(kinds, plain.text, whole=False))),
        _spaced(plain.without({n for found in _PUNCTUATED.finditer(kinds) for n in range(*found.span())})),
    )
    seen: set[str] = set()
    for way in ways:
        if way.text not in seen:
            seen.add(way.text)
            yield way


def _gaps(kinds: str, text: str, *, whole: bool) -> set[int]:
    """What is between letters set apart. Unless `whole`, an "a" or "I" at either end stays a word: "I k i l l"."""
    gaps: set[int] = set()
    for found in _SET_APART.finditer(kinds):
        start, end, width = found.start(), found.end(), len(found[1])
        if not whole:
            start += (width + 1) * (text[start] in "ai")
            end -= (width + 1) * (text[end - 1] in "ai")
        gaps.update(n for n in range(start, end) if kinds[n] not in "ws")
    return gaps


def _spaced(reading: _Reading, *, signs: bool = False) -> _Reading:
    """The same with one space for whatever stands between words, signs that may be letters included if `signs`."""
    kept = "w" if signs else "ws"
    text, origin = [], []
    for character, place in zip(reading.text, reading.origin, strict=True):
        if _kind(character) in kept:
            text.append(character)
            origin.append(place)
        elif text and text[-1] != " ":
            text.append(" ")
            origin.append(place)
    return _Reading("".join(text), tuple(origin))


def _folded(text: str) -> _Reading:
    pairs = [(part, place) for place, character in enumerate(text) for part in _fold(character)]
    return _Reading("".join(part for part, _ in pairs), tuple(place for _, place in pairs))


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    """A character without case, accent and disguise; nothing for an invisible one."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold())
    return "".join(LATIN.get(part, part) for part in parts if not _is_adornment(part))


def _is_adornment(character: str) -> bool:
    return (
        unicodedata.category(character) == "Cf"
        or character in _INVISIBLE
        or any(first <= ord(character) <= last for first, last in _ACCENTS)
    )


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """`w` for letters and digits, `s` for a sign that may be a letter, or what stands between words itself."""
    if _is_letter(character):
        return "w"
    if character in READ_AS:
        return "s"
    if character.isspace():
        return " "
    return "'" if character in "’‘`´" else character


@lru_cache(maxsize=4096)
def _is_letter(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def _keys() -> dict[int, str]:
    """One character for all that may be read as each other."""
    key: dict[str, str] = {}
    for sign, letters in READ_AS.items():
        together = {sign, *letters}
        together |= {one for one, its in key.items() if its in {key.get(each) for each in together} - {None}}
        key.update(dict.fromkeys(together, min(together)))
    return {ord(character): name for character, name in key.items()}


_KEYS = _keys()
