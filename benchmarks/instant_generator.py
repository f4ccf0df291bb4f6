"""A generator that draws at once, so that what is left of a job is the bot."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Mapping

from PIL import Image

from generation.contract import Condition, Event, Finished, ModelState, ModelStatus, Request, Started


class InstantGenerator:
    """Every request gets the same noisy pictures of the built-in model's size. While it is held, none gets any."""

    def __init__(self, *, held: bool = False) -> None:
        self.capacity = 1
        self._finished = Finished(
            images=tuple(_noise(256, "PNG") for _ in range(4)), grid=_noise(512, "JPEG"), seconds=0.01
        )
        self._open = asyncio.Event()
        if not held:
            self.release()

    def release(self) -> None:
        """Draw from now on."""
        self._open.set()

    def models(self) -> Mapping[str, ModelStatus]:
        """See Generator."""
        return {"easel": ModelStatus(state=ModelState.WARM)}

    def safety(self) -> ModelStatus | None:
        """See Generator."""
        return None

    def condition(self) -> Condition:
        """See Generator."""
        return Condition(ready=True)

    async def start(self) -> None:
        """See Generator."""

    async def close(self) -> None:
        """See Generator."""

    def submit(self, ticket: str, request: Request) -> None:
        """See Generator."""

    def cancel(self, ticket: str) -> None:
        """See Generator."""
        raise NotImplementedError("nothing is cancelled in a benchmark")

    async def events(self, ticket: str) -> AsyncIterator[Event]:  # noqa: ARG002 - part of the protocol
        """See Generator."""
        await self._open.wait()
        yield Started()
        yield self._finished


def _noise(side: int, kind: str) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((side, side), 40).convert("RGB").save(file, kind)
    return file.getvalue()
