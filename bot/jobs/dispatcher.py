"""A job's life: accept → queue → run → recover; `outcomes` sees it from there to its people. The only place that asks who is next."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from bot.connection.waiting import DATABASE_PAUSE, Wait, plain_wait
from bot.delivery.delivery import Delivery
from bot.delivery.host_notices import HostNotices
from bot.delivery.progress import ProgressMessage
from bot.delivery.writing import Writing
from bot.errors import BeyondModel, CannotDraw, JobGone, ModelUnavailable, NothingToCancel, ShuttingDown
from bot.jobs.completion import Completion
from bot.jobs.enqueue import enqueue
from bot.jobs.orders import Order
from bot.jobs.policy import GuildPolicy
from bot.jobs.queue_positions import QueuePositions, workers_of
from bot.jobs.reconciler import Reconciler
from bot.jobs.requester import Accepted, Cleared, Requester
from bot.jobs.tasks import Tasks
from bot.jobs.word_check import Moderation
from bot.metrics import Metrics
from bot.pictures import sweeping
from bot.pictures.signing import Seal, unsigned
from bot.settings.settings import Settings
from generation.catalogue import Catalogue, way_of
from generation.contract import (
    Failed,
    FailureReason,
    Finished,
    Generator,
    ModelState,
    Progressed,
    Request,
    Started,
    with_source,
)
from storage.credits import account
from storage.database import Database, Transaction
from storage.errors import StorageError
from storage.jobs import images, lifecycle, queries, queue
from storage.jobs.job import Job, JobState
from storage.jobs.scheduling import Workers

_LINE = 1000
"""How many waiting jobs get a progress message anew at a start where they lack one."""

_BATCH = 100
"""How many jobs are cancelled in one transaction, so that others get their turn between two."""

_log = structlog.get_logger(__name__)


class Dispatcher:
    """Takes orders in, feeds the generator, and sees every job to its end."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        catalogue: Catalogue,
        generator: Generator,
        delivery: Delivery,
        moderation: Moderation,
        on_withheld: Callable[[Job], Awaitable[None]],
        clock: Callable[[], datetime],
        random: random.Random,
        seal: Seal = unsigned,
        wait: Wait = plain_wait,
        metrics: Metrics | None = None,
        notices: HostNotices,
        writing: Writing,
    ) -> None:
        self._settings = settings
        self._database = database
        self._catalogue = catalogue
        self._generator = generator
        self._delivery = delivery
        self._moderation = moderation
        self._clock = clock
        self._random = random
        self._wait = wait
        self._metrics = metrics or Metrics()
        self._tasks = Tasks()
        self._completion = Completion(
            database=database,
            delivery=delivery,
            on_withheld=on_withheld,
            tasks=self._tasks,
            clock=clock,
            seal=seal,
            writing=writing,
            notices=notices,
        )
        self._positions = QueuePositions(
            database=database, delivery=delivery, tasks=self._tasks, workers=self._workers, clock=clock
        )
        self._reconciler = Reconciler(
            database=database, completion=self._completion, tasks=self._tasks, look_again=self.look_again
        )
        self._wake = asyncio.Event()
        self._closing = False
        self._resting = False
        self._tickets: dict[str, str] = {}
        self._cancelled: set[str] = set()
        self._performing: dict[str, asyncio.Task[None]] = {}

    # ------------------------------------------------------------------ accept

    async def accept(self, order: Order, who: Requester, policy: GuildPolicy) -> Accepted:
        """Reserve the price and queue the job, both or neither.

        Raises ShuttingDown, ModelUnavailable, WordRefused, BeyondModel, QueueFull, OverQuota, or `jobs.DuplicateInteraction` when the same
        interaction was accepted before.
        """
        if self._closing:
            raise ShuttingDown
        self.check_model(order.request.sampling.model, among_adults=who.age_restricted)
        self._check_way(order.request, among_adults=who.age_restricted)
        await self._moderation.admit(order, who, policy)
        if order.instead:
            name = self._catalogue[order.request.sampling.model].name
            raise BeyondModel(name, offers=order.instead, others=self._without_limit(among_adults=who.age_restricted))
        async with self._database.transaction() as tx:
            accepted = await enqueue(
                tx,
                order,
                who,
                policy,
                settings=self._settings,
                workers=self._workers(),
                now=self._clock(),
                random=self._random,
            )
        job = accepted.job
        structlog.contextvars.bind_contextvars(job=job.id)
        _log.info("job accepted", action=job.action, model=job.model, price=job.price)
        self._wake.set()
        # The answer to the person doesn't wait for this: Discord may take its time.
        self._tasks.spawn(
            self._delivery.announce(job, ahead=accepted.ahead, seconds=accepted.seconds),
            f"announcement of {job.id}",
        )
        return accepted

    def _workers(self) -> Workers:
        return workers_of(self._generator)

    def check_model(self, key: str, *, among_adults: bool = False) -> None:
        """Raises ModelUnavailable for a model that was tried and could not be loaded.

        It names others to try instead, those for adults `among_adults` only.
        """
        usable = self._usable()
        if key not in usable:
            named = self._catalogue.named(among_adults=among_adults)
            raise ModelUnavailable(self._catalogue[key].name, tuple(k for k in usable if k in named))

    def _check_way(self, request: Request, *, among_adults: bool) -> None:
        """Raises CannotDraw for what the model can't do, whoever asks. It names those that can."""
        spec = self._catalogue[request.sampling.model]
        if reason := spec.refusal(request):
            named, way = self._catalogue.named(among_adults=among_adults), way_of(request)
            able = [key for key in self._usable() if key in named and named[key].family.can(way)]
            raise CannotDraw(reason, others=() if spec.family.can(way) else tuple(able))

    def _without_limit(self, *, among_adults: bool) -> tuple[str, ...]:
        """The usable models that are not of few words."""
        named = self._catalogue.named(among_adults=among_adults)
        return tuple(key for key in self._usable() if key in named and not named[key].vocabulary)

    def _usable(self) -> list[str]:
        states = self._generator.models()
        return [k for k in self._catalogue if k in states and states[k].state is not ModelState.UNUSABLE]

    # ------------------------------------------------------------------ cancel

    async def cancel(self, job_id: str, *, by: int) -> int:
        """Stop a waiting or running job; the credits that came back. Raises JobGone or NothingToCancel."""
        async with self._database.transaction() as tx:
            if await queries.get(tx, job_id) is None:
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
                line = await queries.active(
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
        """The cancelled job and what came back, or None if it was over already."""
        if not await lifecycle.cancel(tx, job_id, by=by, now=self._clock()):
            return None
        refunded = await account.refund(tx, job_id, now=self._clock())
        cancelled = await queries.get(tx, job_id)
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
            self._tasks.spawn(
                self._completion.tell_failures(waiting), f"failures of {' '.join(job.id for job in waiting)}"
            )
            self._positions.moved()

    async def release(self, job_ids: Collection[str], *, patience: float = 10) -> None:
        """Wait until nothing more is done for these jobs, which are over. What Discord delays for longer is given up."""
        await self._tasks.settle(job_ids, spare=self._performing.values(), patience=patience)

    def look_again(self) -> None:
        """Something that decides who may be next was changed, such as a pause."""
        self._wake.set()
        self._positions.moved()

    # --------------------------------------------------------------------- run

    @property
    def drawing(self) -> int:
        """How many jobs it has in hand."""
        return len(self._tickets)

    async def run(self) -> None:
        """Claim and perform jobs for as long as the bot lives."""
        while not self._closing:
            try:
                job = await self._claim() if len(self._tickets) < self._generator.capacity else None
            except StorageError:
                _log.exception("the next job can't be read", again_in=DATABASE_PAUSE)
                await self._wait(asyncio.sleep(DATABASE_PAUSE), reason="the database failed")
                continue
            if job is None:
                await self._wait(self._wake.wait(), reason="the queue is empty or the generator is busy")
                self._wake.clear()
                continue
            self._tickets[job.id] = f"{job.id}.{job.attempt}"
            self._performing[job.id] = self._tasks.spawn(self._perform(job), f"job {job.id}")

    def claim_no_more(self) -> None:
        """Begin no further job. Orders are still taken: they wait for the next start."""
        self._resting = True

    async def drain(self, *, patience: float = 10) -> None:
        """Claim nothing more, and give posting `patience` seconds to end.

        Jobs that run are left as they are: the next start queues them again.
        """
        self._closing = True
        self._wake.set()
        await self._tasks.end(at_once=set(self._performing.values()), patience=patience)

    async def _claim(self) -> Job | None:
        if self._closing or self._resting:
            return None
        async with self._database.transaction() as tx:
            job = await queue.claim(
                tx,
                now=self._clock(),
                workers=self._workers(),
                most_running=self._settings.max_running,
            )
        if job is not None:
            self._metrics.claimed()
            self._positions.moved()
        return job

    async def _perform(self, job: Job) -> None:
        structlog.contextvars.bind_contextvars(job=job.id)
        try:
            await self._see_through(job)
        except (StorageError, OSError) as error:
            _log.error("a job could not be read", error=str(error))
            failed = Failed(reason=FailureReason.INTERNAL, detail=str(error))
            await self._completion.failed(job, failed, may_pass=True)
        except Exception:
            _log.exception("a job met a bug")
            await self._completion.failed(job, Failed(reason=FailureReason.INTERNAL))
        finally:
            self._tickets.pop(job.id, None)
            self._performing.pop(job.id, None)
            self._cancelled.discard(job.id)
            self._wake.set()

    async def _see_through(self, job: Job) -> None:
        view = self._delivery.progress(job)
        view.begin()
        try:
            ended = await self._draw(job, view)
        finally:
            view.end()
        match ended:
            case Finished():
                self._metrics.finished(job.model, ended.seconds)
                await self._completion.finished(job, ended)
            case Failed():
                self._metrics.failed(ended.reason)
                await self._completion.failed(job, ended)

    async def _draw(self, job: Job, view: ProgressMessage) -> Finished | Failed:
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
        if job.picture is None:
            return job.request
        source = await asyncio.to_thread(images.read, self._database.folder, *job.picture)
        return with_source(job.request, source)

    # ----------------------------------------------------------------- recover

    async def recover(self) -> None:
        """After a start: queue again what ran, post what was finished, tell of what failed."""
        adult = [key for key, spec in self._catalogue.items() if spec.adult]
        async with self._database.transaction() as tx:
            await lifecycle.settle_adult(tx, adult)
            requeued = await lifecycle.recover(tx)
            found = await lifecycle.unfinished(tx)
            line = await queries.active(tx, limit=_LINE)
        await sweeping.sweep(self._database, now=self._clock())
        if requeued:
            _log.info("jobs that were running are queued again", count=len(requeued))
        self._reconciler.take_up(found)
        self._tasks.spawn(self._positions.announce_again(line), "progress messages")
        self._wake.set()

    async def reconcile(self) -> None:
        """Take up what is owed to people and nobody works on. To be called each minute."""
        try:
            await self._reconciler.look()
        except StorageError as error:
            _log.error("what is owed to people can't be read", error=str(error))
