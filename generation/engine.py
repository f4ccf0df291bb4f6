"""Carries out one request as a plain generator of events, looking for cancellation between steps and inside them.

A model draws by a call of diffusers' own pipeline, which pauses after every step: so whoever drives the generator decides
when the next one runs, and no second thread is needed around it.
"""

from __future__ import annotations

import contextlib
import logging
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from generation import encoding, pictures
from generation.calls import Call, Plan, plan
from generation.catalogue import ModelSpec
from generation.containers import BadSource
from generation.contract import (
    MAX_SEED,
    Event,
    Failed,
    FailureReason,
    Finished,
    ModelStatus,
    Progressed,
    Request,
    Sampling,
    Started,
    with_seeds,
)
from generation.pipelines.base import BrokenImage, none_blank, to_picture
from generation.pipelines.loading import Loaded
from generation.residency import NO_PRIMITIVE, ModelUnusable, Residency, free_caches, is_out_of_memory
from generation.safety_check import Guard, Unchecked
from generation.safety_settings import SafetyCheck

log = logging.getLogger(__name__)

_PREVIEW_SECONDS = 0.4
"""The shortest time between two previews of a request; its first step always has one."""
_ENCODERS = 4
"""Threads that write files: one for each picture of a batch."""


class Cancelled(Exception):
    """Raised inside a computation to leave it."""


class BadRequest(ValueError):
    """The model can't do this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """What went wrong, without the exception, which would keep the tensors of its frames alive."""

    reason: FailureReason
    detail: str


class Engine:
    """Draws with the given models on one device, one request at a time.

    `alive` is called often while a computation moves. `changed` is called after a model was loaded, found
    unusable or sent away. `broken` becomes true when the device can't be used any more by this process. With `safety`,
    there are no previews, which nobody checks, and no result without a check.
    """

    def __init__(
        self,
        specs: tuple[ModelSpec, ...],
        device: torch.device,
        *,
        allow_downloads: bool = False,
        safety: SafetyCheck | None = None,
        alive: Callable[[], None] = lambda: None,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.broken = False
        self._specs = {spec.key: spec for spec in specs}
        self._alive, self._clock = alive, clock
        self._cancelled: Callable[[], bool] = _never
        self._guard = Guard(safety, device, allow_downloads=allow_downloads) if safety else None
        self._residency = Residency(
            specs,
            device,
            allow_downloads=allow_downloads,
            pulse=self._pulse,
            beside=lambda: self._guard.memory if self._guard else 0,
            changed=changed,
        )
        self._threads = ThreadPoolExecutor(_ENCODERS, thread_name_prefix="encode")

    def states(self) -> Mapping[str, ModelStatus]:
        """The state of every model."""
        return self._residency.states()

    @property
    def safety(self) -> ModelStatus | None:
        """The state of the classifier that checks results; None where none is wanted."""
        return self._guard.status if self._guard else None

    def prepare_safety(self) -> None:
        """Load the classifier before anybody asks. One that can't be used is only marked."""
        with contextlib.suppress(Unchecked):
            if self._guard:
                self._guard.prepare()

    def preload(self, key: str) -> None:
        """Load a model before anybody asks. One that can't be loaded is only marked."""
        try:
            self._residency.model(key)
        except ModelUnusable:
            log.warning("the default model can't be used")

    def run(self, request: Request, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """The events of a request, `Started` first, `Finished` or `Failed` last. Requests may be advanced in turns.

        If memory runs out, it is tried again in ways that need less.
        """
        events = self._run(request)
        try:
            while True:
                self._cancelled = cancelled  # another request may have been advanced in between
                event = next(events, None)
                self._cancelled = _never
                if event is None:
                    return
                yield event
        finally:
            events.close()

    def _run(self, request: Request) -> Generator[Event, None, None]:
        yield Started()
        failure = yield from self._attempt(request, [request])
        sparing = self._sparing(request)
        while failure and failure.reason is FailureReason.OUT_OF_MEMORY and (parts := next(sparing, None)):
            failure = yield from self._attempt(request, parts)
        if failure:
            if not self.broken:
                free_caches()
            yield Failed(reason=failure.reason, detail=failure.detail)

    def _sparing(self, request: Request) -> Iterator[list[Request]]:
        """Ways to draw a request with less memory, the gentlest first, each as the parts to draw one after the other."""
        if self._residency.unload_others(request.sampling.model):
            log.info("out of memory: without the other models")
            yield [request]
        if len(request.sampling.seeds) > 1:
            log.info("out of memory: one image at a time")
            free_caches()
            yield [with_seeds(request, (seed,)) for seed in request.sampling.seeds]

    def _attempt(self, request: Request, parts: list[Request]) -> Generator[Event, None, _Failure | None]:
        """Draw `parts` one after the other as the images of `request`; say what went wrong, if anything."""
        try:
            yield from self._draw(request, parts)
        except Exception as error:  # every failure ends this request, and none the worker
            self.broken = self.broken or _is_sticky(error)
            return _explain(error)
        return None

    def _draw(self, request: Request, parts: list[Request]) -> Iterator[Event]:
        way = self._check(request)
        if self._guard:
            self._guard.prepare()
        if not self._residency.is_warm(request.sampling.model):
            yield Progressed(step=0, steps=request.sampling.steps)
        with self._residency.using(request.sampling.model) as model:
            began, done = self._clock(), []
            files = encoding.Files(request, self._threads)
            try:
                for number, part in enumerate(parts):
                    self._pulse()
                    done += yield from self._follow(model, way, part.sampling, number, len(parts), files)
            finally:
                model.pipe.maybe_free_model_hooks()
        none_blank(done)  # only now: a part of a picture may well be
        unsafe = self._guard.unsafe(done, self._pulse) if self._guard else None
        images, grid = files.finish()
        yield Finished(images=images, grid=grid, seconds=self._clock() - began, unsafe=unsafe)

    def _follow(
        self, model: Loaded, plan: Plan, sampling: Sampling, part: int, parts: int, files: encoding.Files
    ) -> Generator[Event, None, list[Image.Image]]:
        """Make the calls of a plan; the finished pictures, whose files are begun as early as can be."""
        calls = plan.calls(sampling)
        number, total = part * plan.count, parts * plan.count
        try:
            call = next(calls)
            while True:
                drawn = yield from self._denoise(model, call, number, total, files.add if plan.final else _no_use)
                number += 1
                call = calls.send(drawn)
        except StopIteration as end:
            finished: list[Image.Image] = end.value
        if not plan.final:
            for picture in finished:
                files.add(picture)
        return finished

    def _check(self, request: Request) -> Plan:
        """How it is to be drawn. Raises BadRequest, or BadSource."""
        sampling = request.sampling
        if refusal := self._specs[sampling.model].refusal(request):
            raise BadRequest(refusal)
        if not all(0 <= seed <= MAX_SEED for seed in sampling.seeds):
            raise BadRequest(f"seeds are 0 to {MAX_SEED}")
        strength = getattr(request, "strength", None)
        if strength is not None and not 0 < strength <= 1:
            raise BadRequest(f"a strength of {strength}")
        return plan(request, self._specs[sampling.model])

    def _denoise(
        self, model: Loaded, call: Call, part: int, parts: int, use: Callable[[Image.Image], None]
    ) -> Generator[Event, None, list[Image.Image]]:
        """Draw; the pictures, of which each goes into use while the next one is decoded."""
        drawn: list[Image.Image] = []

        def seen(pixels: torch.Tensor) -> None:
            drawn.append(to_picture(pixels))
            use(drawn[-1])

        shown: float | None = None
        size = (call.sampling.width, call.sampling.height)
        steps = model.draw(call, seen)
        try:
            for step in steps:
                self._pulse()
                preview, now = None, self._clock()
                if self._guard is None and step.done < step.of and (shown is None or now - shown >= _PREVIEW_SECONDS):
                    shown, pixels = now, model.preview(step, size)
                    preview = pictures.preview(pixels) if pixels else None
                yield Progressed(step=part * step.of + step.done, steps=parts * step.of, preview=preview)
                self._pulse()
        finally:
            steps.close()
        return drawn

    def _pulse(self) -> None:
        self._alive()
        if self._cancelled():
            raise Cancelled


def _explain(error: Exception) -> _Failure:
    match error:
        case Cancelled():
            return _Failure(reason=FailureReason.CANCELLED, detail="")
        case BadRequest() | BadSource():
            return _Failure(reason=FailureReason.BAD_REQUEST, detail=str(error))
        case ModelUnusable():
            return _Failure(reason=FailureReason.MODEL_UNUSABLE, detail=str(error))
        case BrokenImage():
            return _Failure(reason=FailureReason.BROKEN_IMAGE, detail=str(error))
        case Unchecked():
            return _Failure(reason=FailureReason.UNCHECKED, detail=str(error))
    if is_out_of_memory(error):
        return _Failure(reason=FailureReason.OUT_OF_MEMORY, detail=str(error))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    reason = FailureReason.WORKER_DIED if _is_sticky(error) else FailureReason.INTERNAL
    return _Failure(reason=reason, detail=f"{type(error).__name__} at {place}: {error}")


def _is_sticky(error: Exception) -> bool:
    """Whether this process can't go on: only a new one cures a lost device, or a oneDNN that ran out of memory."""
    if isinstance(error, RuntimeError) and NO_PRIMITIVE in str(error):
        return True
    return isinstance(error, torch.AcceleratorError) and not is_out_of_memory(error)


def _never() -> bool:
    return False


def _no_use(_picture: Image.Image) -> None:
    """For a picture that isn't finished."""
