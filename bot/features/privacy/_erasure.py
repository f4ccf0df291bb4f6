"""Erases a person, to the end, across restarts: every step may be taken twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from bot.errors import JobGone, NothingToCancel
from bot.services import Services
from storage.credits import account
from storage.errors import StorageError
from storage.files import erasure_list
from storage.jobs import images
from storage.privacy import erasures, personal_data, retention
from storage.privacy.erasures import Erasure

_BATCH = 50
_POSTS = 50

_log = structlog.get_logger(__name__)


async def erase(services: Services, erasure: Erasure) -> None:
    """Put the erasure on record, and carry it out. Pieces stay in the database's files until `rewriting` takes them out.

    Of whom the database keeps nothing, a backup may, so the list of erasures gets them all the same.
    """
    async with services.database.transaction() as tx:
        kept = any((await personal_data.counts(tx, erasure.user_id)).values())
        if kept:
            await erasures.ask(tx, erasure)
    if kept:
        await _carry_out(services, erasure)
    else:
        await _note(services, erasure)


async def resume(services: Services) -> None:
    """Carry out the erasures that a restart or an error interrupted."""
    async with services.database.reading() as tx:
        left = await erasures.pending(tx)
    for erasure in left:
        _log.info("going on with an erasure")
        try:
            await _carry_out(services, erasure)
        except (StorageError, OSError):  # which keeps nobody else from being erased
            _log.exception("an erasure could not be carried out; trying again later")


async def _carry_out(services: Services, erasure: Erasure) -> None:
    await _note(services, erasure)  # before anything is gone
    if erasure.posts:
        await _stop_jobs(services, erasure.user_id)
        await _remove_posts(services, erasure.user_id)
    for forget in services.forget_person:
        await forget(services, erasure.user_id)
    while not await _forget_person(services, erasure.user_id):
        await _stop_jobs(services, erasure.user_id)
        await _forget_jobs(services, erasure.user_id)
    _log.info("a person was erased")


async def _note(services: Services, erasure: Erasure) -> None:
    """See to it that no restore of an older backup brings the person back."""
    await asyncio.to_thread(erasure_list.note, services.database.folder, erasure.user_id, now=services.clock())


async def _stop_jobs(services: Services, user_id: int) -> None:
    """Cancel what waits or runs, and let what is being said about the person's jobs come to its end."""
    async with services.database.reading() as tx:
        active = await erasures.active_jobs(tx, user_id)
        ended = await erasures.ended_jobs(tx, user_id, limit=_BATCH)
    for job_id in active:
        try:
            await services.dispatcher.cancel(job_id, by=user_id)
        except (NothingToCancel, JobGone):
            continue  # it ended by itself, or was forgotten, meanwhile
    await services.dispatcher.release([*active, *ended])


async def _remove_posts(services: Services, user_id: int) -> None:
    """Delete our messages for the person, where Discord lets us."""
    after = 0
    while True:
        async with services.database.reading() as tx:
            posts = await erasures.posts(tx, user_id, after=after, limit=_POSTS)
        if not posts:
            return
        for post in posts:
            await services.delivery.remove_post(post.channel_id, post.message_id)
        after = posts[-1].message_id


async def _forget_jobs(services: Services, user_id: int) -> None:
    """Pictures and what features show in Discord go first: a job without its row would leave them to be found by nobody."""
    while True:
        async with services.database.reading() as tx:
            batch = await erasures.ended_jobs(tx, user_id, limit=_BATCH)
        if not batch:
            return
        for forget in services.forget_jobs:
            await forget(services, batch)
        await asyncio.to_thread(_remove, services, batch)
        async with services.database.transaction() as tx:
            for job_id in batch:
                # What could not be posted before is paid back. For all others, nothing happens.
                await account.refund(tx, job_id, now=services.clock())
            await retention.forget_jobs(tx, batch)


def _remove(services: Services, job_ids: Sequence[str]) -> None:
    for job_id in job_ids:
        images.remove(services.database.folder, job_id)


async def _forget_person(services: Services, user_id: int) -> bool:
    """Take the person out of the database, the record of the erasure included, and note that pieces are left.

    False, and nothing done, as long as there are jobs of theirs.
    """
    async with services.database.transaction() as tx:
        if await erasures.active_jobs(tx, user_id) or await erasures.ended_jobs(tx, user_id, limit=1):
            return False
        await erasures.erase(tx, user_id, now=services.clock())
        await erasures.done(tx, user_id)
        await retention.note_pieces(tx)
    return True
