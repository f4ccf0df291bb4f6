"""Reports of leftovers: how they come before moderators, and what moderators decide."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from weakref import WeakValueDictionary

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.errors import BadLink, NoModerators, TooManyReports
from bot.features.moderation import _leftovers as leftovers
from bot.features.moderation import _verdicts as verdicts
from bot.features.moderation._cases import MOST_REPORTS, SPAN, moderators_channel, only_reporters
from bot.services import Services
from bot.texts import moderation

_MOST_PEOPLE = 10_000

_log = structlog.get_logger(__name__)

_turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
_lately: dict[tuple[int, int], list[datetime]] = {}
"""When people had leftovers brought before moderators, by server and person. It is gone after a restart."""


async def report(services: Services, message: discord.Message, reporter: discord.Member) -> str:
    """Bring a leftover before the moderators; the words for the person who reported it.

    Raises Banned, TimedOut, BadLink for another message, TooManyReports, or NoModerators where there is no channel that
    takes the report.
    """
    channel = await open_to(services, message, reporter)
    async with _turns.setdefault(message.id, asyncio.Lock()):
        link = moderation.link(reporter.guild.id, message.channel.id, message.id)
        case = await leftovers.find(channel, link, after=message.id)
        if case is not None and (leftovers.is_open(case) or moderation.is_kept(case.content)):
            return moderation.report_taken(kept=not leftovers.is_open(case))
        _not_too_many(reporter, services.clock())
        try:
            await channel.send(
                moderation.leftover([link]), view=leftovers.buttons(message.channel.id, message.id)
            )
        except Unreachable as error:
            _log.warning("the moderators' channel takes no report", error=str(error))
            raise NoModerators from error
    return moderation.report_taken(kept=False)


async def open_to(
    services: Services, message: discord.Message, reporter: discord.Member
) -> discord.TextChannel:
    """The channel that takes this person's report of a leftover. Raises Banned, TimedOut, BadLink or NoModerators."""
    await only_reporters(services, reporter)
    if not leftovers.is_leftover(message):
        raise BadLink
    return await moderators_channel(services, reporter.guild)


def _not_too_many(reporter: discord.Member, now: datetime) -> None:
    """Raises TooManyReports: one person can't bury a case under others."""
    key = (reporter.guild.id, reporter.id)
    times = [at for at in _lately.pop(key, []) if now - SPAN < at <= now]
    _lately[key] = times  # the newest is last
    if len(_lately) > _MOST_PEOPLE:
        del _lately[next(iter(_lately))]
    if len(times) >= MOST_REPORTS:
        raise TooManyReports(times[0] + SPAN)
    times.append(now)


async def decide(
    services: Services,
    case: discord.Message,
    judge: discord.Member,
    *,
    action: str,
    channel_id: int,
    message_id: int,
) -> bool:
    """Remove or keep a leftover, and say so in its case; False where it was decided before.

    One that Discord does not let us delete stays open.
    """
    async with _turns.setdefault(message_id, asyncio.Lock()):
        with contextlib.suppress(*Unreachable):
            case = await case.fetch()  # somebody else may have pressed meanwhile
        if not leftovers.is_open(case):
            return False
        words = case.content.split("\n")
        if action == leftovers.REMOVE and not await services.delivery.remove_post(channel_id, message_id):
            await case.edit(content=moderation.leftover_stands(words))
            return True
        removed = action == leftovers.REMOVE
        async with services.database.transaction() as tx:
            change = await verdicts.note_leftover(
                tx, judge.guild.id, removed=removed, judge_id=judge.id, now=services.clock()
            )
        await case.edit(content=moderation.leftover_decided(words, removed=removed), view=None)
        await verdicts.post(services.database, judge.guild.get_channel_or_thread, change)
        return True
