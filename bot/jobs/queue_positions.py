"""Tells waiting people their places in the queue as it moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.jobs.seams import Announcer
from bot.jobs.tasks import Tasks
from storage.database import Database
from storage.jobs import queries, queue
from storage.jobs.job import Job, JobState
from storage.jobs.scheduling import Workers

_SHOWN = 3
"""How many waiting jobs get their place edited when the line moves; more would meet Discord's rate limits."""

_EVERY = 2.0
"""Seconds between two rounds of such edits."""


class QueuePositions:
    """The places that progress messages show."""

    def __init__(
        self,
        *,
        database: Database,
        announcer: Announcer,
        tasks: Tasks,
        workers: Callable[[], Workers],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._announcer = announcer
        self._tasks = tasks
        self._workers = workers
        self._clock = clock
        self._told = float("-inf")

    def moved(self) -> None:
        """The line moved: say so, unless that was done just now."""
        moment = asyncio.get_running_loop().time()
        if moment - self._told >= _EVERY:
            self._told = moment
            self._tasks.spawn(self._tell_places(), "places in the queue")

    async def announce_again(self, line: Sequence[Job]) -> None:
        """Open the progress messages that a crash kept from being sent, or from being recorded."""
        for ahead, job in enumerate(line):
            if job.progress_message_id is None:
                await self._announcer.announce(job, ahead=ahead, seconds=None)
        await self._tell_places()

    async def _tell_places(self) -> None:
        """Bring the places that waiting people see up to date, for the next few in line."""
        async with self._database.transaction() as tx:
            line = await queries.active(tx, limit=_SHOWN + self._workers().capacity)
            done = await queue.outlooks(tx, now=self._clock(), workers=self._workers())
        for ahead, job in enumerate(line):
            if job.state is JobState.QUEUED and await self._still_waits(job.id):
                await self._announcer.announce(job, ahead=ahead, seconds=done.get(job.id))

    async def _still_waits(self, job_id: str) -> bool:
        async with self._database.reading() as tx:
            job = await queries.get(tx, job_id)
        return job is not None and job.state is JobState.QUEUED
