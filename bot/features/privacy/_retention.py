"""Forgets what has been kept for as long as the host said: a few rows at a time, so that nobody's order waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.features.privacy._rewriting import rewrite
from bot.health.clock import may_delete
from bot.pictures import sweeping
from bot.services import Services
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
Hook = Callable[[Services, Sequence[str]], Awaitable[None]]


class ForgetRows(Protocol):
    """Forgets up to `limit` rows from before a moment, and returns how many; 0 where none are left."""

    async def __call__(self, tx: Transaction, *, before: datetime, limit: int) -> int: ...


async def prune(services: Services) -> None:
    """Forget pictures, prompts, records of people and spent amounts whose time is over, if the clock can be believed."""
    if await may_delete(services.database, services.clock_watch, now=services.clock()):
        await _forget_old(services)
    await ownership.renew_if_same(services.database)
    await rewrite(services)


async def _forget_old(services: Services) -> None:
    hooks = services.forget_jobs
    await _forget(services, services.settings.keep_prompts_days, _forget_jobs, hooks, what="jobs")
    await _forget(services, services.settings.keep_pictures_days, retention.forget_pictures, (), what="pictures")
    await _forget_records(services)
    async with services.database.transaction() as tx:
        await erasures.forget_carried(tx, now=services.clock())
    await sweeping.forget(services.database, days=services.settings.keep_quarantine_days, now=services.clock())


async def _forget_jobs(tx: Transaction, job_ids: Sequence[str]) -> None:
    await retention.forget_jobs(tx, job_ids)
    await retention.note_pieces(tx)


async def _forget(services: Services, days: int, forget: Forget, hooks: Sequence[Hook], *, what: str) -> None:
    if days == 0:
        return
    before, after, count = services.clock() - timedelta(days=days), 0, 0
    while True:
        async with services.database.reading() as tx:
            batch = await retention.old_jobs(tx, before=before, after=after, limit=_BATCH)
        if not batch.ids:
            break
        for hook in hooks:
            await hook(services, batch.ids)
        await asyncio.to_thread(_remove, services, batch.ids)
        async with services.database.transaction() as tx:
            await forget(tx, batch.ids)
        after, count = batch.last, count + len(batch.ids)
    if count:
        _log.info("old work was looked through and forgotten", what=what, looked_at=count)


async def _forget_records(services: Services) -> None:
    """Forget what is kept of people beside their jobs."""
    chosen = services.settings
    credits, changes = timedelta(days=chosen.keep_credits_days), timedelta(days=chosen.keep_changes_days)
    moderation = timedelta(days=chosen.keep_moderation_days)
    if moderation:  # a refusal that still counts towards a timeout stays
        moderation = max(moderation, timedelta(minutes=chosen.timeout_minutes))
    await _fold(services, credits)
    await _forget_rows(services, credits, records.forget_users, what="people")
    await _forget_rows(services, changes, records.forget_changes, what="changes")
    await _forget_rows(services, moderation, records.forget_moderation, what="moderation")


async def _fold(services: Services, age: timedelta) -> None:
    if not age:
        return
    before, count = services.clock() - age, 0
    after: compaction.Place | None = compaction.START
    while after is not None:
        async with services.database.transaction() as tx:
            step = await compaction.fold(tx, before=before, limit=_LINES, after=after)
            if step.folded:
                await retention.note_pieces(tx)
        after, count = step.last, count + step.folded
    if count:
        _log.info("old lines of the ledger were folded", lines=count)


async def _forget_rows(services: Services, age: timedelta, forget: ForgetRows, *, what: str) -> None:
    if not age:
        return
    before, count = services.clock() - age, 0
    while True:
        async with services.database.transaction() as tx:
            gone = await forget(tx, before=before, limit=_ROWS)
            if gone:
                await retention.note_pieces(tx)
        if not gone:
            break
        count += gone
    if count:
        _log.info("old records were forgotten", what=what, rows=count)


def _remove(services: Services, job_ids: Sequence[str]) -> None:
    for job_id in job_ids:
        images.remove(services.database.folder, job_id)
