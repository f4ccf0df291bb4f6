"""What becomes of an attempt: its pictures are recorded, posted and paid, or its failure is told and refunded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import structlog

from bot.delivery.delivery import Delivery
from bot.delivery.host_notices import HostNotices
from bot.delivery.writing import Writing
from bot.jobs.tasks import Tasks
from bot.pictures import files, safety
from bot.pictures.signing import Seal
from generation.contract import Failed, Finished
from storage.credits import account
from storage.database import Database, Transaction
from storage.guilds import settings as guild_settings
from storage.jobs import images, lifecycle, queries, timings
from storage.jobs.images import Finding
from storage.jobs.job import Job, JobState
from storage.moderation import cases
from storage.moderation.cases import Kind

MAX_TRIES = 2
"""How often a job may take the worker down with it before it is given up."""

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Completion:
    """Sees jobs from the end of an attempt to the moment when their people know."""

    def __init__(
        self,
        *,
        database: Database,
        delivery: Delivery,
        on_withheld: Callable[[Job], Awaitable[None]],
        tasks: Tasks,
        clock: Callable[[], datetime],
        seal: Seal,
        writing: Writing,
        notices: HostNotices,
    ) -> None:
        self._database = database
        self._delivery = delivery
        self._on_withheld = on_withheld
        self._tasks = tasks
        self._clock = clock
        self._seal = seal
        self._writing = writing
        self._notices = notices

    async def finished(self, job: Job, result: Finished) -> None:
        """Keep the pictures and post them; those of a job that is over by now are thrown away."""
        ended = await self._writing.until_done(lambda: self._keep(job, result))
        self._notices.disk_works()
        if ended is not None and ended.state is JobState.FINISHED:
            _log.info("job finished", seconds=round(result.seconds, 2))
            self._tasks.spawn(self.deliver(ended, look_first=False), f"delivery of {job.id}")
            return
        _log.info("a result came too late")
        if ended is None or ended.state is JobState.CANCELLED:
            await asyncio.to_thread(images.remove, self._database.folder, job.id)
        if ended is not None and ended.state is JobState.CANCELLED:
            self._tasks.spawn(self.tell_failure(ended), f"failure of {job.id}")

    async def _keep(self, job: Job, result: Finished) -> Job | None:
        """Write the pictures and what they taught; the job as it is now, None if it is gone."""
        request, folder = job.request, self._database.folder
        adult = bool(result.unsafe) and await self._delivery.among_adults(job)
        found = await self._findings(job, result, adult=adult)
        sealed = await asyncio.to_thread(safety.ready, result, found, self._seal)
        rows = await asyncio.to_thread(files.keep, folder, job.id, sealed, request.sampling.seeds, found)
        async with self._database.transaction() as tx:
            if not await lifecycle.finish(tx, job.id, job.attempt, seconds=result.seconds, now=self._clock()):
                return await queries.get(tx, job.id)
            await images.record(tx, rows)
            if adult:
                await lifecycle.mark_adult(tx, job.id)
            if Finding.WITHHELD in found.values():
                await cases.open_case(tx, job.id, Kind.CHECK, now=self._clock())
            await timings.learn(tx, timings.shape_of(request), seconds=result.seconds)
            if job.load:
                await timings.learn_load(tx, job.id)
        return replace(job, state=JobState.FINISHED, seconds=result.seconds, adult=job.adult or adult)

    async def _findings(self, job: Job, result: Finished, *, adult: bool) -> dict[int, Finding]:
        """What the unsafe pictures of a result become, by number."""
        if adult or not result.unsafe:
            return {}
        async with self._database.reading() as tx:
            moderated = (await guild_settings.settings(tx, job.guild_id)).moderators_channel_id is not None
        return safety.findings(result.unsafe, moderated=moderated)

    async def deliver(self, job: Job, *, look_first: bool) -> None:
        """Post a finished job's pictures; `look_first` whether they were posted before a crash."""
        structlog.contextvars.bind_contextvars(job=job.id)
        message_id = await self._delivery.post_result(job, look_first=look_first)
        withheld = await self._writing.until_done(lambda: self._mark_delivered(job, message_id))
        _log.info("job delivered", message=message_id)
        await self.put_away(job)
        if withheld:
            await self._on_withheld(job)

    async def put_away(self, job: Job) -> None:
        """Take an ended job's progress message away. It is left open in the database where Discord stumbles."""
        structlog.contextvars.bind_contextvars(job=job.id)
        if await self._delivery.retire(job):
            await self._writing.until_done(lambda: self._write(lifecycle.close_progress, job))

    async def _write(self, change: Callable[[Transaction, str], Awaitable[None]], job: Job) -> None:
        async with self._database.transaction() as tx:
            await change(tx, job.id)

    async def _mark_delivered(self, job: Job, message_id: int | None) -> bool:
        """Settle the credits of a posted result. What was withheld or could be posted nowhere is paid back.

        Returns whether anything was withheld.
        """
        async with self._database.transaction() as tx:
            if not await lifecycle.deliver(tx, job.id, message_id=message_id, now=self._clock()):
                return False
            hidden = safety.hidden(await images.of_job(tx, job.id))
            if message_id is None:
                await account.refund(tx, job.id, now=self._clock())
            elif hidden:
                back = safety.credits_for(job, len(hidden))
                await account.refund(tx, job.id, now=self._clock(), credits=back)
            else:
                await account.settle(tx, job.id, now=self._clock())
        return bool(hidden)

    async def failed(self, job: Job, failure: Failed, *, may_pass: bool = False) -> None:
        """Queue the job again where that may help; else refund it and tell its people.

        `may_pass` says that another attempt may help whatever the reason is.
        """
        again = (may_pass or failure.reason.worth_another_attempt) and job.tries + 1 < MAX_TRIES
        _log.warning("attempt failed", reason=failure.reason, detail=failure.detail, again=again)
        ended = await self._writing.until_done(lambda: self._record_failure(job, failure, again=again))
        if ended is not None and ended.state in (JobState.FAILED, JobState.CANCELLED):
            self._tasks.spawn(self.tell_failure(ended), f"failure of {job.id}")

    async def _record_failure(self, job: Job, failure: Failed, *, again: bool) -> Job | None:
        """The job as it is then, or None if it was queued again."""
        async with self._database.transaction() as tx:
            if again and await lifecycle.requeue(tx, job.id, job.attempt, counts=True):
                return None
            if not again and await lifecycle.fail(tx, job.id, job.attempt, reason=failure.reason, now=self._clock()):
                await account.refund(tx, job.id, now=self._clock())
            return await queries.get(tx, job.id)

    async def tell_failures(self, ended: Sequence[Job]) -> None:
        """Tell of one after the other."""
        for job in ended:
            await self.tell_failure(job)

    async def tell_failure(self, job: Job) -> None:
        """Tell the owner how a failed or cancelled job ended, and remember that they know."""
        structlog.contextvars.bind_contextvars(job=job.id)
        if not await self._delivery.post_failure(job):
            return
        await self._writing.until_done(lambda: self._write(lifecycle.mark_notified, job))
        if job.state is JobState.FAILED:
            await self.put_away(job)
