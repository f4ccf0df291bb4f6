"""From what a person asked for to a request that a generator can carry out. Pure: no Discord, no database."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.errors import BadPrompt, UnknownModel
from bot.jobs.prompts import PRIVATE_PROMPT, Parsed
from bot.texts.escaping import inert
from generation.builtin.vocabulary import unknown_words
from generation.catalogue import Catalogue, ModelSpec
from generation.contract import MAX_SEED, ImageToImage, Request, TextToImage, from_json
from storage.jobs.job import Job

Action = Literal["imagine", "vary", "reroll"]
"""What people can have drawn: admins keep one for roles, or make it free, by this name."""

_FAR_OFF = 0.1
"""How far a shape may be from what was asked before it is said: sizes come in steps, so that a little is usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Most:
    """The most that a person may ask for in a server, None for no limit: pictures at once, and pixels of the longer side.

    What nobody asked for by a flag is lowered to it, and the person is told.
    """

    pictures: int | None = None
    size: int | None = None


UNLIMITED = Most()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to draw, at which price in credits, and what it comes from.

    `prompt` is what everybody may read, in messages, file names and lists; what is drawn stands in the request.
    `adult` says that its model, or what it comes from, is for adults. `notes` are sentences for the person: what was
    lowered to the server's limits, and what their model will not heed.
    """

    action: Action
    prompt: str
    request: Request
    price: int
    adult: bool
    parent_id: str | None = None
    parent_index: int | None = None
    notes: tuple[str, ...] = ()


def imagine(
    parsed: Parsed,
    *,
    catalogue: Catalogue,
    default_model: str,
    images: int,
    random: random.Random,
    among_adults: bool = False,
    most: Most = UNLIMITED,
    problems: Sequence[str] = (),
) -> Order:
    """The order for a parsed prompt, with what was wrong in it already.

    Raises UnknownModel, or BadPrompt with these problems and each value outside the model's ranges.
    """
    try:
        spec = find_model(parsed.model or default_model, catalogue, among_adults=among_adults)
    except UnknownModel as unknown:
        raise (BadPrompt(*problems, unknown) if problems else unknown) from None
    if problems := (*problems, *_out_of_range(parsed, spec)):
        raise BadPrompt(*problems)
    guidance = None if "guidance" in spec.ignores else parsed.guidance
    usual = min(images, spec.max_images)
    count = parsed.count or min(usual, most.pictures or usual)
    whole = spec.size_for(parsed.aspect) if parsed.aspect else (spec.width, spec.height)
    width, height = _within(spec, whole, parsed.aspect or whole, most.size)
    seed = parsed.seed if parsed.seed is not None else random.randint(0, MAX_SEED)
    request = TextToImage(
        model=spec.key,
        prompt=parsed.prompt,
        negative="" if "negative" in spec.ignores else parsed.negative or "",
        width=width,
        height=height,
        steps=parsed.steps or spec.steps,
        guidance=spec.guidance if guidance is None else guidance,
        seeds=batch_of_seeds(seed, count),
        private=parsed.private,
    )
    return Order(
        action="imagine",
        prompt=PRIVATE_PROMPT if parsed.private else parsed.prompt,
        request=request,
        price=spec.price("imagine", count),
        adult=spec.adult,
        notes=(
            *_lowered(whole, (width, height), count if parsed.count else usual, count),
            *_notes(parsed, spec, width / height),
        ),
    )


def _within(
    spec: ModelSpec, size: tuple[int, int], aspect: tuple[int, int], longest: int | None
) -> tuple[int, int]:
    """The size, or the largest of that aspect ratio within `longest` if the model draws so small at all."""
    smallest = -(-spec.min_side // spec.multiple) * spec.multiple
    if longest is None or max(size) <= longest or longest < smallest:
        return size
    return replace(spec, max_side=longest).size_for(aspect)


def _lowered(whole: tuple[int, int], size: tuple[int, int], usual: int, count: int) -> Iterator[str]:
    """What was lowered to the server's limits, as a sentence."""
    parts = []
    if size != whole:
        parts.append(f"{_times(size)} instead of {_times(whole)}")
    if count != usual:
        parts.append(f"{count} picture{'s' if count > 1 else ''} instead of {usual}")
    if parts:
        yield f"{', and '.join(parts)}: this server's limit for you."


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"


def vary(
    parent: Job,
    index: int,
    *,
    strength: float | None,
    catalogue: Catalogue,
    random: random.Random,
    most: Most = UNLIMITED,
) -> Order:
    """Variations of picture `index` (from 1) of a finished job: its prompt drawn over it with fresh seeds.

    `strength` in (0, 1] says how much is drawn anew; None takes the model's own. What is more than `most` is lowered.
    """
    drawn = from_json(parent.request)
    spec = find_model(drawn.model, catalogue)
    whole = (drawn.width, drawn.height)
    width, height = _within(spec, whole, whole, most.size)
    request = ImageToImage(
        model=drawn.model,
        prompt=drawn.prompt,
        negative=drawn.negative,
        width=width,
        height=height,
        steps=drawn.steps,
        guidance=drawn.guidance,
        seeds=_fresh_seeds(drawn, random, most),
        private=drawn.private,
        strength=spec.strength if strength is None else strength,
    )
    return Order(
        action="vary",
        prompt=parent.prompt,
        request=request,
        price=spec.price("vary", len(request.seeds)),
        adult=spec.adult or parent.adult,
        parent_id=parent.id,
        parent_index=index,
        notes=tuple(_lowered(whole, (width, height), len(drawn.seeds), len(request.seeds))),
    )


def reroll(parent: Job, *, catalogue: Catalogue, random: random.Random, most: Most = UNLIMITED) -> Order:
    """The same request with new seeds, within `most`. A reroll of variations varies the same picture again."""
    drawn = from_json(parent.request)
    spec = find_model(drawn.model, catalogue)
    seeds = _fresh_seeds(drawn, random, most)
    varied = isinstance(drawn, ImageToImage)
    whole = (drawn.width, drawn.height)
    width, height = _within(spec, whole, whole, most.size)
    return Order(
        action="reroll",
        prompt=parent.prompt,
        request=replace(drawn, width=width, height=height, seeds=seeds),
        price=spec.price("reroll", len(seeds)),
        adult=spec.adult or parent.adult,
        parent_id=parent.parent_id if varied else parent.id,
        parent_index=parent.parent_index if varied else None,
        notes=tuple(_lowered(whole, (width, height), len(drawn.seeds), len(seeds))),
    )


def find_model(name: str, catalogue: Catalogue, *, among_adults: bool = False) -> ModelSpec:
    """The model whose key or shown name is `name`, in any case.

    Raises UnknownModel, which names the models for adults `among_adults` only.
    """
    for spec in catalogue.values():
        if name.casefold() in (spec.key.casefold(), spec.name.casefold()):
            return spec
    raise UnknownModel(name, tuple(catalogue.named(among_adults=among_adults)))


def _fresh_seeds(drawn: Request, random: random.Random, most: Most) -> tuple[int, ...]:
    count = min(len(drawn.seeds), most.pictures or len(drawn.seeds))
    return batch_of_seeds(random.randint(0, MAX_SEED), count)


def batch_of_seeds(first: int, count: int) -> tuple[int, ...]:
    """`count` seeds counting up from `first`, so that picture n can be made again alone with seed `first + n - 1`."""
    return tuple((first + offset) % (MAX_SEED + 1) for offset in range(count))


def _out_of_range(parsed: Parsed, spec: ModelSpec) -> Iterator[str]:
    guidance = None if "guidance" in spec.ignores else parsed.guidance
    for flag, value, low, high in (
        ("--steps", parsed.steps, spec.min_steps, spec.max_steps),
        ("--cfg", guidance, spec.min_guidance, spec.max_guidance),
        ("--count", parsed.count, 1, spec.max_images),
    ):
        if value is not None and not low <= value <= high:
            yield f"`{flag}` must be between {low:g} and {high:g} for {spec.name}."


def _notes(parsed: Parsed, spec: ModelSpec, ratio: float) -> tuple[str, ...]:
    """What the person should know: what the model will not heed."""
    notes = []
    if parsed.aspect and abs(ratio * parsed.aspect[1] / parsed.aspect[0] - 1) > _FAR_OFF:
        notes.append(f"{spec.name} can't draw so long a shape: this is the nearest that it can.")
    if parsed.negative and "negative" in spec.ignores:
        notes.append(f"{spec.name} takes no negative prompt: `--no` was left out.")
    if parsed.guidance is not None and "guidance" in spec.ignores:
        notes.append(f"{spec.name} takes no guidance: `--cfg` was left out.")
    if spec.vocabulary and (unknown := unknown_words(parsed.prompt)):
        listed = inert(", ".join(unknown))
        notes.append(
            f"{spec.name} is small and can't draw: {listed}. A larger model lifts the limit (`/models`)."
        )
    return tuple(notes)
