"""From what a person asked for to a request that a generator can carry out. Pure: no Discord, no database."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.delivery.button_rows import LONGEST_PROMPT
from bot.errors import BadPrompt, UnknownModel
from bot.jobs.policy import UNLIMITED, Most
from bot.jobs.prompts import PRIVATE_PROMPT, Parsed, flags_of
from generation.builtin.nearest import knows_subject, nearest
from generation.catalogue import Catalogue, ModelSpec
from generation.contract import MAX_SEED, Request, Sampling, TextToImage
from storage.jobs.job import Job

_FAR_OFF = 0.1
"""How far a shape may be from what was asked before it is said: sizes come in steps, so that a little is usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What to draw, before it has a price."""

    #: What is drawn.
    request: Request
    #: What everybody may read, in messages, file names and lists.
    prompt: str
    #: Says the price, and what the request may ask for.
    spec: ModelSpec
    #: The job that it comes from.
    parent: Job | None = None
    #: The picture that is drawn over: a job's id, and a number from 1.
    picture: tuple[str, int] | None = None
    #: Prompts that come closest, where the model knows nothing of what this one is about: then it isn't drawn.
    instead: tuple[str, ...] = ()
    #: Sentences for the person: what was lowered to the server's limits, and what the model ignores.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a draft is made from: a job, one of its pictures, and its request to be drawn again."""

    job: Job
    #: The picture meant, from 1.
    index: int
    #: The job's request with fresh seeds, within the server's limits.
    again: Request
    spec: ModelSpec
    #: What was lowered to the limits, as sentences.
    notes: tuple[str, ...] = ()

    def draft(self, request: Request, *, picture: tuple[str, int] | None) -> Draft:
        """The draft of a request that comes from this job, and is drawn over `picture` if any."""
        return Draft(
            request=request,
            prompt=self.job.prompt,
            spec=self.spec,
            parent=self.job,
            picture=picture,
            notes=self.notes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to draw, as it is put into the queue."""

    #: An action's name.
    action: str
    #: What everybody may read, in messages, file names and lists.
    prompt: str
    #: What is drawn.
    request: Request
    #: Credits for all of it.
    price: int
    #: Whether its model, or what it comes from, is for adults.
    adult: bool
    #: Prompts that come closest, where the model knows nothing of what this one is about: then it isn't drawn.
    instead: tuple[str, ...] = ()
    #: The job that it comes from.
    parent_id: str | None = None
    #: The picture of that job that is drawn over, from 1.
    parent_index: int | None = None


def order(action: str, draft: Draft, *, free: Collection[str] = ()) -> Order:
    """The order for a draft. `free` are the actions for which the server takes nothing."""
    parent, picture = draft.parent, draft.picture
    return Order(
        action=action,
        prompt=draft.prompt,
        request=draft.request,
        price=0 if action in free else draft.spec.price(action, len(draft.request.sampling.seeds)),
        adult=draft.spec.adult or (parent is not None and parent.adult),
        instead=draft.instead,
        parent_id=picture[0] if picture else parent.id if parent else None,
        parent_index=picture[1] if picture else None,
    )


def drawn_from(job: Job, index: int, *, catalogue: Catalogue, random: random.Random, most: Most = UNLIMITED) -> Source:
    """What a draft can be made from picture `index` (from 1) of a job. Sizes and counts above `most` are lowered.

    Raises UnknownModel if its model is gone.
    """
    drawn = job.request.sampling
    spec = find_model(drawn.model, catalogue)
    whole = (drawn.width, drawn.height)
    width, height = _within(spec, whole, whole, most.size)
    count = min(len(drawn.seeds), most.pictures or len(drawn.seeds))
    seeds = batch_of_seeds(random.randint(0, MAX_SEED), count)
    return Source(
        job=job,
        index=index,
        again=replace(job.request, sampling=replace(drawn, width=width, height=height, seeds=seeds)),
        spec=spec,
        notes=tuple(_lowered(whole, (width, height), len(drawn.seeds), count)),
    )


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
) -> Draft:
    """The draft for a parsed prompt, with what was wrong in it already.

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
        sampling=Sampling(
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
    )
    return Draft(
        request=request,
        prompt=PRIVATE_PROMPT if parsed.private else parsed.prompt,
        spec=spec,
        instead=tuple(_instead(parsed, spec)),
        notes=(
            *_lowered(whole, (width, height), count if parsed.count else usual, count),
            *_notes(parsed, spec, width / height),
        ),
    )


def _instead(parsed: Parsed, spec: ModelSpec) -> Iterator[str]:
    """What comes closest to a prompt about something that a model of few words doesn't know, with the same flags; where
    they are too long for a button, with that alone which keeps it private.
    """
    if spec.vocabulary and not knows_subject(parsed.prompt):
        for words in nearest(parsed.prompt):
            whole = f"{words} {flags_of(parsed)}".strip()
            short = f"{words} --private" if parsed.private else words
            yield whole if len(whole) <= LONGEST_PROMPT else short


def _within(spec: ModelSpec, size: tuple[int, int], aspect: tuple[int, int], longest: int | None) -> tuple[int, int]:
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


def find_model(name: str, catalogue: Catalogue, *, among_adults: bool = False) -> ModelSpec:
    """The model whose key or shown name is `name`, in any case.

    Raises UnknownModel, which names the models for adults `among_adults` only.
    """
    for spec in catalogue.values():
        if name.casefold() in (spec.key.casefold(), spec.name.casefold()):
            return spec
    raise UnknownModel(name, tuple(catalogue.named(among_adults=among_adults)))


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
    """What the person should know: what the model ignores."""
    notes = []
    if parsed.aspect and abs(ratio * parsed.aspect[1] / parsed.aspect[0] - 1) > _FAR_OFF:
        notes.append(f"{spec.name} can't draw so long a shape: this is the nearest that it can.")
    if parsed.negative and "negative" in spec.ignores:
        notes.append(f"{spec.name} takes no negative prompt: `--no` was left out.")
    if parsed.guidance is not None and "guidance" in spec.ignores:
        notes.append(f"{spec.name} takes no guidance: `--cfg` was left out.")
    return tuple(notes)
