"""Reported pictures on their way to the moderators' channel, and what moderators decide there."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.errors import AlreadyReported, JobGone, NoModerators, NotReady, TooManyReports
from bot.features.moderation import _verdicts as verdicts
from bot.interactions import servers
from bot.interactions.buttons import JobButton
from bot.interactions.checks import policy_of
from bot.pictures import files as picture_files
from bot.pictures.age_restriction import may_show
from bot.services import Services
from bot.texts import common, moderation
from storage.database import Transaction
from storage.guilds import settings as guild_settings
from storage.jobs import images, messages, queries
from storage.jobs.job import Job, JobState
from storage.moderation import cases
from storage.moderation.cases import Case, Kind, Verdict

REMOVE, KEEP, REPORTERS = "mod_remove", "mod_keep", "mod_reporters"
"""The verbs of the buttons under a case."""

_LOOK_BACK = 1000
"""How many messages are looked through at most for a case that a crash left unrecorded."""

MOST_REPORTS = 20
SPAN = timedelta(hours=1)
"""As many reports one person can make in a server in that time."""

_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

_log = structlog.get_logger(__name__)


def _turn(job: Job) -> asyncio.Lock:
    """Held by whoever writes about a job in the moderators' channel, or two first reports would be two cases."""
    return _turns.setdefault(job.id, asyncio.Lock())


async def report(services: Services, job: Job, reporter: discord.Member) -> str:
    """Bring a job before the moderators; the words for the person who reported it.

    Raises Banned, TimedOut, NotReady, JobGone, AlreadyReported, TooManyReports, or NoModerators where there is no channel
    that takes the report.
    """
    channel = await open_to(services, job, reporter)
    try:
        grid = await asyncio.to_thread(images.read, services.database.folder, job.id, 0)
    except images.ImageGone:
        raise JobGone from None
    async with _turn(job):
        return await _take(services, job, reporter, channel, grid)


async def open_to(services: Services, job: Job, reporter: discord.Member) -> discord.TextChannel:
    """The channel that takes this person's report of a job. Raises Banned, TimedOut, NotReady or NoModerators."""
    await only_reporters(services, reporter)
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        raise NotReady
    return await moderators_channel(services, reporter.guild)


async def only_reporters(services: Services, reporter: discord.Member) -> None:
    """Raises ServerNotAllowed where Easel does not work, Banned or TimedOut for who may report nothing."""
    servers.only_allowed(services.settings, reporter.guild.id)
    (await policy_of(services, reporter.guild.id, reporter.id)).only_admitted()


async def _take(
    services: Services, job: Job, reporter: discord.Member, channel: discord.TextChannel, grid: bytes
) -> str:
    async with services.database.transaction() as tx:
        earlier = await cases.case(tx, job.id)
        new = await cases.report(tx, job.id, reporter.id, now=services.clock())
        if new:
            await _not_too_many(tx, job, reporter, now=services.clock())
        by = await cases.reporters(tx, job.id)
    waits = earlier is not None and earlier.message_id is None and earlier.verdict is None
    if not new and not waits:
        raise AlreadyReported
    if earlier is None or earlier.verdict is None:
        try:
            await _show(services, job, earlier, channel, grid, by)
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
            async with _turn(job):
                await _show_late(services, job)


async def _show_late(services: Services, job: Job) -> None:
    async with services.database.reading() as tx:
        case = await cases.case(tx, job.id)
        by = await cases.reporters(tx, job.id)
        channel_id = (await guild_settings.settings(tx, job.guild_id)).moderators_channel_id
    if case is None or case.message_id is not None or case.verdict is not None or not by:
        return  # it was posted, or taken back, meanwhile
    channel = None if channel_id is None else await services.delivery.known_channel(channel_id)
    if not isinstance(channel, discord.TextChannel):
        return
    try:
        grid = await asyncio.to_thread(images.read, services.database.folder, job.id, 0)
    except images.ImageGone:
        grid = None
    try:
        await _show(services, job, case, channel, grid, by)
    except (*Unreachable, JobGone) as error:
        _log.warning("a report could not be posted yet", job=job.id, error=str(error))


async def moderators_channel(services: Services, guild: discord.Guild) -> discord.TextChannel:
    """Where reports of a server go. Raises NoModerators."""
    async with services.database.reading() as tx:
        channel_id = (await guild_settings.settings(tx, guild.id)).moderators_channel_id
    channel = guild.get_channel(channel_id) if channel_id is not None else None
    if not isinstance(channel, discord.TextChannel):
        raise NoModerators
    return channel


def is_public(channel: discord.TextChannel) -> bool:
    """Whether everyone in the server can read a channel."""
    return channel.permissions_for(channel.guild.default_role).view_channel


async def _show(
    services: Services,
    job: Job,
    case: Case | None,
    channel: discord.TextChannel,
    grid: bytes | None,
    by: list[int],
) -> None:
    """Post the case, or count its newest reporter in what stands there. `case` is as it was before this report.

    Raises what `Unreachable` names, and JobGone where the job was deleted meanwhile. What an adult model drew is not shown
    where everyone looks.
    """
    words = moderation.case(job, reports=len(by))
    nonce: Any = f"report-{job.id}"
    standing = case.message_id if case is not None and case.channel_id == channel.id else None
    if case is not None and case.message_id is None:
        standing = await _find(job, channel)
    if standing is not None:
        try:
            await channel.get_partial_message(standing).edit(content=words, view=_buttons(job))
        except discord.NotFound:
            _log.info("a case was deleted by hand; it is posted again", job=job.id)
            standing = nonce = None  # Discord would take it for the first one, which had the same nonce
    if standing is None:
        shown = may_show(services.catalogue, job, channel)
        files = [_spoiler(job, grid)] if shown and grid is not None else []
        standing = (await channel.send(words, files=files, view=_buttons(job), nonce=nonce)).id
    async with services.database.transaction() as tx:
        known = await cases.posted(tx, job.id, channel_id=channel.id, message_id=standing)
    if not known:
        _log.info("a report was posted whose job was deleted meanwhile; it is taken back")
        await services.delivery.remove_post(channel.id, standing)
        raise JobGone


async def _find(job: Job, channel: discord.TextChannel) -> int | None:
    """The case's message, where the bot stopped, or an answer was lost, after it was posted."""
    try:
        async for message in channel.history(limit=_LOOK_BACK):
            if message.id < (job.result_message_id or 0):
                break
            buttons = [item for row in message.components for item in getattr(row, "children", ())]
            if any(button.custom_id == JobButton(REMOVE, job.id, 0).custom_id for button in buttons):
                return message.id
    except discord.Forbidden as error:
        _log.debug("may not look for an earlier case", error=str(error))
    return None


def _spoiler(job: Job, grid: bytes) -> discord.File:
    return picture_files.attachment(
        grid, f"SPOILER_{job.id}.jpg", common.alt_text(job.prompt, index=0, count=job.images)
    )


def _buttons(job: Job, *, keep: bool = True) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(JobButton(REMOVE, job.id, 0, label="Remove picture", emoji="🗑️"))
    if keep:
        view.add_item(JobButton(KEEP, job.id, 0, label="Keep", emoji="✅"))
    view.add_item(JobButton(REPORTERS, job.id, 0, label=moderation.REPORTERS))
    return view


async def decide(
    services: Services, job: Job, verdict: Verdict, judge: discord.Member, message: discord.PartialMessage
) -> bool:
    """Decide a case and say so in its message; False where it was decided before.

    A case of which messages still stand stays open, so that somebody can try again. Raises JobGone where the job is
    deleted meanwhile.
    """
    async with _turn(job):
        async with services.database.reading() as tx:
            case = await cases.case(tx, job.id)
            by = await cases.reporters(tx, job.id)
        if case is None or case.verdict is not None:
            return False
        if verdict is Verdict.REMOVED and (left := await _take_down(services, job)):
            async with services.database.reading() as tx:
                if await cases.case(tx, job.id) is None:
                    raise JobGone
            words = moderation.case(job, reports=len(by), left=left)
            await message.edit(content=words, view=_buttons(job, keep=False), attachments=[])
            return True
        async with services.database.transaction() as tx:
            if not await cases.close(tx, job.id, verdict, judge_id=judge.id, now=services.clock()):
                raise JobGone  # its person was erased meanwhile, and the case cleared
            change = await verdicts.note(
                tx, job, Kind.REPORT, verdict, judge_id=judge.id, now=services.clock()
            )
            grown = await messages.grown_from(tx, job.id) if verdict is Verdict.REMOVED else []
        words = moderation.case(job, reports=len(by), verdict=verdict, judge_id=judge.id, grown=grown)
        shown: dict[str, Any] = {"attachments": []} if verdict is Verdict.REMOVED else {}
        await message.edit(content=words, view=None, **shown)
        await verdicts.post(services.database, judge.guild.get_channel_or_thread, change)
        return True


async def _take_down(services: Services, job: Job) -> list[int]:
    """Remove a job's pictures and the messages that show them; the messages that still stand.

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
