"""The bot's side of `painter.py`: a `Generator` that starts in a tenth of a second and holds two requests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from generation import wire
from generation.contract import Condition, Event, Failed, Finished, ModelState, ModelStatus, Request


class PipedPainter:
    """Draws with one painter process."""

    capacity = 2

    def __init__(self, models: tuple[str, ...]) -> None:
        self._states = {key: ModelStatus(state=ModelState.WARM) for key in models}
        self._streams: dict[str, asyncio.Queue[Event]] = {}

    def models(self) -> Mapping[str, ModelStatus]:
        return self._states

    def safety(self) -> ModelStatus | None:
        return None

    def condition(self) -> Condition:
        return Condition(ready=True)

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(  # noqa: ASYNC220 - the fork takes a millisecond
            [sys.executable, "-m", "tests.crash.painter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        threading.Thread(target=self._read, name="painter-read", daemon=True).start()

    async def close(self) -> None:
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    def submit(self, ticket: str, request: Request) -> None:
        self._streams[ticket] = asyncio.Queue()
        self._send(wire.Draw(ticket=ticket, request=request))

    def cancel(self, ticket: str) -> None:
        self._send(wire.Stop(ticket=ticket))

    async def events(self, ticket: str) -> AsyncIterator[Event]:
        while True:
            event = await self._streams[ticket].get()
            if isinstance(event, (Finished, Failed)):
                del self._streams[ticket]
            yield event
            if isinstance(event, (Finished, Failed)):
                return

    def _send(self, message: wire.ToWorker) -> None:
        assert self._process.stdin is not None
        wire.write(self._process.stdin, message)  # type: ignore[arg-type]

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with suppress(EOFError, RuntimeError):  # the painter's end, or the event loop's
            while True:
                said = wire.read(stream)  # type: ignore[arg-type]
                assert isinstance(said, wire.Said)
                self._loop.call_soon_threadsafe(self._publish, said)

    def _publish(self, said: wire.Said) -> None:
        if said.ticket in self._streams:
            self._streams[said.ticket].put_nowait(said.event)
