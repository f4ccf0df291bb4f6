"""`/admin queue pause|drain|resume|clear|cancel`: what is drawn, and what waits."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.errors import NothingToCancel
from bot.features.admin._group import CHOICES, IN_ALL_SERVERS, Desk, Reason, admin, is_admin, opened
from bot.interactions.feature import Feature
from bot.services import Services
from bot.texts import admin as texts
from bot.texts import common
from bot.texts.escaping import readable
from storage.guilds import pauses
from storage.guilds.changes import Obstacle
from storage.guilds.pauses import Halt, Pause
from storage.jobs import queries
from storage.jobs.job import JobState

_LINE = 1000
_REASON = "Why; people are told"

queue = app_commands.Group(name="queue", description="What is drawn, and what waits", parent=admin)


@queue.command(name="pause", description="Draw nothing more for now: new jobs are taken, and wait")
@app_commands.describe(reason=_REASON, everywhere=IN_ALL_SERVERS)
async def pause(interaction: discord.Interaction[Any], reason: Reason | None = None, everywhere: bool = False) -> None:
    await _halt(await opened(interaction), Halt.PAUSED, reason or "", everywhere)


@queue.command(name="drain", description="Take no new jobs for now: what waits is drawn to the end")
@app_commands.describe(reason=_REASON, everywhere=IN_ALL_SERVERS)
async def drain(interaction: discord.Interaction[Any], reason: Reason | None = None, everywhere: bool = False) -> None:
    await _halt(await opened(interaction), Halt.DRAINING, reason or "", everywhere)


async def _halt(desk: Desk, halt: Halt, reason: str, everywhere: bool) -> None:
    guild_id = desk.scope(everywhere)
    new = Pause(guild_id=guild_id, halt=halt, actor_id=desk.actor_id, reason=reason, at=desk.services.clock())
    async with desk.changing(everywhere=everywhere) as record:
        old = [one for one in await pauses.pauses(record.tx, guild_id) if one.guild_id == guild_id]
        await pauses.halt(record.tx, new)
        before = texts.halt(old[0] if old else None)
        await record.note("drawing", old=before, new=texts.halt(new))
    desk.services.dispatcher.look_again()
    await desk.tell(texts.halted(new))


@queue.command(name="resume", description="End a pause or a drain")
@app_commands.describe(everywhere=IN_ALL_SERVERS)
async def resume(interaction: discord.Interaction[Any], everywhere: bool = False) -> None:
    desk = await opened(interaction)
    guild_id = desk.scope(everywhere)
    async with desk.changing(everywhere=everywhere) as record:
        stops = await pauses.pauses(record.tx, desk.guild_id)
        ended = [one for one in stops if one.guild_id == guild_id]
        if ended:
            await pauses.resume(record.tx, guild_id)
            old, new = texts.halt(ended[0]), texts.halt(None)
            await record.note("drawing", old=old, new=new)
    desk.services.dispatcher.look_again()
    await desk.tell(texts.resumed(ended, left=[one for one in stops if one not in ended]))


@queue.command(name="clear", description="Cancel all waiting jobs and give their credits back")
@app_commands.describe(who="Only this member's", everywhere=IN_ALL_SERVERS)
async def clear(
    interaction: discord.Interaction[Any], who: discord.User | None = None, everywhere: bool = False
) -> None:
    desk = await opened(interaction)
    guild_id = desk.scope(everywhere)
    cleared = await desk.services.dispatcher.clear(
        by=desk.actor_id, guild_id=guild_id or None, user_id=who.id if who else None
    )
    if cleared.jobs:
        async with desk.changing(everywhere=everywhere) as record:
            await record.note(
                f"waiting jobs of <@{who.id}>" if who else "waiting jobs",
                old=common.job_count(cleared.jobs),
                new="cleared",
                final=Obstacle.CANCELLED,
            )
    await desk.tell(texts.cleared(cleared.jobs, cleared.credits, who.id if who else None, guild_id=guild_id))


@queue.command(name="cancel", description="Cancel anybody's job, waiting or running, and give its credits back")
@app_commands.describe(job="Which one")
async def cancel(interaction: discord.Interaction[Any], job: str) -> None:
    desk = await opened(interaction)
    async with desk.services.database.reading() as tx:
        found = await queries.get(tx, job)
    if found is None or found.guild_id != desk.guild_id:
        raise NothingToCancel
    refunded = await desk.services.dispatcher.cancel(found.id, by=desk.actor_id)
    async with desk.changing() as record:
        await record.note(
            f"job {found.id} of <@{found.user_id}>",
            old=found.state.value,
            new="cancelled",
            final=Obstacle.CANCELLED,
        )
    await desk.tell(texts.cancelled(found, refunded))


@cancel.autocomplete("job")
async def _jobs(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    if interaction.guild_id is None or not await is_admin(interaction):
        return []
    services: Services = interaction.client.services
    async with services.database.reading() as tx:
        line = await queries.active(tx, guild_id=interaction.guild_id, limit=_LINE)
    words = {JobState.RUNNING: "being drawn", JobState.QUEUED: "waiting"}
    named = [(f"{words[one.state]}: {readable(one.prompt)}"[:80] + f" ({one.id})", one.id) for one in line]
    fitting = [pair for pair in named if current.casefold() in pair[0].casefold()]
    return [app_commands.Choice(name=name, value=value) for name, value in fitting[:CHOICES]]


FEATURE = Feature()
