"""A case's message in the moderators' channel, of a reported or a withheld picture: found again, posted, marked, taken out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.delivery.button_rows import has_button
from bot.errors import JobGone, NotModerator
from bot.interactions.feature import Ask
from bot.pictures import files
from bot.services import Services
from bot.texts import changes, common, moderation, results
from bot.texts.escaping import inert
from storage.database import Transaction
from storage.guilds import changes as guild_changes
from storage.guilds import settings as guild_settings
from storage.guilds.changes import Change, Obstacle
from storage.jobs import messages, queries
from storage.jobs.job import Job
from storage.moderation import cases
from storage.moderation.cases import Case, Kind, Verdict
from storage.privacy import personal_data

_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

_log = structlog.get_logger(__name__)


def lock(job: Job) -> asyncio.Lock:
    """Held by whoever writes about a job in the moderators' channel, or two first reports would be two cases."""
    return _locks.setdefault(job.id, asyncio.Lock())


def only_moderators(ask: Ask) -> None:
    """Raises NotModerator for who may not manage messages in the case's channel."""
    if not ask.permissions.manage_messages:
        raise NotModerator


async def channel_of(services: Services, guild_id: int) -> discord.TextChannel | None:
    """The channel that a server's moderators chose, if Discord still knows it."""
    async with services.database.reading() as tx:
        channel_id = (await guild_settings.settings(tx, guild_id)).moderators_channel_id
    channel = None if channel_id is None else await services.delivery.known_channel(channel_id)
    return channel if isinstance(channel, discord.TextChannel) else None


def spoiler(job: Job, picture: bytes, index: int) -> discord.File:
    """Picture `index` of a job (0: the grid) as a file that is shown at a click."""
    suffix = "jpg" if files.content_type(picture) == "image/jpeg" else "png"
    number = f"_{index}" if index else ""
    alt = results.alt_text(job.prompt, index=index, count=job.images)
    return files.attachment(picture, f"SPOILER_{job.id}{number}.{suffix}", alt)


async def find(services: Services, job: Job, channel: discord.TextChannel, verb: str) -> int | None:
    """The message of a case, known by a button's verb, which a crash or a lost answer may have kept from the record."""
    async for message in services.delivery.recent(channel, since=job.result_message_id):
        if has_button(message, verb, job.id):
            return message.id
    return None


async def record(services: Services, job: Job, kind: Kind, channel: discord.TextChannel, message_id: int) -> None:
    """Note where a case was posted. If its job was deleted meanwhile, take the message back and raise JobGone."""
    async with services.database.transaction() as tx:
        known = await cases.posted(tx, job.id, kind, channel_id=channel.id, message_id=message_id)
    if not known:
        _log.info("a case was posted whose job was deleted meanwhile; it is taken back")
        await services.delivery.remove_post(channel.id, message_id)
        raise JobGone


async def close(tx: Transaction, job: Job, kind: Kind, verdict: Verdict, *, judge_id: int, now: datetime) -> Change:
    """Close a case and record who decided. Raises JobGone if its job was deleted meanwhile."""
    if not await cases.close(tx, job.id, verdict, kind, judge_id=judge_id, now=now):
        raise JobGone
    change = Change(
        guild_id=job.guild_id,
        actor_id=judge_id,
        what=moderation.case_of(job, kind),
        old="open",
        new=moderation.VERDICTS[kind, verdict],
        at=now,
        final=Obstacle.JUDGED,
    )
    await guild_changes.record(tx, change)
    return change


async def announce(services: Services, change: Change) -> None:
    """Post a decision in the server's log channel. It holds even if that fails."""
    async with services.database.reading() as tx:
        channel_id = (await guild_settings.settings(tx, change.guild_id)).log_channel_id
    channel = None if channel_id is None else await services.delivery.known_channel(channel_id)
    if not isinstance(channel, discord.abc.Messageable):
        return
    try:
        await channel.send(changes.line(change))
    except Unreachable as error:
        _log.warning("could not post in the log channel", channel=channel_id, error=str(error))


async def mark(message: discord.PartialMessage, words: str, *, keep: bool) -> None:
    """Say in a case's message what was decided, take its buttons away, and its pictures unless they are to `keep`."""
    shown: dict[str, Any] = {} if keep else {"attachments": []}
    await _edit(message, content=words, view=None, **shown)


# ---------------------------------------------------------------------------------------------------------- forgetting


async def forget_jobs(services: Services, job_ids: Sequence[str]) -> None:
    """Take the cases of jobs out of the moderators' channels. An open report becomes a sentence with links.

    What Discord refuses goes when a moderator presses one of its buttons.
    """
    while True:
        async with services.database.reading() as tx:
            posted = {case: await _still_shown(tx, case) for case in await cases.standing(tx, job_ids)}
        if not posted:
            return
        for case, links in posted.items():
            message = services.delivery.partial_post(case.channel_id or 0, case.message_id or 0)
            if links:
                await _edit(message, content=moderation.forgotten(links), view=None, attachments=[])
            else:
                await services.delivery.remove_post(case.channel_id or 0, case.message_id or 0)
            async with services.database.transaction() as tx:
                await cases.delete(tx, case)


async def _still_shown(tx: Transaction, case: Case) -> list[str]:
    """Links to the messages that show what an open report is about, the result first."""
    job = await queries.get(tx, case.job_id)
    if job is None or case.kind is not Kind.REPORT or case.verdict is not None:
        return []
    shown = await messages.of_job(tx, job.id)
    ordered = sorted(shown, key=lambda one: one != job.result_message_id)
    return [moderation.link(job.guild_id, job.channel_id, one) for one in ordered]


async def forget_person(services: Services, user_id: int) -> None:
    """Take somebody's name and reason out of the cases that they reported or decided, or are mentioned in."""
    async with services.database.reading() as tx:
        naming = {case: await cases.said(tx, case.job_id, by=user_id) for case in await cases.naming(tx, user_id)}
    for case, said in naming.items():
        message = await services.delivery.fetch_post(case.channel_id or 0, case.message_id or 0)
        if message is None:
            continue
        words = message.content
        for reason in filter(None, said):
            words = words.replace("\n" + moderation.reason_line(reason), "", 1)
        # The database cuts the mention out of others' reasons in the same way, so that they are still found here.
        words = words.replace(inert(f"<@{user_id}>"), inert(personal_data.CUT_MENTION))
        words = words.replace(f"<@{user_id}>", common.person(-1))
        if words != message.content:
            await _edit(message, content=words)


async def _edit(message: discord.PartialMessage | discord.Message, **changed: Any) -> None:
    try:
        await message.edit(**changed)
    except Unreachable as error:
        _log.warning("a case could not be changed", error=str(error))
