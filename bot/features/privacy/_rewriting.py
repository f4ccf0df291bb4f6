"""Rewrites the database without the pieces that deleted rows leave in its files: once for many, in its own thread."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from bot.services import Services
from storage.errors import PiecesLeft
from storage.privacy import retention

_LEAST_REST = timedelta(minutes=1)
"""How long another program is given to end its reading."""

_log = structlog.get_logger(__name__)


async def rewrite(services: Services) -> datetime | None:
    """Leave nothing of deleted rows in the files. Returns None, or when that may next be done.

    Orders wait meanwhile. Who asks while it is being done waits for its end. Raises `DatabaseFailed` when the disk
    lacks the room.
    """
    async with services.database.rewriting:
        async with services.database.reading() as tx:
            pieces = await retention.pieces(tx, now=services.clock())
        if pieces is None:
            return None
        if services.clock() < pieces.due_at:
            return pieces.due_at
        seconds, whole = await _scrub(services)
        now = services.clock()
        async with services.database.transaction() as tx:
            await retention.note_rewriting(tx, pieces, seconds=seconds, now=now, whole=whole)
            left = None if whole else await retention.pieces(tx, now=now)
    return max(left.due_at, now + _LEAST_REST) if left else None


async def _scrub(services: Services) -> tuple[float, bool]:
    """Rewrite the files: the seconds that it took, and whether nothing of what was deleted is in them now."""
    try:
        seconds = await services.database.scrub()
    except PiecesLeft as error:
        _log.warning("what was deleted is still in the files; they are rewritten again later", why=str(error))
        return error.seconds, False
    _log.info("the database was rewritten without what was deleted", seconds=round(seconds, 2))
    return seconds, True


async def rewrite_soon(services: Services, *, patience: float) -> datetime | None:
    """Rewrite. If it is too soon, wait for up to `patience` seconds."""
    while (due_at := await rewrite(services)) is not None:
        rest = (due_at - services.clock()).total_seconds()
        if rest > patience:
            return due_at
        patience -= rest
        await asyncio.sleep(rest)
    return None
