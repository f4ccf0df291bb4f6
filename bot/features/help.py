"""`/help`: what everything does, as each feature says it."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.interactions.feature import Feature
from bot.texts import member


@app_commands.command(name="help", description="How Easel works")
async def help_(interaction: discord.Interaction[Any]) -> None:
    lines = [line for one in interaction.client.features for line in one.help]
    await interaction.response.send_message(member.help_page(lines), ephemeral=True)


FEATURE = Feature(commands=(help_,))
