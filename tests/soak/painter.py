"""A generator without a model: it takes a moment, draws noise, and fails now and then.

No two of its pictures are alike. Some grids are larger than the stand-in for Discord takes at first.
"""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import AsyncIterator, Mapping

from PIL import Image

from generation.contract import (
    Condition,
    Event,
    Failed,
    FailureReason,
    Finished,
    ModelState,
    ModelStatus,
    Progressed,
    Request,
    Started,
)

STEPS = 3
STEP_SECONDS = 0.03
"""On average."""
FAILURES = {FailureReason.WORKER_DIED: 0.04, FailureReason.BROKEN_IMAGE: 0.04}
"""How likely each is."""
LARGE = 0.03
"""How likely a grid is too large at first."""
_SIDE, _LARGE_SIDE = 16, 320


class Painter:
    """Draws up to `capacity` requests at a time, in the bot's own process."""

    def __init__(self, models: tuple[str, ...], source: random.Random, *, capacity: int = 4) -> None:
        self.capacity = capacity
        self._states = {key: ModelStatus(state=ModelState.WARM) for key in models}
        self._source = source
        self._requests: dict[str, Request] = {}
        self._stopped: set[str] = set()

    def models(self) -> Mapping[str, ModelStatus]:
        return self._states

    def safety(self) -> ModelStatus | None:
        return None

    def condition(self) -> Condition:
        return Condition(ready=True)

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def submit(self, ticket: str, request: Request) -> None:
        self._requests[ticket] = request

    def cancel(self, ticket: str) -> None:
        if ticket in self._requests:
            self._stopped.add(ticket)

    async def events(self, ticket: str) -> AsyncIterator[Event]:
        yield Started()
        for step in range(1, STEPS + 1):
            await asyncio.sleep(self._source.expovariate(1 / STEP_SECONDS))
            if ticket in self._stopped:
                break
            yield Progressed(step=step, steps=STEPS, preview=self._noise("JPEG"))
        yield self._end(ticket)

    def _end(self, ticket: str) -> Finished | Failed:
        request = self._requests.pop(ticket)
        if ticket in self._stopped:
            self._stopped.discard(ticket)
            return Failed(reason=FailureReason.CANCELLED)
        dice = self._source.random()
        for reason, chance in FAILURES.items():
            if dice < chance:
                return Failed(reason=reason)
            dice -= chance
        side = _LARGE_SIDE if self._source.random() < LARGE else _SIDE
        return Finished(
            images=tuple(self._noise("PNG") for _ in request.sampling.seeds),
            grid=self._noise("JPEG", side),
            seconds=STEPS * STEP_SECONDS,
        )

    def _noise(self, kind: str, side: int = _SIDE) -> bytes:
        out = io.BytesIO()
        pixels = self._source.randbytes(3 * side * side)
        Image.frombytes("RGB", (side, side), pixels).save(out, kind, **({"quality": 95} if side > _SIDE else {}))
        return out.getvalue()
