"""`/models`: what there is to draw with."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot import pages
from bot.adult import age_restricted
from bot.boundary import acknowledge
from bot.feature import Feature, Studio, usual_model
from storage.credits.balance import free_actions
from storage.guilds import settings as guild_settings


@app_commands.command(name="models", description="The models that can draw here, and what each costs")
async def models(interaction: discord.Interaction[Any]) -> None:
    await acknowledge(interaction, thinking=True)
    studio: Studio = interaction.client.studio
    async with studio.database.reading() as tx:
        server = await guild_settings.settings(tx, interaction.guild_id or 0)
        free = await free_actions(tx, interaction.guild_id or 0, studio.settings.host_credits)
    usual = usual_model(studio, server.default_model)
    among_adults = age_restricted(interaction.channel)
    words = pages.models(
        studio.catalogue, studio.generator.models(), usual, free=free, among_adults=among_adults
    )
    await interaction.followup.send(words, ephemeral=True)


FEATURE = Feature(
    commands=(models,),
    help=("**/models** lists the models and what a picture costs with each.",),
)
