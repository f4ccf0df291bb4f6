"""`/models`: what there is to draw with, and `/default-model`, with which admins choose the usual one."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot import orders, pages
from bot.boundary import acknowledge
from bot.feature import Feature, Studio, only_admins, requester, usual_model
from storage import guilds


@app_commands.command(name="models", description="The models that can draw here, and what each costs")
async def models(interaction: discord.Interaction[Any]) -> None:
    studio: Studio = interaction.client.studio
    async with studio.database.reading() as tx:
        server = await guilds.settings(tx, interaction.guild_id or 0)
    usual = usual_model(studio, server.default_model)
    words = pages.models(studio.catalogue, studio.generator.models(), usual)
    await interaction.response.send_message(words, ephemeral=True)


@app_commands.command(name="default-model", description="Choose the model that draws when nobody names one")
@app_commands.describe(model="The model's name; without it, the host's choice")
@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
async def default_model(interaction: discord.Interaction[Any], model: str | None = None) -> None:
    await acknowledge(interaction, thinking=True)
    only_admins(interaction)
    studio: Studio = interaction.client.studio
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    spec = orders.find_model(model, studio.catalogue) if model else None
    if spec is not None:
        studio.dispatcher.check_model(spec.key)
    async with studio.database.transaction() as tx:
        await guilds.set_default_model(tx, who.guild_id, spec.key if spec else None)
    name = spec.name if spec else studio.catalogue[studio.default_model].name
    await interaction.followup.send(pages.default_model_is(name), ephemeral=True)


FEATURE = Feature(
    commands=(models, default_model),
    help=("**/models** lists the models and what a picture costs with each.",),
)
