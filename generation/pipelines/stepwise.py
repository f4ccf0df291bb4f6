"""A call of any pipeline as a generator of steps: its own scheduler's `step` pauses it.

The call runs in a greenlet, a stack of its own in this thread. diffusers' pipelines switch gradients off while they run
and put the old mode back when they end, so calls that overlap would give each other theirs: whoever advances several in
turns switches gradients off for the whole process first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A denoising step that is done: `done` of `of`. `guess` gives the clean latents that it hints at."""

    done: int
    of: int
    guess: Callable[[], torch.Tensor]


class _Left(BaseException):
    """Thrown into a call to leave it. Nothing that catches exceptions may hold it up."""


def stepwise(call: Callable[[Callable[[Any], None]], _Result]) -> Generator[Any, None, _Result]:
    """Run `call`, which is given a function that hands something over, and yield what is handed over; its result.

    Closing the generator, or an exception in the call, leaves it.
    """
    ended: list[_Result] = []

    def run() -> None:
        ended.append(call(getcurrent().parent.switch))

    job = greenlet(run)
    try:
        said = job.switch()
        while not job.dead:
            yield said
            said = job.switch()
    finally:
        if not job.dead:
            with contextlib.suppress(_Left):
                job.throw(_Left)
    return ended[0]
