"""The thread that owns the worker process: starts it, feeds it, watches it, kills it, starts it again.

Everything happens to it as an item in its inbox: calls from the event loop, words from the worker, the worker's
end. So its state needs no locks, and its only waiting is for that inbox, until the next deadline. Requests wait
here and go to the worker one at a time: the end of a worker harms the one that it was drawing, no other. One that
the worker had not begun is handed to the next worker, once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVarTuple, Unpack

from generation import wire
from generation.child import Child, Gone
from generation.contract import Event, Failed, FailureReason, Finished, ModelState, ModelStatus
from generation.inbox import Cancel, Close, Heard, Item, Submit, TellReady, WorkerUnavailable, settle
from generation.installed import installed

log = logging.getLogger(__name__)
Args = TypeVarTuple("Args")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between the end of a worker and the start of the next: doubled each time until a request succeeds."""
STARTS = 3
"""After so many workers in a row that never became ready, requests fail instead of waiting on."""
GOODBYE_SECONDS = 1.0
"""How long a dismissed worker has before it is killed."""
BURIAL_SECONDS = 10.0
"""How long a killed worker is waited for: the kernel may hold on to one that is inside a driver."""
DOWNLOAD_SECONDS = 6 * 3600.0
"""How long a model that may be downloaded has to be loaded: FLUX.1's 34 GB on a slow line."""


class Supervisor:
    """Runs `setup` in worker processes from `start` until a `Close`.

    `states`, `ready`, `memory`, `safety`, `starts`, `trouble` and `pid` are for others to read at any time; each is
    replaced, never changed.
    `publish` gets the events of tickets. `ended` is called at the end, with what ended the thread unless that was a
    `Close`: then whatever is still inside has no answer, and never gets one from here. Both on the event loop.
    """

    def __init__(
        self,
        setup: wire.Setup,
        *,
        step_timeout: float,
        load_timeout: float,
        publish: Callable[[str, Event], None],
        ended: Callable[[BaseException | None], None],
    ) -> None:
        self.inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.states: Mapping[str, ModelStatus] = {spec.key: _COLD for spec in setup.models}
        self.ready: wire.Ready | None = None
        self.memory: wire.Memory | None = None
        self.safety: ModelStatus | None = None
        self.starts = 0
        self.trouble = ""
        self._downloadable = {spec.key for spec in setup.models if setup.allow_downloads and spec.folder is None}
        self._setup, self._publish, self._ended = setup, publish, ended
        self._step_timeout, self._load_timeout = step_timeout, load_timeout
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="worker-supervisor", daemon=True)
        self._child: Child | None = None
        self._doomed = False
        self._current: Submit | None = None
        self._begun = False
        self._stopped = False
        self._waiting: deque[Submit] = deque()
        self._hopeful: list[asyncio.Future[wire.Ready]] = []
        self._deadline: float | None = None
        self._start_at = time.monotonic()
        self._pause = FIRST_PAUSE
        self._failed_starts = self._fruitless = 0
        self._closing = False

    @property
    def pid(self) -> int | None:
        """The running worker's process id."""
        child = self._child
        return child.pid if child else None

    def start(self) -> None:
        """Start the thread, which starts the worker. Raises RuntimeError if the system has no thread left."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the thread, at most so long; only after `ended` was called, when it is about to end."""
        self._thread.join(seconds)

    def kill(self) -> None:
        """Kill the worker whatever the thread does, which may hang. For callers that are done with both."""
        if (child := self._child) is not None:
            child.kill()

    def _run(self) -> None:
        """The thread. Whatever goes wrong in it ends it and its worker, and is told: nothing that it knew is relied on."""
        failure: BaseException | None = None
        try:
            self._serve()
        except BaseException as error:
            failure = error
            with contextlib.suppress(OSError):
                self.kill()
        while True:  # whoever waits for this would wait for ever
            with contextlib.suppress(MemoryError):
                self._on_loop(self._ended, failure)
                return
            time.sleep(FIRST_PAUSE)

    def _serve(self) -> None:
        self._look_around()
        while not self._closing:
            self._advance(time.monotonic())
            with contextlib.suppress(queue.Empty):
                self._take(self.inbox.get(timeout=self._until_something_is_due()))
        self._end_child()
        while not self.inbox.empty():
            self._take(self.inbox.get())
        detail = "the generator was closed"
        self._give_up(Failed(reason=FailureReason.WORKER_DIED, detail=detail), WorkerUnavailable(detail))

    def _advance(self, now: float) -> None:
        """Do what is due: start a worker, hand it a request, or end it for being silent too long."""
        if self._child is None:
            if now >= self._start_at:
                self._launch(now)
        elif self._deadline is not None and now >= self._deadline:
            self._end_silence()
        elif self.ready and not self._doomed and self._current is None and self._waiting:
            self._hand_over(self._child, self._waiting.popleft(), now)

    def _hand_over(self, child: Child, item: Submit, now: float) -> None:
        self._current, self._begun, self._stopped = item, False, False
        try:
            child.send(wire.Draw(ticket=item.ticket, request=item.request))
        except Exception as error:  # pickle's, of nearly any kind: the worker and the others are not at fault
            log.exception("a request can't be sent to the worker")
            self._fail_current(FailureReason.INTERNAL, f"it can't be sent to the worker: {error!r}")
        else:
            self._deadline = now + self._patience()

    def _until_something_is_due(self) -> float | None:
        due = self._start_at if self._child is None else self._deadline
        return None if due is None else max(due - time.monotonic(), 0)

    def _patience(self) -> float:
        """How long the worker may be silent now: its model may have to be loaded first, or even downloaded.

        A safety check that failed is loaded anew with each request.
        """
        assert self._current is not None
        model = self._current.request.sampling.model
        if self.states[model].state is ModelState.WARM:
            return self._step_timeout if self._checks() else self._patience_at_start()
        return DOWNLOAD_SECONDS if model in self._downloadable else self._load_timeout

    def _take(self, item: Item) -> None:
        match item:
            case Submit():
                self._accept(item)
            case Cancel(ticket=ticket):
                self._cancel(ticket)
            case TellReady(future=future):
                self._hopeful.append(future)
                self._reassure()
            case Close():
                self._closing = True
            case Heard(child=child, word=word):
                if child is self._child and (isinstance(word, Gone) or not self._doomed):
                    self._hear(word)

    def _accept(self, item: Submit) -> None:
        if item.request.sampling.model not in self.states:
            detail = f"there is no model {item.request.sampling.model!r}"
            self._say(item.ticket, Failed(reason=FailureReason.BAD_REQUEST, detail=detail))
        else:
            self._waiting.append(item)

    def _cancel(self, ticket: str) -> None:
        for item in self._waiting:
            if item.ticket == ticket:
                self._waiting.remove(item)
                self._say(ticket, Failed(reason=FailureReason.CANCELLED))
                return
        if self._child and self._current and self._current.ticket == ticket:
            self._stopped = True
            self._child.send(wire.Stop(ticket=ticket))

    def _hear(self, word: wire.FromWorker | Gone) -> None:
        match word:
            case wire.Ready():
                log.info("worker %d is ready on %s", word.pid, word.device_name)
                self.ready, self.memory = word, word.memory
                self._hear_of_safety(word.safety)
                self._failed_starts, self._deadline = 0, None
                if self._fruitless < STARTS:
                    self.trouble = ""
                self._reassure()
            case wire.Models():
                self.memory = word.memory
                self._hear_of_safety(word.safety)
                self._look_around(word.states)
            case wire.Said(ticket=ticket, event=event):
                self._hear_event(ticket, event)
            case wire.Alive():
                pass
            case Gone():
                self._bury(word)
        if self._current is not None:
            self._deadline = time.monotonic() + self._patience()

    def _hear_of_safety(self, status: ModelStatus | None) -> None:
        """Tell the host once when the safety check stops working, and once when it works again."""
        worked, self.safety = self._checks(), status
        if worked and not self._checks():
            reason = status.reason if status else ""
            log.error("no result is shown: the safety check can't be used: %s", reason)
        elif self._checks() and not worked:
            log.info("the safety check works again")

    def _checks(self) -> bool:
        """Whether the safety check is not known to fail."""
        return self.safety is None or self.safety.state is not ModelState.UNUSABLE

    def _hear_event(self, ticket: str, event: Event) -> None:
        if self._current is None or ticket != self._current.ticket:
            return
        self._begun = True
        if isinstance(event, Finished | Failed):
            self._current, self._deadline = None, None
        if isinstance(event, Finished):
            self._pause, self._fruitless, self.trouble = FIRST_PAUSE, 0, ""
        self._say(ticket, event)

    def _launch(self, now: float) -> None:
        try:
            self._child = Child(lambda child, word: self.inbox.put(Heard(child=child, word=word)))
        except (OSError, RuntimeError) as error:  # no room for the process, or for one of its threads
            self._count_failure(f"the worker can't be started: {error}")
            return
        self.starts += 1
        self._doomed = False
        self._child.send(self._setup)
        self._deadline = now + self._patience_at_start()

    def _patience_at_start(self) -> float:
        """How long a worker may take to be ready: it loads the safety check before, or even downloads it."""
        check = self._setup.safety
        fetched = self._setup.allow_downloads and check is not None and not isinstance(check.source, Path)
        return DOWNLOAD_SECONDS if fetched else self._load_timeout

    def _end_silence(self) -> None:
        """Kill a worker that hangs and tell whoever waited for it; carry on without one that can't be killed."""
        assert self._child is not None
        if self._doomed:
            log.error("worker %d is still there: another is started beside it", self._child.pid)
            self._carry_on(f"worker {self._child.pid} can't be killed")
            return
        log.warning("worker %d is silent for too long: it is killed", self._child.pid)
        self._child.kill()
        self._doomed, self._deadline = True, time.monotonic() + BURIAL_SECONDS
        self._fail_current(FailureReason.WORKER_HUNG, "no step finished for too long")

    def _bury(self, gone: Gone) -> None:
        assert self._child is not None
        self._child.join()
        detail = f"the worker ended with status {gone.status}: {gone.words or 'it said nothing'}"
        log.log(logging.INFO if self._doomed else logging.WARNING, "%s", detail)
        self._carry_on(detail)

    def _carry_on(self, detail: str) -> None:
        """Without a worker now: tell whoever needed it, and see to the next one."""
        was_ready = self.ready is not None
        self._child, self.ready, self.memory, self._deadline = None, None, None, None
        self._look_around()
        self._return_current()
        self._fail_current(FailureReason.WORKER_DIED, detail)
        self._rest()
        self._fruitless += 1
        if self._fruitless >= STARTS:
            self.trouble = f"{self._fruitless} workers ended since the last picture; {detail}"
        if not was_ready:
            self._count_failure(detail)

    def _count_failure(self, detail: str) -> None:
        self._failed_starts += 1
        self._rest()
        if self._failed_starts >= STARTS:
            self.trouble = f"{self._failed_starts} starts failed; {detail}"
            failed = Failed(reason=FailureReason.INTERNAL, detail=self.trouble)
            self._give_up(failed, WorkerUnavailable(detail))

    def _rest(self) -> None:
        now = time.monotonic()
        if self._start_at <= now:
            self._start_at = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _give_up(self, failed: Failed, error: WorkerUnavailable) -> None:
        """Fail everything that waits."""
        self._fail_current(failed.reason, failed.detail)
        while self._waiting:
            self._say(self._waiting.popleft().ticket, failed)
        while self._hopeful:
            self._on_loop(settle, self._hopeful.pop(), error)

    def _return_current(self) -> None:
        """Keep what the worker had not begun for the next one. It can't have done harm, unless two ended over it."""
        item = self._current
        if item is None or self._begun or item.returned:
            return
        if self._stopped:
            self._fail_current(FailureReason.CANCELLED, "")
        else:
            self._waiting.appendleft(replace(item, returned=True))
            self._current = None

    def _fail_current(self, reason: FailureReason, detail: str) -> None:
        if self._current:
            self._say(self._current.ticket, Failed(reason=reason, detail=detail))
            self._current = None

    def _reassure(self) -> None:
        while self.ready and self._hopeful:
            self._on_loop(settle, self._hopeful.pop(), self.ready)

    def _look_around(self, told: Mapping[str, ModelStatus] = MappingProxyType({})) -> None:
        """Put together what the worker told with what lies on the disk."""
        downloads = self._setup.allow_downloads
        absent = {spec.key for spec in self._setup.models if not (downloads or installed(spec))}
        found = {key: _ABSENT if key in absent else _COLD for key in self.states}
        known = {key: status for key, status in told.items() if status.state is not ModelState.COLD}
        self.states = found | known

    def _end_child(self) -> None:
        if self._child is None:
            return
        self._child.dismiss()
        if not self._gone_within(GOODBYE_SECONDS):
            self._child.kill()
            self._gone_within(BURIAL_SECONDS)
        self._child, self.ready = None, None

    def _gone_within(self, seconds: float) -> bool:
        """Wait for the end of the worker, dropping everything else that comes."""
        assert self._child is not None
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                match self.inbox.get(timeout=left):
                    case Heard(word=Gone(), child=child) if child is self._child:
                        child.join()
                        return True
                    case Submit() as item:
                        self._waiting.append(item)
                    case TellReady(future=future):
                        self._hopeful.append(future)
        return False

    def _say(self, ticket: str, event: Event) -> None:
        self._on_loop(self._publish, ticket, event)

    def _on_loop(self, call: Callable[[Unpack[Args]], None], *args: *Args) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *args)
        except RuntimeError:
            log.debug("the event loop is closed already")


_COLD = ModelStatus(state=ModelState.COLD)
_ABSENT = ModelStatus(state=ModelState.UNUSABLE, reason="its files aren't on this machine")
