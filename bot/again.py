"""Writes the `/imagine` line that draws a described picture again. Pure; what can't be said here is left out."""

from __future__ import annotations

from collections.abc import Iterator

from bot.errors import UnknownModel
from bot.flags import FLAGS, read_aspect
from bot.orders import find_model
from bot.plain_text import is_visible, plain
from bot.prompts import MAX_PROMPT, prose
from generation.catalogue import Catalogue
from generation.parameters import Parameters


def line(parameters: Parameters, catalogue: Catalogue) -> str | None:
    """The line to copy, or None where there is no prompt that `/imagine` would take."""
    words = prose(parameters.prompt)
    if not is_visible(words) or len(words) > MAX_PROMPT:
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
    yield "no", prose(plain(parameters.negative)[:MAX_PROMPT])


def _allowed(flag: str, value: str) -> bool:
    try:
        FLAGS[flag].read(value)
    except ValueError:
        return False
    return True


def _aspect(size: str) -> str:
    """A size like `832x1216` as the nearest ratio in small whole numbers."""
    try:
        across, down = read_aspect(size)
    except ValueError:
        return ""
    return f"{across}:{down}"


def _model(name: str, catalogue: Catalogue) -> str:
    try:
        return find_model(name, catalogue).key
    except UnknownModel:
        return ""
