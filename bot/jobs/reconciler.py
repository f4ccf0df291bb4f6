"""Takes up what is owed to people and nobody works on: at the start, and later where a task failed or was lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import structlog

from bot.jobs.completion import Completion
from bot.jobs.tasks import Tasks
from storage.database import Database
from storage.jobs import lifecycle
from storage.jobs.job import Job
from storage.jobs.lifecycle import Unfinished

_log = structlog.get_logger(__name__)


class Reconciler:
    """Compares what the database says is owed with what is being done about it."""

    def __init__(
        self, *, database: Database, completion: Completion, tasks: Tasks, look_again: Callable[[], None]
    ) -> None:
        """`look_again` is called when a job was queued again."""
        self._database = database
        self._completion = completion
        self._tasks = tasks
        self._look_again = look_again
        self._idle: set[str] = set()

    async def look(self) -> None:
        """Take up what nobody works on now, nor did at the last look."""
        async with self._database.reading() as tx:
            found = await lifecycle.unfinished(tx)
        idle = _only(found, lambda job: not self._tasks.busy(job.id))
        lost = _only(idle, lambda job: job.id in self._idle)
        self._idle = _ids(idle) - _ids(lost)
        await self._queue_again(lost.running)
        self.take_up(lost)

    def take_up(self, found: Unfinished) -> None:
        """Post what is finished, tell of what ended, and put away the progress messages that are left."""
        if _ids(found):
            _log.info(
                "taking up what was left",
                **{each.name: len(getattr(found, each.name)) for each in fields(found)},
            )
        for job in found.undelivered:
            self._tasks.spawn(self._completion.deliver(job, look_first=True), f"delivery of {job.id}")
        for job in found.unnotified:
            self._tasks.spawn(self._completion.tell_failure(job), f"failure of {job.id}")
        if found.progress_open:
            named = " ".join(job.id for job in found.progress_open)
            self._tasks.spawn(self._put_away(found.progress_open), f"progress messages of {named}")

    async def _queue_again(self, running: Sequence[Job]) -> None:
        for job in running:
            async with self._database.transaction() as tx:
                await lifecycle.requeue(tx, job.id, job.attempt, counts=True)
        if running:
            self._look_again()

    async def _put_away(self, ended: Sequence[Job]) -> None:
        for job in ended:
            await self._completion.put_away(job)


def _only(found: Unfinished, wanted: Callable[[Job], bool]) -> Unfinished:
    parts = {each.name: tuple(filter(wanted, getattr(found, each.name))) for each in fields(found)}
    return replace(found, **parts)


def _ids(found: Unfinished) -> set[str]:
    return {job.id for each in fields(found) for job in getattr(found, each.name)}
