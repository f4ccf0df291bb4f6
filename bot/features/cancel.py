"""`/cancel` and ❌: stop a waiting or running job, or delete a result."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
from discord import app_commands

from bot.delivery.button_rows import CANCEL, Place, Surface
from bot.errors import NothingToCancel, NotYours
from bot.interactions.error_handler import acknowledge
from bot.interactions.feature import Ask, Feature, Verb
from bot.interactions.requester import requester
from bot.services import Services
from bot.texts import member
from bot.texts.escaping import readable
from storage.jobs import images, messages, queries
from storage.jobs.job import Job, JobState

_CHOICES = 25
_ALL = 2000
"""More than anybody can have: the largest limit of waiting jobs is 1,000."""


async def stop(ask: Ask) -> None:
    """Cancel what waits or runs; delete what has been posted."""
    async with ask.services.database.reading() as tx:
        posted = await messages.message(tx, ask.message_id)
    if posted is None or posted.asked_by != ask.actor.id:
        ask.only_owner_or_moderator()
    if posted is not None:
        await _delete(ask, whole=posted.image_index is None)
    elif ask.job.state in (JobState.QUEUED, JobState.RUNNING):
        await ask.services.dispatcher.cancel(ask.job.id, by=ask.actor.id)
    else:
        raise NothingToCancel


async def _delete(ask: Ask, *, whole: bool) -> None:
    """Delete the message; with a grid, its pictures go from the disk too."""
    async with ask.services.database.transaction() as tx:
        await messages.forget_message(tx, ask.message_id)
        if whole:
            await images.delete(tx, ask.job.id)
    if whole:
        await asyncio.to_thread(images.remove, ask.services.database.folder, ask.job.id)
    try:
        await ask.message.delete()
    except discord.NotFound:
        return


@app_commands.command(name="cancel", description="Cancel one of your jobs, waiting or running")
@app_commands.describe(job="Which one; without it, your latest")
@app_commands.guild_only()
async def cancel(interaction: discord.Interaction[Any], job: str | None = None) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    mine = await _mine(services, who.guild_id, who.user_id)
    found = next((one for one in mine if job in (None, one.id)), None)
    if found is None:
        if job is not None:
            await _explain(services, job, guild_id=who.guild_id, user_id=who.user_id)
        raise NothingToCancel
    refunded = await services.dispatcher.cancel(found.id, by=who.user_id)
    await interaction.followup.send(member.cancelled(found.prompt, refunded), ephemeral=True)


async def _explain(services: Services, job_id: str, *, guild_id: int, user_id: int) -> None:
    """Raise NotYours for somebody else's job here. A job of another server is answered like none at all."""
    async with services.database.reading() as tx:
        job = await queries.get(tx, job_id)
    if job is not None and job.guild_id == guild_id and job.user_id != user_id:
        raise NotYours


async def _mine(services: Services, guild_id: int, user_id: int) -> list[Job]:
    """A person's jobs that can be cancelled, the latest first."""
    async with services.database.reading() as tx:
        active = await queries.active(tx, guild_id=guild_id, user_id=user_id, limit=_ALL)
    return sorted(active, key=lambda one: one.created_at, reverse=True)


@cancel.autocomplete("job")
async def _jobs(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    if interaction.guild_id is None:
        return []
    services: Services = interaction.client.services
    mine = await _mine(services, interaction.guild_id, interaction.user.id)
    named = [(f"{one.state}: {readable(one.prompt)}"[:100], one.id) for one in mine]
    fitting = [pair for pair in named if current.casefold() in pair[0].casefold() or current == pair[1]]
    return [app_commands.Choice(name=name, value=value) for name, value in fitting[:_CHOICES]]


FEATURE = Feature(
    commands=(cancel,),
    verbs=(
        Verb(
            name=CANCEL,
            run=stop,
            places=(Place(surface=Surface.PROGRESS, row=0, label="Cancel", emoji="✖️"),),
            reactions={"❌": 0},
            marks=False,
        ),
    ),
    help=("**/cancel** or ❌ stops your job and gives its credits back; ❌ under a result deletes it.",),
)
