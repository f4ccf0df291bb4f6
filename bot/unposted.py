"""Results that Discord took nowhere: their owners learn of them at their next command, and `/info` shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot import pages, pictures, texts
from bot.adult import may_show
from bot.feature import Studio
from bot.inert import file_stem
from bot.patience import Unreachable
from storage import images, jobs
from storage.jobs import Job

_AT_ONCE = 3
"""How many grids `/info` shows: each has up to a few MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unposted:
    """Some of a member's results that could be posted nowhere, with their grids, and how many are for another channel."""

    shown: tuple[Job, ...] = ()
    files: tuple[discord.File, ...] = ()
    elsewhere: int = 0


async def of_member(studio: Studio, *, guild_id: int, user_id: int, channel: object) -> Unposted:
    """What `/info` shows there; what is for adults waits for an age-restricted channel."""
    async with studio.database.reading() as tx:
        waiting = await jobs.unposted(tx, guild_id=guild_id, user_id=user_id, limit=_AT_ONCE)
    here = [job for job in waiting if may_show(studio.catalogue, job, channel)]
    files = [file for job in here if (file := await _grid(studio, job)) is not None]
    return Unposted(shown=tuple(here), files=tuple(files), elsewhere=len(waiting) - len(here))


async def _grid(studio: Studio, job: Job) -> discord.File | None:
    try:
        grid = await asyncio.to_thread(images.read, studio.database.folder, job.id, 0)
    except images.ImageGone:
        return None
    alt = texts.alt_text(job.prompt, index=0, count=job.images)
    return pictures.attachment(grid, f"{file_stem(job.prompt)}_{job.id}.jpg", alt)


async def seen(studio: Studio, shown: Sequence[Job]) -> None:
    """These were shown to their owner, who is reminded of them no more."""
    if shown:
        async with studio.database.transaction() as tx:
            await jobs.mark_seen(tx, [job.id for job in shown])


async def remind(interaction: discord.Interaction[Any]) -> None:
    """After a command: say that results wait in `/info`, if any do."""
    if interaction.guild_id is None:
        return
    async with interaction.client.studio.database.reading() as tx:
        waiting = await jobs.unposted(
            tx, guild_id=interaction.guild_id, user_id=interaction.user.id, limit=_AT_ONCE
        )
    if waiting:
        try:
            await interaction.followup.send(pages.unposted_reminder(), ephemeral=True)
        except Unreachable:
            return  # the next command says it
