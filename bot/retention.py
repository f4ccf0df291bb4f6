"""Forgets what has been kept for as long as the host said: a few rows at a time, so that nobody's order waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot import sweeping
from bot.clock_doubt import may_delete
from bot.feature import Studio
from bot.rewriting import rewrite
from storage.credits import compaction
from storage.database import Transaction
from storage.jobs import images, ownership
from storage.privacy import erasures, records, retention

_BATCH = 50
_ROWS = 200
_LINES = 500
"""As many lines of the ledger are looked at in one transaction."""

_log = structlog.get_logger(__name__)

Forget = Callable[[Transaction, Sequence[str]], Awaitable[None]]


class ForgetRows(Protocol):
    """Forgets up to `limit` rows from before a moment, and returns how many; 0 where none are left."""

    async def __call__(self, tx: Transaction, *, before: datetime, limit: int) -> int: ...


async def prune(studio: Studio) -> None:
    """Forget pictures, prompts, records of people and spent amounts whose time is over, if the clock can be believed."""
    if await may_delete(studio.database, studio.clock_watch, now=studio.clock()):
        await _forget_old(studio)
    await ownership.renew_if_same(studio.database)
    await rewrite(studio)


async def _forget_old(studio: Studio) -> None:
    await _forget(studio, studio.settings.keep_prompts_days, _forget_jobs, what="jobs")
    await _forget(studio, studio.settings.keep_pictures_days, retention.forget_pictures, what="pictures")
    await _forget_records(studio)
    async with studio.database.transaction() as tx:
        await erasures.forget_carried(tx, now=studio.clock())
    await sweeping.forget(studio.database, days=studio.settings.keep_quarantine_days, now=studio.clock())


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


async def _forget_records(studio: Studio) -> None:
    """Forget what is kept of people beside their jobs."""
    chosen = studio.settings
    credits, changes = timedelta(days=chosen.keep_credits_days), timedelta(days=chosen.keep_changes_days)
    moderation = timedelta(days=chosen.keep_moderation_days)
    if moderation:  # a refusal that still counts towards a timeout stays
        moderation = max(moderation, timedelta(minutes=chosen.timeout_minutes))
    await _fold(studio, credits)
    await _forget_rows(studio, credits, records.forget_users, what="people")
    await _forget_rows(studio, changes, records.forget_changes, what="changes")
    await _forget_rows(studio, moderation, records.forget_moderation, what="moderation")


async def _fold(studio: Studio, age: timedelta) -> None:
    if not age:
        return
    before, count = studio.clock() - age, 0
    after: compaction.Place | None = compaction.START
    while after is not None:
        async with studio.database.transaction() as tx:
            step = await compaction.fold(tx, before=before, limit=_LINES, after=after)
            if step.folded:
                await retention.note_pieces(tx)
        after, count = step.last, count + step.folded
    if count:
        _log.info("old lines of the ledger were folded", lines=count)


async def _forget_rows(studio: Studio, age: timedelta, forget: ForgetRows, *, what: str) -> None:
    if not age:
        return
    before, count = studio.clock() - age, 0
    while True:
        async with studio.database.transaction() as tx:
            gone = await forget(tx, before=before, limit=_ROWS)
            if gone:
                await retention.note_pieces(tx)
        if not gone:
            break
        count += gone
    if count:
        _log.info("old records were forgotten", what=what, rows=count)


def _remove(studio: Studio, job_ids: Sequence[str]) -> None:
    for job_id in job_ids:
        images.remove(studio.database.folder, job_id)
