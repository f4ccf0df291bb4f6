"""Results that Discord took nowhere: their owners learn of them at their next command, and `/info` shows them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.connection.retry import Unreachable
from bot.pictures import files as picture_files
from bot.pictures.age_restriction import may_show
from bot.services import Services
from bot.texts import member, results
from bot.texts.escaping import file_stem
from storage.errors import StorageError
from storage.jobs import images, lifecycle
from storage.jobs.job import Job

_AT_ONCE = 3
"""How many grids `/info` shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unposted:
    """Some of a member's results that could be posted nowhere, with their grids, and how many are for another channel."""

    shown: tuple[Job, ...] = ()
    files: tuple[discord.File, ...] = ()
    elsewhere: int = 0


async def of_member(services: Services, *, guild_id: int, user_id: int, channel: object, limit: int) -> Unposted:
    """What `/info` shows there, in a message of at most `limit` bytes; what is for adults waits for an age-restricted
    channel.
    """
    async with services.database.reading() as tx:
        waiting = await lifecycle.unposted(tx, guild_id=guild_id, user_id=user_id)
    here = [job for job in waiting if may_show(services.catalogue, job, channel)]
    shown: list[Job] = []
    files: list[discord.File] = []
    for job in here:
        if len(files) < _AT_ONCE and (file := await _grid(services, job, limit // _AT_ONCE)) is not None:
            shown.append(job)
            files.append(file)
    return Unposted(shown=tuple(shown), files=tuple(files), elsewhere=len(waiting) - len(here))


async def _grid(services: Services, job: Job, limit: int) -> discord.File | None:
    """The grid as a file of at most `limit` bytes; None if its time was over."""
    try:
        grid = await asyncio.to_thread(images.read, services.database.folder, job.id, 0)
    except images.ImageGone:
        return None
    if len(grid) > limit:
        grid = await asyncio.to_thread(picture_files.shrink, grid, limit, services.seal)
    alt = results.alt_text(job.prompt, index=0, count=job.images)
    return picture_files.attachment(grid, f"{file_stem(job.prompt)}_{job.id}.jpg", alt)


async def seen(services: Services, shown: Sequence[Job]) -> None:
    """These were shown to their owner, who is reminded of them no more."""
    if shown:
        async with services.database.transaction() as tx:
            await lifecycle.mark_seen(tx, [job.id for job in shown])


async def remind(interaction: discord.Interaction[Any]) -> None:
    """After a command: say that results wait in `/info`, if any do. Where that fails, the next command says it."""
    if interaction.guild_id is None:
        return
    with contextlib.suppress(*Unreachable, StorageError):
        async with interaction.client.services.database.reading() as tx:
            waiting = await lifecycle.unposted(tx, guild_id=interaction.guild_id, user_id=interaction.user.id)
        if waiting:
            await interaction.followup.send(member.unposted_reminder(), ephemeral=True)
