"""Rewrites the database without the pieces that deleted rows leave in its files: once for many, in its own thread."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from bot.feature import Studio
from storage import retention

_log = structlog.get_logger(__name__)


async def rewrite(studio: Studio) -> datetime | None:
    """Leave nothing of deleted rows in the files; the moment from which on that may be done, where it is too soon.

    Orders wait meanwhile. Who asks while it is being done waits for its end. Raises `DatabaseFailed` when the disk
    lacks the room.
    """
    async with studio.database.rewriting:
        async with studio.database.reading() as tx:
            pieces = await retention.pieces(tx, now=studio.clock())
        if pieces is None:
            return None
        if studio.clock() < pieces.due_at:
            return pieces.due_at
        seconds = await studio.database.scrub()
        async with studio.database.transaction() as tx:
            await retention.note_rewriting(tx, pieces, seconds=seconds, now=studio.clock())
    _log.info("the database was rewritten without what was deleted", seconds=round(seconds, 2))
    return None


async def rewrite_soon(studio: Studio, *, patience: float) -> datetime | None:
    """As `rewrite`, but where it is too soon, wait for up to `patience` seconds until it may be done."""
    while (due_at := await rewrite(studio)) is not None:
        rest = (due_at - studio.clock()).total_seconds()
        if rest > patience:
            return due_at
        patience -= rest
        await asyncio.sleep(rest)
    return None
