"""Decides whether letters that make up a forbidden word are meant as one, where it isn't simply written. Pure.

In "k ill" and "k.i l.l" a word was taken to pieces; "as s" and "the rapist" are words of their own. What a piece may
not be: one of the commonest short words, in English or another language.
"""

from __future__ import annotations

from itertools import groupby, pairwise

from bot.wordfilter.normalization import Form, Reading, is_drawn_out

_WORDS = """
a about all am an and any are as at away back be been big but by can day de del der des di did die do du e
each el en end est et eye fat few for from fun get go good got had has have he her hers him his hot how i ich
if il in into is ist it its ja jo just la le les like lo long los lot low man many may me men mi more most
much my na nach ne new no nor not now o of off oh ok old on one only or other our out over own per pro que re
red sad se sea see sei set she si sie sir sky so some soon su such sun than that the them then they this to
too top tu two u um un una und up us use van very via von want war was way we wet what when where who why will
with won y ya ye yes yet yo you your zu
"""
COMMON = frozenset(_WORDS.split())
"""Words that are never taken for a piece of another."""
_VOWELS = frozenset("aeiouy")
_SHORT = 3
"""Letters of the longest piece that may be taken for no word only because it is not a common one."""
_WHOLE = 4
"""Letters that each word of a phrase has at least for it to be found run together: "the rapist" is not."""
_APART = 3
"""The widest gap between single letters that belong together."""


def is_meant(reading: Reading, core: str, start: int, end: int, *, open_start: bool, open_end: bool) -> bool:
    """Whether a rule's letters are meant where a reading has them. `core` is the rule as words.

    `open_start` and `open_end` say that the word may go on there.
    """
    match reading.form:
        case Form.WORDS:
            return True
        case Form.DRAWN_OUT:
            return _fits(reading, core, start)
        case Form.TOGETHER:
            return _in_pieces(reading, core, start, end, open_start=open_start, open_end=open_end)


def _fits(reading: Reading, core: str, start: int) -> bool:
    """Whether each letter repeats as often as in the rule, or is drawn out."""
    for place, (letter, same) in enumerate(groupby(core), start=start):
        drawn = letter.isalpha() and is_drawn_out(reading.text, reading.runs, place)
        if not drawn and reading.runs[place] != len(list(same)):
            return False
    return True


def _in_pieces(reading: Reading, core: str, start: int, end: int, *, open_start: bool, open_end: bool) -> bool:
    letters, gaps = Form.TOGETHER.of(core), reading.gaps
    cuts = [start, *(n for n in range(start + 1, end) if gaps[n]), end]
    inner = [gaps[n] for n in cuts[1:-1]]
    if not inner:
        return " " in core and min(map(len, core.split())) >= _WHOLE
    if start and not gaps[start]:
        return False
    pieces = [letters[one - start : other - start] for one, other in pairwise(cuts)]
    single = all(len(piece) == 1 for piece in pieces)
    if single and len(pieces) > 2 and max(map(len, inner)) <= _APART:
        widest = max(map(len, inner))
    elif all(map(str.isspace, inner)) and _are_fragments(pieces) and _has_letters(reading, cuts):
        widest = _APART
        if start and gaps[start] in (".", "'"):
            return False  # "U.S. hit", "the women's ex"
    else:
        return False
    alone = (open_start or _alone(reading, start, -1, widest)) and (open_end or _alone(reading, end, 1, widest))
    return alone and (not single or end == len(reading.text) or bool(gaps[end]))


def _are_fragments(pieces: list[str]) -> bool:
    """Whether at least one piece can't be a word, and none is a common one, but for single letters in between."""
    if any(not piece.isascii() for piece in pieces):
        return False
    if any(piece in COMMON for n, piece in enumerate(pieces) if len(piece) > 1 or n in (0, len(pieces) - 1)):
        return False
    return any(_VOWELS.isdisjoint(piece) for piece in pieces) or max(map(len, pieces)) <= _SHORT


def _has_letters(reading: Reading, cuts: list[int]) -> bool:
    """Whether each piece was written with a letter, and not as a number only."""
    return all(any(letter.isalpha() for letter in reading.text[one:other]) for one, other in pairwise(cuts))


def _alone(reading: Reading, edge: int, step: int, widest: int) -> bool:
    """Whether no single letter is beside an edge as close as those inside: "s k i l l". An "a" or "I" may."""
    beside = _single(reading, edge, step, widest)
    if beside is None:
        return True
    return beside in "ai" and _single(reading, edge + step, step, widest) is None


def _single(reading: Reading, edge: int, step: int, widest: int) -> str | None:
    """The single letter on one side of an edge, if it is no farther from it than `widest`."""
    place = edge if step > 0 else edge - 1
    if not 0 <= place < len(reading.text) or len(reading.gaps[edge]) > widest or not reading.gaps[edge]:
        return None
    other = place + 1 if step > 0 else place
    if other < len(reading.text) and (other and not reading.gaps[other]):
        return None
    return reading.text[place] if reading.text[place].isalpha() else None
