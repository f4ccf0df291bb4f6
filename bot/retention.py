"""Forgets what has been kept for as long as the host said: a few jobs at a time, so that nobody's order waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from bot.feature import Studio
from bot.rewriting import rewrite
from storage import erasures, images, retention
from storage.database import Transaction

_BATCH = 50

_log = structlog.get_logger(__name__)

Forget = Callable[[Transaction, Sequence[str]], Awaitable[None]]


async def prune(studio: Studio) -> None:
    """Forget pictures, prompts and spent amounts whose time is over."""
    await _forget(studio, studio.settings.keep_prompts_days, _forget_jobs, what="jobs")
    await _forget(studio, studio.settings.keep_pictures_days, retention.forget_pictures, what="pictures")
    async with studio.database.transaction() as tx:
        await erasures.forget_carried(tx, now=studio.clock())
    await rewrite(studio)


async def _forget_jobs(tx: Transaction, job_ids: Sequence[str]) -> None:
    await retention.forget_jobs(tx, job_ids)
    await retention.note_pieces(tx)


async def _forget(studio: Studio, days: int, forget: Forget, *, what: str) -> None:
    if days == 0:
        return
    before, after, count = studio.clock() - timedelta(days=days), 0, 0
    while True:
        async with studio.database.reading() as tx:
            batch = await retention.old_jobs(tx, before=before, after=after, limit=_BATCH)
        if not batch.ids:
            break
        await asyncio.to_thread(_remove, studio, batch.ids)
        async with studio.database.transaction() as tx:
            await forget(tx, batch.ids)
        after, count = batch.last, count + len(batch.ids)
    if count:
        _log.info("old work was looked through and forgotten", what=what, looked_at=count)


def _remove(studio: Studio, job_ids: Sequence[str]) -> None:
    for job_id in job_ids:
        images.remove(studio.database.folder, job_id)
