"""A call of any pipeline as a generator of steps: its own scheduler's `step` pauses it.

The call runs in a greenlet, a stack of its own in this thread. diffusers' pipelines switch gradients off while they run
and put the old mode back when they end, so calls that overlap, or are left half-way, would give theirs to others: each keeps
its own mode while it is paused.
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

    job = _Paused(greenlet(run))
    try:
        said = job.resume(job.greenlet.switch)
        while not job.greenlet.dead:
            yield said
            said = job.resume(job.greenlet.switch)
    finally:
        if not job.greenlet.dead:
            with contextlib.suppress(_Left):
                job.resume(job.greenlet.throw, _Left)
    return ended[0]


class _Paused:
    """A greenlet with its own gradient mode, which torch keeps for the whole thread."""

    def __init__(self, job: greenlet) -> None:
        self.greenlet = job
        self._gradients = torch.is_grad_enabled()

    def resume(self, enter: Callable[..., Any], *arguments: Any) -> Any:
        """Go on in it until it pauses or ends; what it hands over. Raises what it raises."""
        outside = torch.is_grad_enabled()
        torch.set_grad_enabled(self._gradients)
        try:
            return enter(*arguments)
        finally:
            self._gradients = torch.is_grad_enabled()
            torch.set_grad_enabled(outside)
