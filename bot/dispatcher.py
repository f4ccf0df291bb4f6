"""A job's life: accept → queue → run → record → deliver → recover. The only place that asks who is next."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import structlog

from bot import pictures, safety
from bot.credentials import Seal, unsigned
from bot.errors import JobGone, ModelUnavailable, NothingToCancel, ShuttingDown
from bot.moderation import Moderation
from bot.orders import Order
from bot.reception import enrol
from bot.seams import (
    Accepted,
    Announcer,
    Cleared,
    Moderators,
    ProgressView,
    Requester,
    Wait,
    plain_wait,
    workers_of,
)
from bot.settings import Settings
from generation.catalogue import Catalogue
from generation.contract import (
    Failed,
    FailureReason,
    Finished,
    Generator,
    ModelState,
    Progressed,
    Request,
    Started,
    from_json,
)
from storage import guilds, images, jobs, paces, quotas, reports
from storage.database import Database, Transaction
from storage.errors import StorageError
from storage.images import Finding
from storage.jobs import Job, JobState
from storage.reports import Kind
from storage.turns import Workers

MAX_TRIES = 2
"""How often a job may take the worker down with it before it is given up."""

_PLACES_SHOWN = 3
"""How many waiting jobs get their place edited when the line moves; more would meet Discord's rate limits."""

_LINE = 1000
"""How many waiting jobs get a progress message anew at a start where they lack one."""

_PLACES_EVERY = 2.0
"""Seconds between two rounds of such edits."""

_DATABASE_PAUSE = 5.0
"""Seconds until the database is tried again after it failed, say on a full disk."""

_BATCH = 100
"""How many jobs are cancelled in one transaction, so that others get their turn between two."""

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Dispatcher:
    """Takes orders in, feeds the generator, and sees every job to its end."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        catalogue: Catalogue,
        generator: Generator,
        announcer: Announcer,
        moderation: Moderation,
        moderators: Moderators,
        clock: Callable[[], datetime],
        random: random.Random,
        seal: Seal = unsigned,
        wait: Wait = plain_wait,
    ) -> None:
        self._settings = settings
        self._database = database
        self._catalogue = catalogue
        self._generator = generator
        self._announcer = announcer
        self._moderation = moderation
        self._moderators = moderators
        self._clock = clock
        self._random = random
        self._seal = seal
        self._wait = wait
        self._wake = asyncio.Event()
        self._closing = False
        self._tickets: dict[str, str] = {}
        self._cancelled: set[str] = set()
        self._performing: dict[str, asyncio.Task[None]] = {}
        self._places_told = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ accept

    async def accept(self, order: Order, who: Requester) -> Accepted:
        """Reserve the price and queue the job, both or neither.

        Raises ShuttingDown, ModelUnavailable, WordRefused, QueueFull, OverQuota, or `jobs.DuplicateInteraction` when the same
        interaction was accepted before.
        """
        if self._closing:
            raise ShuttingDown
        self.check_model(order.request.model, among_adults=who.age_restricted)
        await self._moderation.admit(order, who)
        async with self._database.transaction() as tx:
            accepted = await enrol(
                tx,
                order,
                who,
                settings=self._settings,
                workers=self._workers(),
                now=self._clock(),
                random=self._random,
            )
        job = accepted.job
        structlog.contextvars.bind_contextvars(job=job.id)
        _log.info("job accepted", action=job.action, model=job.model, price=job.price)
        self._wake.set()
        await self._announcer.announce(job, ahead=accepted.ahead, seconds=accepted.seconds)
        return accepted

    def _workers(self) -> Workers:
        return workers_of(self._generator)

    def check_model(self, key: str, *, among_adults: bool = False) -> None:
        """Raises ModelUnavailable for a model that was tried and could not be loaded.

        It names others to try instead, those for adults `among_adults` only.
        """
        states = self._generator.models()
        usable = [k for k in self._catalogue if k in states and states[k].state is not ModelState.UNUSABLE]
        if key not in usable:
            named = self._catalogue.named(among_adults=among_adults)
            raise ModelUnavailable(self._catalogue[key].name, tuple(k for k in usable if k in named))

    # ------------------------------------------------------------------ cancel

    async def cancel(self, job_id: str, *, by: int) -> int:
        """Stop a waiting or running job; the credits that came back. Raises JobGone or NothingToCancel."""
        async with self._database.transaction() as tx:
            if await jobs.get(tx, job_id) is None:
                raise JobGone
            stopped = await self._cancel(tx, job_id, by=by)
        if stopped is None:
            raise NothingToCancel
        cancelled, refunded = stopped
        self._let_go([cancelled], by=by)
        return refunded

    async def clear(
        self, *, by: int, guild_id: int | None = None, user_id: int | None = None, running: bool = False
    ) -> Cleared:
        """Stop all waiting jobs of a guild and of a person, None for all of them, and the running ones too if wanted."""
        cleared = Cleared(jobs=0, credits=0)
        while True:
            async with self._database.transaction() as tx:
                line = await jobs.active(
                    tx, guild_id=guild_id, user_id=user_id, limit=_BATCH + self._generator.capacity
                )
                wanted = [job for job in line if running or job.state is JobState.QUEUED]
                stopped = [await self._cancel(tx, job.id, by=by) for job in wanted]
            done = [one for one in stopped if one is not None]
            if not done:
                return cleared
            self._let_go([job for job, _ in done], by=by)
            cleared = Cleared(
                jobs=cleared.jobs + len(done), credits=cleared.credits + sum(refunded for _, refunded in done)
            )

    async def _cancel(self, tx: Transaction, job_id: str, *, by: int) -> tuple[Job, int] | None:
        """The cancelled job and what came back, or None where it was over already."""
        if not await jobs.cancel(tx, job_id, by=by, now=self._clock()):
            return None
        refunded = await quotas.refund(tx, job_id, now=self._clock())
        cancelled = await jobs.get(tx, job_id)
        assert cancelled is not None
        return cancelled, refunded

    def _let_go(self, cancelled: Sequence[Job], *, by: int) -> None:
        """Stop drawing cancelled jobs; tell the owners of those that were not being drawn."""
        waiting = []
        for job in cancelled:
            _log.info("job cancelled", job=job.id, by_owner=by == job.user_id)
            if ticket := self._tickets.get(job.id):
                self._cancelled.add(job.id)
                self._generator.cancel(ticket)
            else:
                waiting.append(job)
        if waiting:
            self._spawn(self._tell_failures(waiting), f"failures of {' '.join(job.id for job in waiting)}")
            self._line_moved()

    async def _tell_failures(self, ended: Sequence[Job]) -> None:
        for job in ended:
            await self._tell_failure(job)

    async def release(self, job_ids: Collection[str], *, patience: float = 10) -> None:
        """Wait until nothing more is done for these jobs, which are over. What Discord delays for longer is given up."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while (busy := self._busy_with(job_ids)) and (left := deadline - loop.time()) > 0:
            await asyncio.wait(busy, timeout=left)
        telling = self._busy_with(job_ids) - set(self._performing.values())
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)

    def _busy_with(self, job_ids: Collection[str]) -> set[asyncio.Task[None]]:
        """The tasks about these jobs: each task's name says whose."""
        return {task for task in self._tasks if not set(job_ids).isdisjoint(task.get_name().split())}

    def look_again(self) -> None:
        """Something that decides who may be next was changed, such as a pause."""
        self._wake.set()
        self._line_moved()

    # --------------------------------------------------------------------- run

    async def run(self) -> None:
        """Claim and perform jobs for as long as the bot lives."""
        while not self._closing:
            try:
                job = await self._claim() if len(self._tickets) < self._generator.capacity else None
            except StorageError:
                _log.exception("the next job can't be read", again_in=_DATABASE_PAUSE)
                await self._wait(asyncio.sleep(_DATABASE_PAUSE), reason="the database failed")
                continue
            if job is None:
                await self._wait(self._wake.wait(), reason="the queue is empty or the generator is busy")
                self._wake.clear()
                continue
            self._tickets[job.id] = f"{job.id}.{job.attempt}"
            self._performing[job.id] = self._spawn(self._perform(job), f"job {job.id}")

    async def drain(self, *, patience: float = 10) -> None:
        """Claim nothing more, and give posting `patience` seconds to end.

        Jobs that run are left as they are: the next start queues them again.
        """
        self._closing = True
        self._wake.set()
        performing = set(self._performing.values())
        for task in performing:
            task.cancel()
        if posting := self._tasks - performing:
            await asyncio.wait(posting, timeout=patience)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _claim(self) -> Job | None:
        if self._closing:
            return None
        async with self._database.transaction() as tx:
            job = await jobs.claim(
                tx,
                now=self._clock(),
                workers=self._workers(),
                most_running=self._settings.max_running,
            )
        if job is not None:
            self._line_moved()
        return job

    def _line_moved(self) -> None:
        moment = asyncio.get_running_loop().time()
        if moment - self._places_told >= _PLACES_EVERY:
            self._places_told = moment
            self._spawn(self._tell_places(), "places in the queue")

    async def _perform(self, job: Job) -> None:
        structlog.contextvars.bind_contextvars(job=job.id)
        try:
            await self._see_through(job)
        except Exception:
            _log.exception("a job met a bug or a full disk")
            await self._until_written(lambda: self._failed(job, Failed(reason=FailureReason.INTERNAL)))
        finally:
            self._tickets.pop(job.id, None)
            self._performing.pop(job.id, None)
            self._cancelled.discard(job.id)
            self._wake.set()

    async def _see_through(self, job: Job) -> None:
        view = self._announcer.progress(job)
        view.begin()
        try:
            ended = await self._draw(job, view)
        finally:
            await view.end()
        match ended:
            case Finished():
                await self._record(job, ended)
            case Failed():
                await self._failed(job, ended)

    async def _draw(self, job: Job, view: ProgressView) -> Finished | Failed:
        try:
            request = await self._request(job)
        except images.ImageGone as error:
            return Failed(reason=FailureReason.SOURCE_GONE, detail=str(error))
        except ValueError as error:
            return Failed(reason=FailureReason.BAD_REQUEST, detail=str(error))
        if job.model not in self._generator.models():
            return Failed(reason=FailureReason.MODEL_UNUSABLE, detail="it is no longer in the models file")
        if job.id in self._cancelled:
            return Failed(reason=FailureReason.CANCELLED)
        ticket = self._tickets[job.id]
        self._generator.submit(ticket, request)
        _log.info("job started", attempt=job.attempt)
        if self._generator.models()[job.model].state is not ModelState.WARM:
            view.show(Progressed(step=0, steps=0))
        events = self._generator.events(ticket)
        while True:
            event = await self._wait(anext(events), reason="the generator draws")
            match event:
                case Finished(unsafe=None) if self._settings.safety:
                    return Failed(reason=FailureReason.UNCHECKED, detail="the generator has no safety check")
                case Finished() | Failed():
                    return event
                case Progressed():
                    # nobody checks previews
                    view.show(replace(event, preview=None) if self._settings.safety else event)
                case Started():
                    continue

    async def _request(self, job: Job) -> Request:
        source = b""
        if job.parent_id is not None and job.parent_index is not None:
            folder = self._database.folder
            source = await asyncio.to_thread(images.read, folder, job.parent_id, job.parent_index)
        return from_json(job.request, source=source)

    # ------------------------------------------------------------------ record

    async def _record(self, job: Job, result: Finished) -> None:
        request, folder = from_json(job.request), self._database.folder
        adult = bool(result.unsafe) and await self._announcer.among_adults(job)
        found = {} if adult else await self._withheld(job, result)
        result = await asyncio.to_thread(safety.ready, result, found, self._seal)
        rows = await asyncio.to_thread(pictures.keep, folder, job.id, result, request.seeds, found)
        ended: Job | None
        async with self._database.transaction() as tx:
            if await jobs.finish(tx, job.id, job.attempt, seconds=result.seconds, now=self._clock()):
                await images.record(tx, rows)
                if adult:
                    await jobs.mark_adult(tx, job.id)
                if Finding.WITHHELD in found.values():
                    await reports.open_case(tx, job.id, Kind.CHECK, now=self._clock())
                await paces.learn(tx, paces.shape_of(request), seconds=result.seconds)
                if job.load:
                    await paces.learn_load(tx, job.id)
                ended = replace(
                    job, state=JobState.FINISHED, seconds=result.seconds, adult=job.adult or adult
                )
            else:
                ended = await jobs.get(tx, job.id)
        if ended is not None and ended.state is JobState.FINISHED:
            _log.info("job finished", seconds=round(result.seconds, 2))
            self._spawn(self._deliver(ended, look_first=False), f"delivery of {job.id}")
            return
        _log.info("a result came too late")
        if ended is None or ended.state is JobState.CANCELLED:
            await asyncio.to_thread(images.remove, self._database.folder, job.id)
        if ended is not None and ended.state is JobState.CANCELLED:
            self._spawn(self._tell_failure(ended), f"failure of {job.id}")

    async def _withheld(self, job: Job, result: Finished) -> dict[int, Finding]:
        """What the unsafe pictures of a result are, by number: lost where no moderators could ever approve them."""
        if not result.unsafe:
            return {}
        async with self._database.reading() as tx:
            moderated = (await guilds.settings(tx, job.guild_id)).moderators_channel_id is not None
        return dict.fromkeys(result.unsafe, Finding.WITHHELD if moderated else Finding.REFUSED)

    async def _deliver(self, job: Job, *, look_first: bool) -> None:
        structlog.contextvars.bind_contextvars(job=job.id)
        message_id = await self._announcer.post_result(job, look_first=look_first)
        # Before the row says delivered: after that, nobody would take it away if the bot were killed here.
        await self._announcer.retire(job)
        withheld = await self._until_written(lambda: self._mark_delivered(job, message_id))
        _log.info("job delivered", message=message_id)
        if withheld:
            await self._moderators.bring(job)

    async def _mark_delivered(self, job: Job, message_id: int | None) -> bool:
        """The result stands in the channel, or could be posted nowhere; for that, and what was withheld, nobody pays.

        Returns whether anything was withheld.
        """
        async with self._database.transaction() as tx:
            if not await jobs.deliver(tx, job.id, message_id=message_id, now=self._clock()):
                return False
            hidden = safety.hidden(await images.of_job(tx, job.id))
            if message_id is None:
                await quotas.refund(tx, job.id, now=self._clock())
            elif hidden:
                back = safety.credits_for(job, len(hidden))
                await quotas.refund(tx, job.id, now=self._clock(), credits=back)
            else:
                await quotas.settle(tx, job.id, now=self._clock())
        return bool(hidden)

    async def _until_written(self, write: Callable[[], Awaitable[_T]]) -> _T:
        """Write an ending, however long the database fails, say on a full disk."""
        while True:
            try:
                return await write()
            except StorageError:
                _log.exception("an ending can't be written", again_in=_DATABASE_PAUSE)
                await self._wait(asyncio.sleep(_DATABASE_PAUSE), reason="the database failed")

    # -------------------------------------------------------------------- fail

    async def _failed(self, job: Job, failure: Failed) -> None:
        again = failure.reason.worth_another_attempt and job.tries + 1 < MAX_TRIES
        _log.warning("attempt failed", reason=failure.reason, detail=failure.detail, again=again)
        async with self._database.transaction() as tx:
            if again and await jobs.requeue(tx, job.id, job.attempt, counts=True):
                return
            if not again and await jobs.fail(
                tx, job.id, job.attempt, reason=failure.reason, now=self._clock()
            ):
                await quotas.refund(tx, job.id, now=self._clock())
            ended = await jobs.get(tx, job.id)
        if ended is not None and ended.state in (JobState.FAILED, JobState.CANCELLED):
            self._spawn(self._tell_failure(ended), f"failure of {job.id}")

    async def _tell_failure(self, job: Job) -> None:
        structlog.contextvars.bind_contextvars(job=job.id)
        await self._announcer.post_failure(job)
        async with self._database.transaction() as tx:
            await jobs.mark_notified(tx, job.id)

    # ----------------------------------------------------------------- recover

    async def recover(self) -> None:
        """After a start: queue again what ran, post what was finished, tell of what failed."""
        adult = [key for key, spec in self._catalogue.items() if spec.adult]
        async with self._database.transaction() as tx:
            await jobs.settle_adult(tx, adult)
            found = await jobs.recover(tx)
            line = await jobs.active(tx, limit=_LINE)
            kept = await images.with_rows(tx)
        await asyncio.to_thread(images.sweep, self._database.folder, kept)
        if found.requeued or found.undelivered or found.unnotified:
            _log.info(
                "recovered",
                requeued=len(found.requeued),
                undelivered=len(found.undelivered),
                unnotified=len(found.unnotified),
            )
        for job in found.undelivered:
            self._spawn(self._deliver(job, look_first=True), f"delivery of {job.id}")
        for job in found.unnotified:
            self._spawn(self._tell_failure(job), f"failure of {job.id}")
        self._spawn(self._announce_again(line), "progress messages")
        self._wake.set()

    async def _announce_again(self, line: Sequence[Job]) -> None:
        """Open the progress messages that a crash kept from being sent, or from being recorded."""
        for ahead, job in enumerate(line):
            if job.progress_message_id is None:
                await self._announcer.announce(job, ahead=ahead, seconds=None)
        await self._tell_places()

    async def _tell_places(self) -> None:
        """Bring the places that waiting people see up to date, for the next few in line."""
        async with self._database.transaction() as tx:
            line = await jobs.active(tx, limit=_PLACES_SHOWN + self._generator.capacity)
            done = await jobs.outlooks(tx, now=self._clock(), workers=self._workers())
        for ahead, job in enumerate(line):
            if job.state is JobState.QUEUED and await self._still_waits(job.id):
                await self._announcer.announce(job, ahead=ahead, seconds=done.get(job.id))

    async def _still_waits(self, job_id: str) -> bool:
        async with self._database.reading() as tx:
            job = await jobs.get(tx, job_id)
        return job is not None and job.state is JobState.QUEUED

    # ------------------------------------------------------------------- tasks

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a task of the dispatcher failed", task=task.get_name(), exc_info=error)
