"""Keeps what moderators decided in the log of changes, and posts it in the server's log channel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.texts import changes, moderation
from storage.database import Database, Transaction
from storage.guilds import changes as guild_changes
from storage.guilds import settings as guild_settings
from storage.guilds.changes import Change, Obstacle
from storage.jobs.job import Job
from storage.moderation.cases import Kind, Verdict

_log = structlog.get_logger(__name__)


async def note(
    tx: Transaction, job: Job, kind: Kind, verdict: Verdict, *, judge_id: int, now: datetime
) -> Change:
    """Record a verdict in the transaction that closes its case."""
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


async def note_leftover(
    tx: Transaction, guild_id: int, *, removed: bool, judge_id: int, now: datetime
) -> Change:
    """Record a verdict on a picture of which nothing is kept."""
    change = Change(
        guild_id=guild_id,
        actor_id=judge_id,
        what=moderation.LEFTOVER,
        old="open",
        new="removed" if removed else "kept",
        at=now,
        final=Obstacle.JUDGED,
    )
    await guild_changes.record(tx, change)
    return change


async def post(database: Database, find: Callable[[int], object], change: Change) -> None:
    """Post a recorded verdict; `find` knows channels by their ids. A log channel out of reach changes nothing."""
    async with database.reading() as tx:
        channel_id = (await guild_settings.settings(tx, change.guild_id)).log_channel_id
    channel = None if channel_id is None else find(channel_id)
    if not isinstance(channel, discord.abc.Messageable):
        return
    try:
        await channel.send(changes.line(change))
    except Unreachable as error:
        _log.warning("could not post in the log channel", channel=channel_id, error=str(error))
