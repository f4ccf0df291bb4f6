"""Puts picture files that no row tells of into quarantine, at the start, and removes them once their days are over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from storage.database import Database
from storage.files import quarantine
from storage.jobs import images, ownership, queries
from storage.jobs.ownership import Bond

_OTHER = (
    "If an older database was put back, or this one is new, put the right one in its place. If it is the right one, "
    "stop Easel, delete {}, and start it: pictures that the database doesn't know are then put into quarantine."
)
_TOO_MANY = (
    "If an older database was put back, put the newer one in its place. If it is the right one, move these folders "
    "away yourself, or leave them: they do no harm."
)

_log = structlog.get_logger(__name__)


async def sweep(database: Database, *, now: datetime) -> None:
    """Move what a crash left of half-written results into quarantine; only for the start.

    Nothing is moved where the pictures may be another database's, or where there are many of them. A folder that can't
    be read stops no start.
    """
    try:
        bond = await ownership.bond(database)
        if bond is Bond.OTHER:
            mark = ownership.mark_file(database.folder)
            _log.warning("pictures of another database, so nothing is swept", advice=_OTHER.format(mark))
        elif bond is Bond.SAME:
            await _sweep(database, now)
            await ownership.renew(database)
    except OSError as error:
        _log.warning("the folder of pictures can't be looked through", error=str(error))


async def _sweep(database: Database, now: datetime) -> None:
    async with database.reading() as tx:
        kept = await images.with_rows(tx)
        if not await queries.any_kept(tx):
            return
    swept = await asyncio.to_thread(quarantine.sweep, database.folder, kept, today=now.date())
    if swept.moved:
        _log.warning(
            "pictures that the database doesn't know were put into quarantine",
            jobs=len(swept.moved),
            folder=str(database.folder / "quarantine"),
        )
    if len(swept.left) > quarantine.MOST:
        _log.warning(
            "many pictures are unknown to the database, so nothing is swept",
            jobs=len(swept.left),
            first=", ".join(swept.left[:3]),
            advice=_TOO_MANY,
        )
    elif swept.left:
        _log.warning("pictures could not be put into quarantine", jobs=", ".join(swept.left))


async def forget(database: Database, *, days: int, now: datetime) -> None:
    """Remove what was in quarantine for so many days; 0 keeps it for ever. Raises OSError."""
    if days:
        before = (now - timedelta(days=days)).date()
        if count := await asyncio.to_thread(quarantine.forget, database.folder, before=before):
            _log.info("pictures in quarantine were removed", jobs=count)
