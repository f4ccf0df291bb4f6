"""Writes the `/imagine` line that draws a described picture again, so that `/imagine` takes it. Pure.

What can't be drawn here is brought into the ranges of the model that draws, and told: the words are in `describe_pages`.
"""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from bot.errors import Refusal, UnknownModel
from bot.jobs import orders
from bot.jobs.flags import read_aspect
from bot.jobs.prompts import MAX_PROMPT, parse, prose
from bot.texts.escaping import readable
from generation.catalogue import Catalogue, ModelSpec
from generation.contract import MAX_SEED
from generation.parameters import Parameters

_SIZE = re.compile(r"([1-9][0-9]{,5})x([1-9][0-9]{,5})")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{,20})?")
_DECIMALS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A setting of the file, such as "steps", and what the line says in its place."""

    setting: str
    was: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The line to copy, or None if there is no prompt that `/imagine` would take.

    `changed` are settings outside of the model's ranges. `seed` and `model` are those of the file that can't be had here,
    or empty. `too_long` counts the characters of a prompt that is too long, and `cut` says that the negative prompt was.
    """

    line: str | None = None
    changed: tuple[Changed, ...] = ()
    seed: str = ""
    model: str = ""
    too_long: int = 0
    cut: bool = False


@dataclass(slots=True, kw_only=True)
class _Draft:
    """The flags of a line, and what had to be changed for them."""

    spec: ModelSpec
    facts: Mapping[str, str]
    flags: dict[str, str] = field(default_factory=dict)
    changed: list[Changed] = field(default_factory=list)

    def put(self, flag: str, setting: str, was: str, now: str) -> None:
        self.flags[flag] = now
        if was != now:
            self.changed.append(Changed(setting=setting, was=was, now=now))


def again(
    parameters: Parameters,
    catalogue: Catalogue,
    *,
    default_model: str,
    usable: Collection[str] | None = None,
    most_pictures: int | None = None,
) -> Again:
    """The line, and what had to be changed. `usable` are the models that can be had, None for all.

    `most_pictures` is what a server lets the person have at once.
    """
    words = _words(parameters.prompt)
    if len(words) > MAX_PROMPT:
        return Again(too_long=len(words))
    named = _model(parameters.facts.get("Model", ""), catalogue, usable)
    draft = _Draft(spec=catalogue[named or default_model], facts=parameters.facts)
    _shape(draft)
    seed = parameters.facts.get("Seed", "")
    if fits := seed.isascii() and seed.isdecimal() and len(seed) <= 10 and int(seed) <= MAX_SEED:
        draft.flags["seed"] = str(int(seed))
    _within_ranges(draft, most_pictures)
    if named:
        draft.flags["model"] = named
    negative = _words(parameters.negative)
    cut = _words(negative[:MAX_PROMPT])  # once more: what is left of a word may read as a flag
    line = _accepted(words, draft.flags, cut, catalogue, default_model)
    return Again(
        line=line,
        changed=tuple(draft.changed),
        seed="" if fits else seed,
        model="" if named else parameters.facts.get("Model", ""),
        cut=len(negative) > MAX_PROMPT,
    )


def _shape(draft: _Draft) -> None:
    """The shape of the file's picture; the model draws it in a size of its own."""
    size = _SIZE.fullmatch(draft.facts.get("Size", ""))
    if not size:
        return
    width, height = draft.spec.width, draft.spec.height
    with contextlib.suppress(ValueError):  # longer than `--ar` takes
        aspect = read_aspect(size[0])
        draft.flags["ar"] = f"{aspect[0]}:{aspect[1]}"
        width, height = draft.spec.size_for(aspect)
    if (width, height) != (int(size[1]), int(size[2])):
        draft.changed.append(Changed(setting="size", was=f"{size[1]}×{size[2]}", now=f"{width}×{height}"))


def _within_ranges(draft: _Draft, most_pictures: int | None) -> None:
    spec, facts = draft.spec, draft.facts
    if (steps := _number(facts.get("Steps", ""))) is not None:
        now = min(max(round(steps), spec.min_steps), spec.max_steps)
        draft.put("steps", "steps", f"{round(steps)}", f"{now}")
    if (guidance := _number(facts.get("CFG scale", ""))) is not None:
        given = round(guidance, _DECIMALS)
        low, high = (0.0, 30.0) if "guidance" in spec.ignores else (spec.min_guidance, min(30.0, spec.max_guidance))
        draft.put("cfg", "guidance", _short(given), _short(min(max(given, low), high)))
    batch = _number("1" if "Batch pos" in facts else facts.get("Batch size", "1")) or 1
    most = min(spec.max_images, most_pictures or spec.max_images)
    draft.put("count", "pictures", f"{round(batch)}", f"{min(max(round(batch), 1), most)}")


def _accepted(
    words: str, flags: Mapping[str, str], negative: str, catalogue: Catalogue, default_model: str
) -> str | None:
    """The line, tried as `/imagine` would try it; so that none is offered that is refused."""
    given = [f"--{name} {value}" for name, value in flags.items()]
    line = " ".join([words, *given, *([f"--no {negative}"] if negative else [])])
    try:
        parsed = parse(line)
        orders.imagine(parsed, catalogue=catalogue, default_model=default_model, images=1, random=random.Random(0))
    except Refusal:
        return None
    return f"/imagine prompt: {line}"


def _words(text: str) -> str:
    """The words in one line as they are shown. None is taken for a flag."""
    return prose(readable(text).replace("`", "'"))


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _short(value: float) -> str:
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def _model(name: str, catalogue: Catalogue, usable: Collection[str] | None) -> str:
    try:
        key = orders.find_model(name, catalogue).key
    except UnknownModel:
        return ""
    return key if usable is None or key in usable else ""
