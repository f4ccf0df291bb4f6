"""`Generator` over one worker process on this machine, which is started again whenever it dies or hangs.

The event loop never waits for the process: calls go to the supervising thread's inbox, and events come back by
`call_soon_threadsafe` into a queue for each ticket. There are no tasks and no sleeps here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from generation import wire
from generation.catalogue import Catalogue
from generation.contract import Event, Failed, Finished, ModelStatus, Request
from generation.safety import SafetyCheck
from generation.supervisor import Cancel, Close, Submit, Supervisor, TellReady, WorkerUnavailable

__all__ = ["LocalGenerator", "WorkerUnavailable"]


class LocalGenerator:
    """Draws with the catalogue's models in a child process.

    `default_model` is loaded as soon as the worker runs (None: nothing is). `device` is "auto" or torch's word
    ("cuda", "cuda:1", "mps", "cpu"). A worker that gives no sign of life for `step_timeout` seconds while it draws,
    or takes longer than `load_timeout` to load (six hours where that may be downloaded), is killed; computing
    a long step does give signs of life. With `safety`, every picture is checked before it comes out.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        default_model: str | None = None,
        device: str = "auto",
        allow_downloads: bool = False,
        safety: SafetyCheck | None = None,
        step_timeout: float = 20.0,
        load_timeout: float = 600.0,
    ) -> None:
        specs = tuple(catalogue.values())
        self._setup = wire.Setup(
            models=specs,
            device=device,
            allow_downloads=allow_downloads,
            preload=default_model,
            safety=safety,
        )
        self._step_timeout, self._load_timeout = step_timeout, load_timeout
        self._streams: dict[str, asyncio.Queue[Event]] = {}
        self._supervisor: Supervisor | None = None
        self._ended: asyncio.Future[None] | None = None

    @property
    def capacity(self) -> int:
        """One: the next request waits for its turn outside, where fairness is decided."""
        return 1

    def models(self) -> Mapping[str, ModelStatus]:
        """The state of every model; one whose files aren't here is unusable for that reason. Empty before `start`."""
        return self._supervisor.states if self._supervisor else {}

    def safety(self) -> ModelStatus | None:
        """The state of the classifier that checks results; None where none is wanted, or before the worker is ready."""
        return self._supervisor.safety if self._supervisor else None

    @property
    def pid(self) -> int | None:
        """The worker's process id, or None while there is none."""
        return self._supervisor.pid if self._supervisor else None

    @property
    def worker(self) -> wire.Ready | None:
        """What the running worker said of itself, or None until it is ready."""
        return self._supervisor.ready if self._supervisor else None

    @property
    def memory(self) -> wire.Memory | None:
        """The worker's latest memory figures, or None until it is ready."""
        return self._supervisor.memory if self._supervisor else None

    async def start(self) -> None:
        """Start the worker without waiting for it: requests may be submitted at once."""
        self._ended = asyncio.get_running_loop().create_future()
        self._supervisor = Supervisor(
            self._setup,
            step_timeout=self._step_timeout,
            load_timeout=self._load_timeout,
            publish=self._publish,
            closed=self._on_closed,
        )
        self._supervisor.start()

    async def wait_ready(self) -> wire.Ready:
        """Wait until the worker has imported its libraries. Raises WorkerUnavailable where it can't."""
        future: asyncio.Future[wire.Ready] = asyncio.get_running_loop().create_future()
        self._running().inbox.put(TellReady(future=future))
        return await future

    async def close(self) -> None:
        """End the worker, by force after a second. Requests still inside end as WORKER_DIED."""
        supervisor, ended = self._supervisor, self._ended
        if supervisor is None or ended is None:
            return
        supervisor.inbox.put(Close())
        await asyncio.shield(ended)
        supervisor.join()
        self._supervisor = None

    def submit(self, ticket: str, request: Request) -> None:
        """Hand over a request. Raises ValueError for a ticket that is already inside."""
        if ticket in self._streams:
            raise ValueError(f"ticket {ticket!r} is already inside")
        supervisor = self._running()
        self._streams[ticket] = asyncio.Queue()
        supervisor.inbox.put(Submit(ticket=ticket, request=request))

    def cancel(self, ticket: str) -> None:
        """Stop a request: at once while it waits, within a step while it is drawn, after loading while it loads."""
        if ticket in self._streams and self._supervisor:
            self._supervisor.inbox.put(Cancel(ticket=ticket))

    async def events(self, ticket: str) -> AsyncIterator[Event]:
        """The events of a ticket, once. Raises KeyError for a ticket that isn't inside."""
        stream = self._streams[ticket]
        try:
            while True:
                event = await stream.get()
                yield event
                if isinstance(event, Finished | Failed):
                    return
        finally:
            self._streams.pop(ticket, None)

    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("the generator isn't started")
        return self._supervisor

    def _publish(self, ticket: str, event: Event) -> None:
        if stream := self._streams.get(ticket):
            stream.put_nowait(event)

    def _on_closed(self) -> None:
        if self._ended and not self._ended.done():
            self._ended.set_result(None)
