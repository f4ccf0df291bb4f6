"""What crosses the seam between the bot and a generator: requests, events, failures, `Generator` itself.

Everything here is plain data from the standard library, so that the bot, the storage and the worker process
can share it without sharing anything else. Pictures cross as encoded bytes, never as paths.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, Protocol

MAX_SEED = 2**32 - 1
"""Largest seed that a person may give: Midjourney's range, and torch's CPU generator takes it everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What every kind of request says of how it is drawn."""

    #: A key of the catalogue.
    model: str
    prompt: str
    #: What is to be left out.
    negative: str = ""
    #: Pixels.
    width: int
    height: int
    #: Denoising steps of the whole schedule.
    steps: int
    #: The scale of classifier-free guidance.
    guidance: float
    #: One for each picture, so their number is the size of the batch.
    seeds: tuple[int, ...]
    #: Keeps the words out of the pictures' files.
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToImage:
    """Draw a prompt from noise."""

    sampling: Sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageToImage:
    """Draw a prompt starting from a picture.

    `source` is an encoded PNG, JPEG or WebP; `strength` in (0, 1] says how much of it is drawn anew (SDEdit,
    https://arxiv.org/abs/2108.01073), so it is the part of the steps that are run.
    """

    sampling: Sampling
    strength: float
    source: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inpaint:
    """Draw a part of a picture anew: what is white in `mask`. The rest stays as it is, pixel for pixel.

    `source` and `mask` are encoded PNG, JPEG or WebP; `strength` in (0, 1] says how much of the part is drawn anew.
    """

    sampling: Sampling
    strength: float
    source: bytes = b""
    mask: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Change a picture as the prompt says. `sources` are encoded PNG, JPEG or WebP; the first is the one to change."""

    sampling: Sampling
    sources: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Draw a prompt along a picture of edges, or of depths, as the model was taught: `source`, a PNG, JPEG or WebP."""

    sampling: Sampling
    source: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outpaint:
    """Draw around a picture. The canvas has the sampling's size, and the picture fills `place` of it: (left, top, width,
    height) in pixels, where it stays as it is.
    """

    sampling: Sampling
    place: tuple[int, int, int, int]
    source: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Draw a prompt as a picture whose left edge continues its right one, and its upper the lower one."""

    sampling: Sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """Draw something of each of several pictures; `strength` in (0, 1] says how far from their average it may go."""

    sampling: Sampling
    strength: float
    sources: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscale:
    """Draw a picture larger: at the sampling's size, which only the source's shape and 4,096 pixels a side limit.

    `strength` in (0, 1] says how much of the detail is drawn anew; one seed. Where it takes several parts, each is drawn
    without the prompt.
    """

    sampling: Sampling
    strength: float
    source: bytes = b""


Request = TextToImage | ImageToImage | Inpaint | Edit | Control | Outpaint | Tile | Blend | Upscale

_KINDS: dict[str, type[Any]] = {
    "text-to-image": TextToImage,
    "image-to-image": ImageToImage,
    "inpaint": Inpaint,
    "edit": Edit,
    "control": Control,
    "outpaint": Outpaint,
    "tile": Tile,
    "blend": Blend,
    "upscale": Upscale,
}
_PICTURES = ("source", "mask", "sources")
"""The fields that hold pictures, which are stored as files."""


def to_json(request: Request) -> str:
    """The request as JSON text for storing, without its pictures, which are stored as files.

    The fields of its sampling stand beside its own, as they did before there was a `Sampling`.
    """
    values = {name: value for name, value in asdict(request).items() if name not in _PICTURES}
    kind = next(name for name, cls in _KINDS.items() if isinstance(request, cls))
    return json.dumps({"kind": kind, **values.pop("sampling"), **values}, ensure_ascii=False)


def from_json(text: str) -> Request:
    """The request that `to_json` wrote, in this version or an earlier one. Raises ValueError for text that is not one."""
    values = json.loads(text)
    if not isinstance(values, dict) or values.get("kind") not in _KINDS:
        raise ValueError("not a stored request")
    cls = _KINDS[values["kind"]]
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    try:
        request: Request = cls(sampling=Sampling(**_of(Sampling, values)), **_of(cls, values))
        return request
    except TypeError as error:
        raise ValueError(f"not a stored request: {error}") from error


def _of(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: values[field.name] for field in fields(cls) if field.name in values}


def with_seeds(request: Request, seeds: tuple[int, ...]) -> Request:
    """The request for other pictures: one for each seed."""
    return replace(request, sampling=replace(request.sampling, seeds=seeds))


def with_source(request: Request, source: bytes) -> Request:
    """The request with the picture that it is drawn over, which is not stored with it."""
    return replace(request, source=source) if isinstance(request, ImageToImage) else request


class FailureReason(StrEnum):
    """Why a request ended without pictures."""

    CANCELLED = "cancelled"
    """Somebody asked for it to stop."""
    WORKER_DIED = "worker_died"
    """The process that drew it ended; another attempt may succeed."""
    WORKER_HUNG = "worker_hung"
    """No step finished for too long, so the process was killed; another attempt may succeed."""
    MODEL_UNUSABLE = "model_unusable"
    """The model can't be loaded: files missing or broken, or it doesn't fit in memory."""
    OUT_OF_MEMORY = "out_of_memory"
    """This request needs more memory than there is."""
    BROKEN_IMAGE = "broken_image"
    """The pictures came out as NaN or blank."""
    SOURCE_GONE = "source_gone"
    """The picture that it starts from was deleted meanwhile."""
    UNCHECKED = "unchecked"
    """The safety check of results is wanted and doesn't work, so nothing may be shown."""
    BAD_REQUEST = "bad_request"
    """The request can't be carried out by this model, whoever asks."""
    INTERNAL = "internal"
    """A bug: `detail` says where."""

    @property
    def worth_another_attempt(self) -> bool:
        """Whether the same request may succeed when it is tried again."""
        return self in (FailureReason.WORKER_DIED, FailureReason.WORKER_HUNG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Work on the request began; loading the model, if need be, is still to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """`step` of `steps` denoising steps are done, 0 while the model loads.

    `preview` is a small JPEG of the whole batch.
    """

    step: int
    steps: int
    preview: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """All pictures, in the order of the request's seeds.

    `images` are PNG files at full size, `grid` is one JPEG that shows them all (a single image: that image).
    `seconds` is the time spent drawing, without loading. `unsafe` are the numbers, from 1, of the pictures that the
    safety check found unsafe, and None if there was no check.
    """

    images: tuple[bytes, ...]
    grid: bytes
    seconds: float
    unsafe: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No pictures. `detail` is for the log and the host, never shown to a member."""

    reason: FailureReason
    detail: str = ""


Event = Started | Progressed | Finished | Failed


class ModelState(StrEnum):
    """How ready a model is on a generator."""

    COLD = "cold"
    """Known, not loaded."""
    WARM = "warm"
    """Loaded: the next request for it starts at once."""
    UNUSABLE = "unusable"
    """Tried, and it could not be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """A model's state, with the reason if it is unusable."""

    state: ModelState
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a generator fares, for its host.

    `ready` says whether it could begin a request now, `starts` how often what draws was started so far. `trouble` says
    what keeps it from drawing, and is empty while nothing does, also while it still starts.
    """

    ready: bool
    starts: int = 1
    trouble: str = ""


class Generator(Protocol):
    """Something that turns requests into pictures: a local worker process, a cluster, or a test's fake."""

    @property
    def capacity(self) -> int:
        """How many requests it can hold at once."""
        ...

    def models(self) -> Mapping[str, ModelStatus]:
        """The state of every model that it knows, by key."""
        ...

    def safety(self) -> ModelStatus | None:
        """The state of the classifier that checks results; None if the host wants none, or before it is known."""
        ...

    def condition(self) -> Condition:
        """How it fares now."""
        ...

    async def start(self) -> None:
        """Make it ready to take requests; loading may go on afterwards."""
        ...

    async def close(self) -> None:
        """End it and everything it started. Requests still inside are dropped."""
        ...

    def submit(self, ticket: str, request: Request) -> None:
        """Hand over a request under a name of the caller's, unique to this attempt. Never blocks."""
        ...

    def cancel(self, ticket: str) -> None:
        """Stop a request within a denoising step. Unknown and ended tickets are ignored."""
        ...

    def events(self, ticket: str) -> AsyncIterator[Event]:
        """The events of a submitted request, in order; `Finished` or `Failed` always comes, as the last."""
        ...
