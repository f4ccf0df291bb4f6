"""Decides whether the clock can be believed before anything is deleted for its age, and says once where not."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from storage.database import Database
from storage.privacy import clock_check
from storage.privacy.clock_check import Watch

ADVICE = (
    "If this machine's date is wrong, set it. If Easel was off for so long, there is nothing to do: old data is deleted "
    "again once somebody orders a picture, or after a day of running."
)

_log = structlog.get_logger(__name__)


async def may_delete(database: Database, watch: Watch, *, now: datetime) -> bool:
    """Whether the clock is believed, and with it the age of what is kept. Raises OSError and StorageError."""
    async with database.reading() as tx:
        ours, discord = await clock_check.newest(tx)
    last = await asyncio.to_thread(clock_check.read, database.folder) or ours
    if clock_check.believed(now, last=last, discord=discord, steady=watch.steady(now)):
        watch.doubted = False
        await asyncio.to_thread(clock_check.write, database.folder, now)
        return True
    if not watch.doubted:
        watch.doubted = True
        _log.warning(
            "the clock is far from when Easel last ran, so nothing old is deleted",
            clock=now.isoformat(timespec="minutes"),
            last=None if last is None else last.isoformat(timespec="minutes"),
            advice=ADVICE,
        )
    return False
