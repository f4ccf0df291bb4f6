"""`/queue`: what runs and what waits, with an estimate."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.interactions.error_handler import acknowledge
from bot.interactions.feature import Feature
from bot.interactions.requester import requester
from bot.jobs.seams import workers_of
from bot.services import Services
from bot.texts import admin, member
from storage.guilds import pauses
from storage.jobs import queries
from storage.jobs import queue as job_queue

_SHOWN = 10


@app_commands.command(name="queue", description="What is being drawn, what waits, and for how long")
@app_commands.guild_only()
async def queue(interaction: discord.Interaction[Any]) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    async with services.database.reading() as tx:
        line = await queries.active(tx, limit=1000)
        workers = workers_of(services.generator)
        done = await job_queue.outlooks(tx, now=services.clock(), workers=workers)
        stops = await pauses.pauses(tx, who.guild_id)
    await interaction.followup.send(
        member.queue(
            line,
            done,
            channel_id=who.channel_id,
            user_id=who.user_id,
            shown=_SHOWN,
            notes=[admin.stop(one) for one in stops],
        ),
        ephemeral=True,
    )


FEATURE = Feature(commands=(queue,), help=("**/queue** shows what is being drawn and what waits.",))
