"""Pictures that the safety check withheld, on their way through the moderators: shown to them, then posted or deleted.

Every step is recorded before it is taken and may be taken twice, so that a restart goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import discord
import structlog

from bot.connection.retry import Undeliverable, persistently
from bot.delivery.button_rows import as_view, button
from bot.errors import AdultOnly, JobGone
from bot.features.moderation import _case_messages as case_messages
from bot.pictures import files, safety
from bot.pictures.age_restriction import age_restricted
from bot.services import Services
from bot.texts import moderation, results
from storage.jobs import images, queries
from storage.jobs.images import Finding
from storage.jobs.job import Job
from storage.moderation import cases
from storage.moderation.cases import Kind, Verdict

APPROVE, REFUSE, SHOW = "mod_approve", "mod_refuse", "mod_show"
"""The verbs of the buttons under a case."""

_LARGEST = 2 * 2**20
"""Bytes of one picture in a case: four of them fit into what Discord takes everywhere."""

_log = structlog.get_logger(__name__)


async def resume(services: Services) -> None:
    """Go on with what a restart interrupted."""
    async with services.database.reading() as tx:
        unposted = await cases.unposted(tx)
        approved = {job_id for job_id, _ in await images.awaiting(tx, Finding.APPROVED)}
        refused = {job_id for job_id, _ in await images.awaiting(tx, Finding.REFUSED)}
    for job_id in refused:
        await _delete_files(services, job_id)
    for step, job_ids in ((post_approved, sorted(approved)), (bring, unposted)):
        for job_id in job_ids:
            async with services.database.reading() as tx:
                job = await queries.get(tx, job_id)
            if job is not None:
                await step(services, job)


async def bring(services: Services, job: Job) -> None:
    """Bring what was withheld of a delivered job before the moderators, if anything was.

    REFUSED, and deleted, if no channel of theirs takes it: nobody could ever approve it.
    """
    async with case_messages.lock(job):
        async with services.database.reading() as tx:
            case = await cases.case(tx, job.id, Kind.CHECK)
            current = await queries.get(tx, job.id)
        numbers = await _numbers(services, job)
        if case is None or current is None or case.message_id is not None or case.verdict is not None:
            return
        if not numbers:
            await _close(services, job, Verdict.REMOVED, judge_id=None)
            return
        try:
            channel = await case_messages.channel_of(services, job.guild_id)
            if channel is None:
                raise Undeliverable("there is no moderators' channel any more")
            message_id = await _post(services, current, channel, numbers)
        except (Undeliverable, JobGone) as error:
            _log.warning("withheld pictures could come before no moderators", error=str(error))
            await _close(services, job, Verdict.REMOVED, judge_id=None)
            return
        with contextlib.suppress(JobGone):
            await case_messages.record(services, job, Kind.CHECK, channel, message_id)


async def _post(services: Services, job: Job, channel: discord.TextChannel, numbers: Sequence[int]) -> int:
    """Post the case once, and return its message's id. Raises Undeliverable, or JobGone."""
    shown = age_restricted(channel)
    words = moderation.withheld_case(job, numbers, shown=shown)

    async def send() -> int:
        if earlier := await case_messages.find(services, job, channel, REFUSE):
            return earlier
        nonce: Any = f"case-{job.id}"
        pictures = await _files(services, job, numbers) if shown else []
        return (await channel.send(words, files=pictures, view=_buttons(job, shown=shown), nonce=nonce)).id

    return await persistently(send)


async def _numbers(services: Services, job: Job) -> list[int]:
    async with services.database.reading() as tx:
        rows = await images.of_job(tx, job.id)
    return [row.index for row in rows if row.finding is Finding.WITHHELD]


async def _files(services: Services, job: Job, numbers: Sequence[int]) -> list[discord.File]:
    """The pictures as spoilers. Raises JobGone if they are no longer kept."""
    return [await asyncio.to_thread(_spoiler, services, job, number) for number in numbers]


def _spoiler(services: Services, job: Job, number: int) -> discord.File:
    try:
        data = images.read(services.database.folder, job.id, number)
    except images.ImageGone:
        raise JobGone from None
    if len(data) > _LARGEST:
        data = files.shrink(data, _LARGEST, services.seal)
    return case_messages.spoiler(job, data, number)


async def show(services: Services, job: Job, channel: object, message: discord.PartialMessage) -> None:
    """Show the pictures in a case that was posted while its channel was open to everyone.

    Raises AdultOnly as long as it is, and JobGone if they are no longer kept.
    """
    if not age_restricted(channel):
        raise AdultOnly
    async with case_messages.lock(job):
        numbers = await _numbers(services, job)
        if not numbers:
            raise JobGone
        words, shown = moderation.withheld_case(job, numbers), await _files(services, job, numbers)
        await message.edit(content=words, attachments=shown, view=_buttons(job, shown=True))


async def decide(
    services: Services, job: Job, verdict: Verdict, *, judge_id: int, message: discord.PartialMessage
) -> bool:
    """Decide a case, say so in its message, and carry it out; False if it was decided before.

    Raises JobGone if the pictures are no longer kept: the case is over, and its copy of them goes.
    """
    async with case_messages.lock(job):
        numbers = await _numbers(services, job)
        async with services.database.reading() as tx:
            case = await cases.case(tx, job.id, Kind.CHECK)
        if case is None or case.verdict is not None:
            return False
        if not numbers:
            await _close(services, job, Verdict.REMOVED, judge_id=None)
            await case_messages.mark(message, moderation.withheld_case(job, []), keep=False)
            raise JobGone
        await _close(services, job, verdict, judge_id=judge_id)
        words = moderation.withheld_case(job, numbers, verdict=verdict, judge_id=judge_id)
        await case_messages.mark(message, words, keep=verdict is Verdict.KEPT)
    if verdict is Verdict.KEPT:
        await post_approved(services, job)
    else:
        await services.delivery.renew_result(job)
    return True


async def _close(services: Services, job: Job, verdict: Verdict, *, judge_id: int | None) -> None:
    """Close the case. Without a judge it could be brought before nobody. Raises JobGone if the job was deleted meanwhile."""
    now, change = services.clock(), None
    async with services.database.transaction() as tx:
        if judge_id is None:
            await cases.close(tx, job.id, verdict, Kind.CHECK, judge_id=None, now=now)
        else:
            change = await case_messages.close(tx, job, Kind.CHECK, verdict, judge_id=judge_id, now=now)
        await images.judge(tx, job.id, Finding.APPROVED if verdict is Verdict.KEPT else Finding.REFUSED)
    if verdict is Verdict.REMOVED:
        await _delete_files(services, job.id)
    if change is not None:
        await case_messages.announce(services, change)


async def _delete_files(services: Services, job_id: str) -> None:
    """The files of refused pictures go; only then does the database say so."""
    async with services.database.reading() as tx:
        rows = await images.of_job(tx, job_id)
    for row in rows:
        if row.finding is Finding.REFUSED:
            await asyncio.to_thread(images.remove_one, services.database.folder, job_id, row.index)
    async with services.database.transaction() as tx:
        await images.mark_removed(tx, job_id)


async def post_approved(services: Services, job: Job) -> None:
    """Post what moderators let pass to the person who asked for it, in the job's channel, once."""
    async with case_messages.lock(job):
        async with services.database.reading() as tx:
            rows = await images.of_job(tx, job.id)
        for row in rows:
            if row.finding is Finding.APPROVED:
                await _post_picture(services, job, row.index)
        await services.delivery.renew_result(job, await _uncover(services, job))
        async with services.database.transaction() as tx:
            await images.judge(tx, job.id, Finding.SAFE, of=Finding.APPROVED)


async def _uncover(services: Services, job: Job) -> bytes | None:
    """The job's grid with all its pictures, kept in place of the covered one; None if they are gone."""
    folder = services.database.folder
    try:
        grid = await asyncio.to_thread(safety.uncovered, folder, job, services.seal)
    except images.ImageGone:
        return None
    written = await asyncio.to_thread(images.write, folder, job.id, {images.file_name(0): grid})
    async with services.database.transaction() as tx:
        kept = await images.rewrite(tx, job.id, 0, written[images.file_name(0)])
    if kept:
        return grid
    await asyncio.to_thread(images.remove, folder, job.id)  # the job was deleted meanwhile
    return None


async def _post_picture(services: Services, job: Job, index: int) -> None:
    try:
        posted = await services.delivery.post_single(
            job,
            index,
            channel_id=job.channel_id,
            asked_by=job.user_id,
            reply_to=job.result_message_id,
            note=results.LET_PASS,
            look_first=True,
        )
    except images.ImageGone:
        _log.warning("an approved picture is gone")
        return
    if posted is None:
        _log.warning("an approved picture could be posted nowhere; its button gives it out")


def _buttons(job: Job, *, shown: bool) -> discord.ui.View:
    """Nobody approves what they have not seen."""
    first = (APPROVE, "Approve", "✅") if shown else (SHOW, "Show", "👁️")
    both = (first, (REFUSE, "Refuse", "🗑️"))
    return as_view(button(verb, job.id, 0, label=label, emoji=emoji) for verb, label, emoji in both)
