"""`Generator` over one worker process on this machine, which is started again whenever it dies or hangs.

The event loop never waits for the process: calls go to the supervising thread's inbox, and events come back by
`call_soon_threadsafe` into a queue for each ticket. There are no tasks and no sleeps here. When that thread itself
fails, whatever was inside fails with it, and another thread takes over after a pause.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping

from generation import wire
from generation.catalogue import Catalogue
from generation.contract import Condition, Event, Failed, FailureReason, Finished, ModelStatus, Request
from generation.inbox import Cancel, Close, Submit, TellReady, WorkerUnavailable, settle
from generation.safety_settings import SafetyCheck
from generation.supervisor import (
    BURIAL_SECONDS,
    FIRST_PAUSE,
    GOODBYE_SECONDS,
    LONGEST_PAUSE,
    STARTS,
    Supervisor,
)

__all__ = ["LocalGenerator", "WorkerUnavailable"]

CLOSE_SECONDS = GOODBYE_SECONDS + BURIAL_SECONDS + 4
"""How long the supervising thread has to end its worker and itself, before both are left alone."""

log = logging.getLogger(__name__)


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
        self._hopeful: set[asyncio.Future[wire.Ready]] = set()
        self._starting: asyncio.TimerHandle | None = None
        self._pause, self._failures, self._closing = FIRST_PAUSE, 0, False
        self._trouble, self._earlier_starts = "", 0

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

    def condition(self) -> Condition:
        """How it fares now."""
        supervisor = self._supervisor
        if supervisor is None:
            return Condition(ready=False, starts=self._earlier_starts)
        return Condition(
            ready=supervisor.ready is not None,
            starts=self._earlier_starts + supervisor.starts,
            trouble=self._trouble or supervisor.trouble,
        )

    async def start(self) -> None:
        """Start the worker without waiting for it: requests may be submitted at once."""
        self._closing = False
        self._take_on()
        self._start_thread()

    async def wait_ready(self) -> wire.Ready:
        """Wait until the worker has imported its libraries. Raises WorkerUnavailable if it can't."""
        supervisor = self._running()
        future: asyncio.Future[wire.Ready] = asyncio.get_running_loop().create_future()
        self._hopeful.add(future)
        supervisor.inbox.put(TellReady(future=future))
        try:
            return await future
        finally:
            self._hopeful.discard(future)

    async def close(self) -> None:
        """End the worker, by force after a second, and in `CLOSE_SECONDS` whatever happens.

        Requests still inside end as WORKER_DIED.
        """
        supervisor, ended = self._supervisor, self._ended
        if supervisor is None or ended is None:
            return
        self._closing = True
        if self._starting is not None:
            self._starting.cancel()
        else:
            await self._end_thread(supervisor, ended)
        self._supervisor, self._starting = None, None
        self._fail_all(FailureReason.WORKER_DIED, "the generator was closed")

    async def _end_thread(self, supervisor: Supervisor, ended: asyncio.Future[None]) -> None:
        supervisor.inbox.put(Close())
        await asyncio.wait([ended], timeout=CLOSE_SECONDS)
        if ended.done():
            supervisor.join(CLOSE_SECONDS)
        else:
            log.error("the supervising thread doesn't end: its worker is killed, and it is left alone")
            supervisor.kill()

    # ------------------------------------------------------------------ the supervising thread

    def _take_on(self) -> None:
        """Make the next supervisor, whose inbox holds what comes until its thread runs."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def told(error: BaseException | None) -> None:
            if not ended.done():
                ended.set_result(None)
                if error is not None and not self._closing:
                    self._take_over(error)

        self._ended = ended
        self._supervisor = Supervisor(
            self._setup,
            step_timeout=self._step_timeout,
            load_timeout=self._load_timeout,
            publish=self._publish,
            ended=told,
        )

    def _take_over(self, error: BaseException) -> None:
        """After the end of the thread: fail what was inside, and start another thread after a pause."""
        log.critical("the thread that supervises the worker failed: another takes over", exc_info=error)
        supervisor = self._running()
        self._earlier_starts += supervisor.starts
        self._fail_all(FailureReason.WORKER_DIED, f"the thread that supervises the worker failed: {error!r}")
        self._take_on()
        self._start_later()

    def _start_later(self) -> None:
        self._starting = asyncio.get_running_loop().call_later(self._pause, self._start_thread)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _start_thread(self) -> None:
        """Start the supervisor's thread; where the system has none left, try again until it has."""
        self._starting = None
        try:
            self._running().start()
        except (RuntimeError, MemoryError) as error:
            self._failures += 1
            log.error("the thread that supervises the worker can't be started: %s", error)
            if self._failures >= STARTS:
                self._trouble = f"the thread that supervises the worker can't be started: {error}"
                self._fail_all(FailureReason.INTERNAL, self._trouble)
                self._take_on()  # with an empty inbox
            self._start_later()
        else:
            self._failures, self._trouble = 0, ""

    def _fail_all(self, reason: FailureReason, detail: str) -> None:
        """End every request that is inside, and tell whoever waits for the worker. Those that have ended don't hear it."""
        for stream in self._streams.values():
            stream.put_nowait(Failed(reason=reason, detail=detail))
        for future in self._hopeful:
            settle(future, WorkerUnavailable(detail))

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
        if isinstance(event, Finished):
            self._pause = FIRST_PAUSE
        if stream := self._streams.get(ticket):
            stream.put_nowait(event)
