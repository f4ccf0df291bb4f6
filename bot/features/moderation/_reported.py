"""Reported pictures: how a report comes before moderators, and what becomes of the picture."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.delivery.button_rows import as_view, button
from bot.errors import AlreadyReported, JobGone, NoModerators, NotReady, TooManyReports
from bot.features.moderation import _case_messages as case_messages
from bot.interactions import servers
from bot.interactions.checks import policy_of
from bot.pictures.age_restriction import may_show
from bot.services import Services
from bot.texts import moderation
from storage.database import Transaction
from storage.jobs import images, messages, queries
from storage.jobs.job import Job, JobState
from storage.moderation import cases
from storage.moderation.cases import Case, Kind, Verdict

REMOVE, KEEP, REPORTERS = "mod_remove", "mod_keep", "mod_reporters"
"""The verbs of the buttons under a case."""

MOST_REPORTS = 20
SPAN = timedelta(hours=1)
"""As many reports one person can make in a server in that time."""

_log = structlog.get_logger(__name__)


async def report(services: Services, job: Job, reporter: discord.Member, *, reason: str = "") -> str:
    """Bring a job before the moderators; the words for the person who reported it.

    Raises Banned, TimedOut, NotReady, JobGone, AlreadyReported, TooManyReports, or NoModerators if no channel takes it.
    """
    channel = await open_to(services, job, reporter)
    grid = await _grid(services, job)
    if grid is None:
        raise JobGone
    async with case_messages.lock(job):
        return await _take(services, job, reporter, channel, grid, reason=reason)


async def open_to(services: Services, job: Job, reporter: discord.Member) -> discord.TextChannel:
    """The channel that takes this person's report of a job. Raises Banned, TimedOut, NotReady or NoModerators."""
    servers.only_allowed(services.settings, reporter.guild.id)
    (await policy_of(services, reporter.guild.id, reporter.id)).only_admitted()
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        raise NotReady
    channel = await case_messages.channel_of(services, reporter.guild.id)
    if channel is None:
        raise NoModerators
    return channel


async def _grid(services: Services, job: Job) -> bytes | None:
    try:
        return await asyncio.to_thread(images.read, services.database.folder, job.id, 0)
    except images.ImageGone:
        return None


async def _take(
    services: Services,
    job: Job,
    reporter: discord.Member,
    channel: discord.TextChannel,
    grid: bytes,
    *,
    reason: str,
) -> str:
    async with services.database.transaction() as tx:
        earlier = await cases.case(tx, job.id)
        new = await cases.report(tx, job.id, reporter.id, reason=reason, now=services.clock())
        if new:
            await _not_too_many(tx, job, reporter, now=services.clock())
        said = await cases.said(tx, job.id)
    waits = earlier is not None and earlier.message_id is None and earlier.verdict is None
    if not new and not waits:
        raise AlreadyReported
    if earlier is None or earlier.verdict is None:
        try:
            await _show(services, job, earlier, channel, grid, said)
        except Unreachable as error:
            _log.warning("the moderators' channel takes no report", error=str(error))
            async with services.database.transaction() as tx:
                await cases.withdraw(tx, job.id, reporter.id)
            raise NoModerators from error
    return moderation.report_taken(kept=earlier is not None and earlier.verdict is Verdict.KEPT)


async def _not_too_many(tx: Transaction, job: Job, reporter: discord.Member, *, now: datetime) -> None:
    """Raises TooManyReports, which takes the newest report back, too: one person can't bury a case under others."""
    lately = await cases.made_by(tx, reporter.id, guild_id=job.guild_id, since=now - SPAN, now=now)
    if len(lately) > MOST_REPORTS:
        raise TooManyReports(lately[0] + SPAN)


async def resume(services: Services) -> None:
    """Post the reports that were taken, and not posted before the bot stopped."""
    async with services.database.reading() as tx:
        waiting = await cases.unshown(tx)
    for job_id in waiting:
        async with services.database.reading() as tx:
            job = await queries.get(tx, job_id)
        if job is not None:
            async with case_messages.lock(job):
                await _show_late(services, job)


async def _show_late(services: Services, job: Job) -> None:
    async with services.database.reading() as tx:
        case = await cases.case(tx, job.id)
        said = await cases.said(tx, job.id)
    if case is None or case.message_id is not None or case.verdict is not None or not said:
        return  # it was posted, or taken back, meanwhile
    channel = await case_messages.channel_of(services, job.guild_id)
    if channel is None:
        return
    try:
        await _show(services, job, case, channel, await _grid(services, job), said)
    except (*Unreachable, JobGone) as error:
        _log.warning("a report could not be posted yet", job=job.id, error=str(error))


async def _show(
    services: Services,
    job: Job,
    case: Case | None,
    channel: discord.TextChannel,
    grid: bytes | None,
    said: list[str],
) -> None:
    """Post the case, or count its newest reporter in the message that it has. `case` is as it was before this report.

    Raises what `Unreachable` names, and JobGone if the job was deleted meanwhile.
    """
    words = moderation.case(job, said=said)
    nonce: Any = f"report-{job.id}"
    earlier = case.message_id if case is not None and case.channel_id == channel.id else None
    if case is not None and case.message_id is None:
        earlier = await case_messages.find(services, job, channel, REMOVE)
    if earlier is not None:
        try:
            await channel.get_partial_message(earlier).edit(content=words, view=_buttons(job))
        except discord.NotFound:
            _log.info("a case was deleted by hand; it is posted again", job=job.id)
            earlier = nonce = None  # Discord would take it for the first one, which had the same nonce
    if earlier is None:
        # What an adult model drew is not shown where everyone looks.
        shown = grid is not None and may_show(services.catalogue, job, channel)
        files = [case_messages.spoiler(job, grid, 0)] if grid is not None and shown else []
        earlier = (await channel.send(words, files=files, view=_buttons(job), nonce=nonce)).id
    await case_messages.record(services, job, Kind.REPORT, channel, earlier)


def _buttons(job: Job, *, keep: bool = True) -> discord.ui.View:
    buttons = [button(REMOVE, job.id, 0, label="Remove picture", emoji="🗑️")]
    if keep:
        buttons.append(button(KEEP, job.id, 0, label="Keep", emoji="✅"))
    return as_view([*buttons, button(REPORTERS, job.id, 0, label=moderation.REPORTERS)])


async def decide(
    services: Services, job: Job, verdict: Verdict, judge: discord.Member, message: discord.PartialMessage
) -> bool:
    """Decide a case and say so in its message; False if it was decided before.

    A case stays open while messages with the picture can't be deleted, so that somebody can try again. Raises JobGone
    if the job is deleted meanwhile.
    """
    async with case_messages.lock(job):
        async with services.database.reading() as tx:
            case = await cases.case(tx, job.id)
            said = await cases.said(tx, job.id)
        if case is None or case.verdict is not None:
            return False
        if verdict is Verdict.REMOVED and (left := await _take_down(services, job)):
            async with services.database.reading() as tx:
                if await cases.case(tx, job.id) is None:
                    raise JobGone
            words = moderation.case(job, said=said, left=left)
            await message.edit(content=words, view=_buttons(job, keep=False), attachments=[])
            return True
        async with services.database.transaction() as tx:
            change = await case_messages.close(tx, job, Kind.REPORT, verdict, judge_id=judge.id, now=services.clock())
            grown = await messages.grown_from(tx, job.id) if verdict is Verdict.REMOVED else []
        words = moderation.case(job, said=said, verdict=verdict, judge_id=judge.id, grown=grown)
        await case_messages.mark(message, words, keep=verdict is Verdict.KEPT)
        await case_messages.announce(services, change)
        return True


async def _take_down(services: Services, job: Job) -> list[int]:
    """Remove a job's pictures and the messages that show them; the messages that are left.

    Each message is remembered until it is gone: after a stop in between, the rest can be removed as before.
    """
    async with services.database.transaction() as tx:
        posted = await messages.of_job(tx, job.id)
        await images.delete(tx, job.id)
    await asyncio.to_thread(images.remove, services.database.folder, job.id)
    left = []
    for message_id in posted:
        if await services.delivery.remove_post(job.channel_id, message_id):
            async with services.database.transaction() as tx:
                await messages.forget_message(tx, message_id)
        else:
            left.append(message_id)
    return left
