"""Background tasks about jobs. A task's name says which jobs it is about, so that one can wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

import structlog

from bot.connection.retry import Unreachable

_log = structlog.get_logger(__name__)


class Tasks:
    """Keeps tasks alive until they end, and logs how those end that fail."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Begins a task; job ids are words of its name."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def busy(self, job_id: str) -> bool:
        """Whether anything is being done about a job."""
        return bool(self._about({job_id}))

    async def settle(self, job_ids: Collection[str], *, spare: Collection[asyncio.Task[None]], patience: float) -> None:
        """Waits until nothing more is done about these jobs; after `patience` seconds all but `spare` are cancelled."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while (busy := self._about(job_ids)) and (left := deadline - loop.time()) > 0:
            await asyncio.wait(busy, timeout=left)
        await _cancel(self._about(job_ids) - set(spare))

    async def end(self, *, at_once: Collection[asyncio.Task[None]], patience: float) -> None:
        """Cancels tasks: those named at once, the others after `patience` seconds."""
        for task in at_once:
            task.cancel()
        if others := self._tasks - set(at_once):
            await asyncio.wait(others, timeout=patience)
        await _cancel(self._tasks)

    def _about(self, job_ids: Collection[str]) -> set[asyncio.Task[None]]:
        return {task for task in self._tasks if not set(job_ids).isdisjoint(task.get_name().split())}

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Unreachable):
            _log.warning("Discord failed", task=task.get_name(), error=str(error))
        elif error is not None:
            _log.error("a background task failed", task=task.get_name(), exc_info=error)


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    left = list(tasks)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
