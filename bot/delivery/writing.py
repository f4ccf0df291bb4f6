"""Writes what must be kept, however long the database or the disk fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import structlog

from bot.connection.retry import pauses
from bot.connection.waiting import DATABASE_PAUSE, Wait
from bot.delivery.host_notices import HostNotices
from storage.errors import StorageError
from storage.files import disk

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Writing:
    """Tries again until it is written, and tells the host of a full disk."""

    def __init__(self, folder: Path, *, notices: HostNotices, wait: Wait) -> None:
        self._folder = folder
        self._notices = notices
        self._wait = wait

    async def until_done(self, write: Callable[[], Awaitable[_T]]) -> _T:
        """What `write` returns, which changes nothing more when it is done twice. Raises what is no failure of the machine."""
        for pause in pauses(DATABASE_PAUSE):
            try:
                return await write()
            except Exception as error:
                if not _may_pass(error):
                    raise
                _log.error("what must be kept can't be written", error=str(error), again_in=pause)
                if disk.is_full(error):
                    self._notices.disk_full(self._folder)
                await self._wait(asyncio.sleep(pause), reason="the database or the disk failed")
        raise AssertionError("pauses have no end")


def _may_pass(error: Exception) -> bool:
    """Whether the machine failed and not the program. Python says in words only that there is no thread to spare."""
    return isinstance(error, StorageError | OSError) or "can't start new thread" in str(error)
