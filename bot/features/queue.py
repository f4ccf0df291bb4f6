"""`/queue`: what runs and what waits, with an estimate."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot import pages
from bot.boundary import acknowledge
from bot.feature import Feature, Studio, requester
from storage import jobs

_SHOWN = 10


@app_commands.command(name="queue", description="What is being drawn, what waits, and for how long")
@app_commands.guild_only()
async def queue(interaction: discord.Interaction[Any]) -> None:
    await acknowledge(interaction, thinking=True)
    studio: Studio = interaction.client.studio
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    async with studio.database.reading() as tx:
        line = await jobs.active(tx, limit=1000)
        seconds = {model: await jobs.average_seconds(tx, model) for model in {job.model for job in line}}
    await interaction.followup.send(
        pages.queue(line, seconds, channel_id=who.channel_id, user_id=who.user_id, shown=_SHOWN),
        ephemeral=True,
    )


FEATURE = Feature(commands=(queue,), help=("**/queue** shows what is being drawn and what waits.",))
