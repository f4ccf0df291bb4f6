"""A generator that draws plain coloured squares at once, or whenever a test says so: the protocol's test double."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

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


def picture(seed: int, width: int = 32, height: int = 32, *, kind: str = "PNG") -> bytes:
    """A square in a colour that tells the seed."""
    out = io.BytesIO()
    colour = (seed * 37 % 256, seed * 91 % 256, seed * 151 % 256)
    Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


def finished(request: Request) -> Finished:
    """What a real generator would send at the end."""
    return Finished(
        images=tuple(picture(seed) for seed in request.sampling.seeds),
        grid=picture(request.sampling.seeds[0], 64, 64, kind="JPEG"),
        seconds=1.5,
    )


class FakeGenerator:
    """`paused` holds requests until the test sends their events itself with `send`.

    `unsafe` is what its safety check finds in every result; None: it has none.
    """

    def __init__(self, models: tuple[str, ...] = ("easel",), *, capacity: int = 1, paused: bool = False) -> None:
        self.capacity = capacity
        self.paused = paused
        self.requests: dict[str, Request] = {}
        self.cancelled: list[str] = []
        self.states = {key: ModelStatus(state=ModelState.WARM) for key in models}
        self.unsafe: frozenset[int] | None = None
        self.check: ModelStatus | None = None
        self.trouble = ""
        self._queues: dict[str, asyncio.Queue[Event]] = {}

    def models(self) -> Mapping[str, ModelStatus]:
        return self.states

    def safety(self) -> ModelStatus | None:
        return self.check

    def condition(self) -> Condition:
        return Condition(ready=not self.trouble, trouble=self.trouble)

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def submit(self, ticket: str, request: Request) -> None:
        self.requests[ticket] = request
        self._queues[ticket] = asyncio.Queue()
        if not self.paused:
            self.send(ticket, Started(), self._finished(request))

    def send(self, ticket: str, *events: Event) -> None:
        for event in events:
            self._queues[ticket].put_nowait(event)

    def finish(self, ticket: str) -> None:
        self.send(
            ticket,
            Progressed(step=10, steps=20, preview=picture(1, kind="JPEG")),
            self._finished(self.requests[ticket]),
        )

    def _finished(self, request: Request) -> Finished:
        return replace(finished(request), unsafe=self.unsafe)

    def fail(self, ticket: str, reason: FailureReason) -> None:
        self.send(ticket, Failed(reason=reason))

    def cancel(self, ticket: str) -> None:
        self.cancelled.append(ticket)
        if ticket in self._queues:
            self.send(ticket, Failed(reason=FailureReason.CANCELLED))

    async def events(self, ticket: str) -> AsyncIterator[Event]:
        while True:
            event = await self._queues[ticket].get()
            yield event
            if isinstance(event, (Finished, Failed)):
                return

    @property
    def last(self) -> str:
        """The ticket of the latest request."""
        return list(self.requests)[-1]
