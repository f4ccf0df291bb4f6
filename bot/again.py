"""Writes the `/imagine` line that draws a described picture again. Pure; what can't be said here is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from bot.errors import UnknownModel
from bot.orders import find_model
from bot.prompts import FLAGS, MAX_PROMPT, is_flag
from generation.catalogue import Catalogue
from generation.parameters import Parameters

_LARGEST_TERM, _LONGEST = 100, 4


def line(parameters: Parameters, catalogue: Catalogue) -> str | None:
    """The line to copy, or None where there is no prompt that `/imagine` would take."""
    words = _words(parameters.prompt)
    if not 0 < len(words) <= MAX_PROMPT:
        return None
    flags = [f"--{name} {value}" for name, value in _flags(parameters, catalogue) if _allowed(name, value)]
    return " ".join(["/imagine prompt:", words, *flags])


def _flags(parameters: Parameters, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    facts = parameters.facts
    yield "ar", _aspect(facts.get("Size", ""))
    yield "seed", facts.get("Seed", "")
    yield "steps", facts.get("Steps", "")
    yield "cfg", facts.get("CFG scale", "")
    yield "model", _model(facts.get("Model", ""), catalogue)
    yield "count", "1" if "Batch pos" in facts else facts.get("Batch size", "1")
    yield "no", _words(parameters.negative)[:MAX_PROMPT]


def _allowed(flag: str, value: str) -> bool:
    try:
        FLAGS[flag].read(value)
    except ValueError:
        return False
    return True


def _words(text: str) -> str:
    """The words in one line, none of which is taken for a flag."""
    return " ".join(word.lstrip("-–—") if is_flag(word) else word for word in text.split())


def _aspect(size: str) -> str:
    """A size like `832x1216` as the nearest ratio in small whole numbers."""
    across, _, down = size.partition("x")
    if not re.fullmatch(r"[1-9][0-9]{,5}x[1-9][0-9]{,5}", size):
        return ""
    ratio = Fraction(int(across), int(down))
    if not Fraction(1, _LONGEST) <= ratio <= _LONGEST:
        return ""
    flat = min(ratio, 1 / ratio).limit_denominator(_LARGEST_TERM)
    ratio = 1 / flat if ratio > 1 else flat
    return f"{ratio.numerator}:{ratio.denominator}"


def _model(name: str, catalogue: Catalogue) -> str:
    try:
        return find_model(name, catalogue).key
    except UnknownModel:
        return ""
