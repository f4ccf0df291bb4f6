"""Finds forbidden words in what people write, however they disguise them. Pure.

A rule is a word or a phrase, like `kill` or `kill all`, and matches whole words only: `kill` is not in "skill". A `*` at
its beginning or end stands for any more letters there: `kill*` matches "killer", too. Rules and texts are compared
without regard to case, accents, look-alike letters, digits for letters ("k1ll"), invisible characters, and letters
set apart ("k i l l", "k.i.l.l"). The time is linear in the length of the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.wordfilter.confusables import READ_AS
from bot.wordfilter.normalization import Form, Reading, fold, folded, is_letter, readings
from bot.wordfilter.obfuscation import is_meant

LONGEST_RULE = 60
_SHORTEST_DISGUISED = 3
"""Letters of a rule from which digits count as letters: "3d" is not "ed"."""


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
        core = folded(text.strip("*"))
        if not any(map(is_letter, core)):
            raise ValueError("A rule needs a word of letters or digits, like `kill` or `kill*`.")
        if len(core) > LONGEST_RULE:
            raise ValueError(f"A rule can be {LONGEST_RULE} characters long at most.")
        return cls(core, text.startswith("*"), text.endswith("*"))

    def __str__(self) -> str:
        return "*" * self.open_start + self.core + "*" * self.open_end


def _reads(core: str, text: str) -> bool:
    """Whether a rule's letters can be read in a text of the same length."""
    if text == core:
        return True
    if len(core) < _SHORTEST_DISGUISED or text.replace(" ", "").isdigit():
        return False
    return all(mine == theirs or mine in READ_AS.get(theirs, "") for mine, theirs in zip(core, text, strict=True))


class RuleSet:
    """What is blocked, and what is allowed although a blocked word is in it."""

    def __init__(self, blocked: Iterable[Rule] = (), allowed: Iterable[Rule] = ()) -> None:
        blocked, allowed = list(blocked), list(allowed)
        self._blocked = {form: _Index(blocked, form) for form in Form}
        self._allowed = {form: _Index(allowed, form) for form in Form}

    def find(self, text: str) -> str | None:
        """The first forbidden word, as the text writes it."""
        for reading in readings(text) if self._blocked[Form.WORDS] else ():
            words = _Words(reading)
            reach = self._reach(words)
            for start, end, _ in self._blocked[reading.form].matches(words):
                if reach[start] < end:
                    first, last = words.begin[start], words.finish[end - 1]
                    return _cut(text, reading.origin[first], reading.until[last - 1])
        return None

    def _reach(self, words: _Words) -> list[int]:
        """For each position, the furthest end of what is allowed and begins there or before."""
        reach = [0] * (len(words.text) + 1)
        for start, end, rule in self._allowed[words.reading.form].matches(words):
            start = words.begin[start] if rule.open_start else start
            reach[start] = max(reach[start], words.finish[end - 1] if rule.open_end else end)
        for position in range(1, len(reach)):
            reach[position] = max(reach[position], reach[position - 1])
        return reach


class _Words:
    """A reading's words: `begin[n]` and `finish[n]` are where the word around the n-th character begins and ends."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.text = text = reading.text
        self.key = text.translate(_KEYS)
        size = len(text)
        inside = [is_letter(character) for character in text]
        gaps = reading.gaps or ("",) * size
        self.edge = [
            True,
            *(bool(gaps[n]) or not (inside[n - 1] and inside[n]) for n in range(1, size)),
            True,
        ]
        self.begin, self.finish = list(range(size)), list(range(1, size + 1))
        for n in range(1, size):
            if not self.edge[n]:
                self.begin[n] = self.begin[n - 1]
        for n in range(size - 2, -1, -1):
            if not self.edge[n + 1]:
                self.finish[n] = self.finish[n + 1]


class _Index:
    """Rules by a key that every text which they match shares, so that many rules cost no more than few."""

    def __init__(self, rules: Iterable[Rule], form: Form) -> None:
        self._rules: dict[str, list[tuple[str, Rule]]] = {}
        for rule in rules:
            core = form.of(rule.core)
            self._rules.setdefault(core.translate(_KEYS), []).append((core, rule))
        self._lengths = sorted({len(key) for key in self._rules})
        self._inside_words = any(rule.open_start for same in self._rules.values() for _, rule in same)

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
                for core, rule in self._rules.get(words.key[start:end], ()):
                    if (
                        (rule.open_start or words.edge[start])
                        and (rule.open_end or words.edge[end])
                        and _reads(core, words.text[start:end])
                        and is_meant(
                            words.reading,
                            rule.core,
                            start,
                            end,
                            open_start=rule.open_start,
                            open_end=rule.open_end,
                        )
                    ):
                        yield start, end, rule


def _cut(text: str, first: int, last: int) -> str:
    """From the first character to the last, with the accents that follow it."""
    end = last + 1
    while end < len(text) and not fold(text[end]):
        end += 1
    return text[first:end]


def _keys() -> dict[int, str]:
    """One character for all that may be read as each other."""
    key: dict[str, str] = {}
    for sign, letters in READ_AS.items():
        together = {sign, *letters}
        together |= {one for one, its in key.items() if its in {key.get(each) for each in together} - {None}}
        key.update(dict.fromkeys(together, min(together)))
    return {ord(character): name for character, name in key.items()}


_KEYS = _keys()
