"""`/models`: what there is to draw with."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.interactions.error_handler import acknowledge
from bot.interactions.feature import Feature, Services, usual_model
from bot.pictures.age_restriction import age_restricted
from bot.texts import member
from storage.credits.balance import free_actions
from storage.guilds import settings as guild_settings


@app_commands.command(name="models", description="The models that can draw here, and what each costs")
async def models(interaction: discord.Interaction[Any]) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    async with services.database.reading() as tx:
        server = await guild_settings.settings(tx, interaction.guild_id or 0)
        free = await free_actions(tx, interaction.guild_id or 0, services.settings.host_credits)
    usual = usual_model(services, server.default_model)
    among_adults = age_restricted(interaction.channel)
    words = member.models(
        services.catalogue, services.generator.models(), usual, free=free, among_adults=among_adults
    )
    await interaction.followup.send(words, ephemeral=True)


FEATURE = Feature(
    commands=(models,),
    help=("**/models** lists the models and what a picture costs with each.",),
)
