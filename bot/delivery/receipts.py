"""The private answers that a job is on its way: each goes when the job's end is there to see."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from bot.connection.retry import Unreachable

_log = structlog.get_logger(__name__)

TakeBack = Callable[[], Awaitable[None]]


class Receipts:
    """Knows how to take back the answers of this run of the bot. Discord lets go of one after a quarter of an hour."""

    def __init__(self) -> None:
        self._kept: dict[str, TakeBack] = {}
        self._over: deque[str] = deque(maxlen=1000)

    async def keep(self, job_id: str, take_back: TakeBack) -> None:
        """Note how a job's receipt is taken back; at once, if the job is over by now."""
        self._kept[job_id] = take_back
        if job_id in self._over:
            await self.take_back(job_id)

    async def take_back(self, job_id: str) -> None:
        """Delete the receipt of a job that is over, if there is one."""
        self._over.append(job_id)
        if take_back := self._kept.pop(job_id, None):
            try:
                await take_back()
            except Unreachable as error:
                _log.debug("a receipt stays", job=job_id, error=str(error))
