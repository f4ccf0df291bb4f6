"""`/models`: what there is to draw with."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.interactions.checks import policy_of, usual_model
from bot.interactions.error_handler import acknowledge
from bot.interactions.feature import Feature
from bot.pictures.age_restriction import age_restricted
from bot.services import Services
from bot.texts import member


@app_commands.command(name="models", description="The models that can draw here, and what each costs")
async def models(interaction: discord.Interaction[Any]) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    policy = await policy_of(services, interaction.guild_id or 0, interaction.user.id)
    usual = usual_model(services, policy.settings.default_model)
    among_adults = age_restricted(interaction.channel)
    words = member.models(
        services.catalogue, services.generator.models(), usual, free=policy.free, among_adults=among_adults
    )
    await interaction.followup.send(words, ephemeral=True)


FEATURE = Feature(
    commands=(models,),
    help=("**/models** lists the models and what a picture costs with each.",),
)
