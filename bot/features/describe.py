"""`/describe`: what a picture's file says of itself, told to one person, and the line that draws it again."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import discord
from discord import app_commands

from bot import access, again, describe_pages
from bot.boundary import acknowledge
from bot.errors import BadPicture
from bot.feature import Feature, Studio, requester
from bot.patience import Unreachable
from bot.verification import verify
from generation.description import describe as read_description
from generation.pictures import MAX_SOURCE_BYTES, BadSource


@app_commands.command(name="describe", description="Read how a picture was made from its file")
@app_commands.describe(image="A PNG, JPEG or WebP, from Easel or from another tool")
async def describe(interaction: discord.Interaction[Any], image: discord.Attachment) -> None:
    await acknowledge(interaction, thinking=True)
    studio: Studio = interaction.client.studio
    if interaction.guild_id is not None:
        who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
        async with studio.database.reading() as tx:
            await access.only_allowed(tx, who, "describe", posts=False)
    data = await _bytes(image)
    try:
        found = await asyncio.to_thread(read_description, data)
    except BadSource as error:
        raise BadPicture(str(error)) from error
    verdict = await asyncio.to_thread(verify, data, studio.settings.c2pa_trust) if found.signed else None
    line = again.line(found.parameters, studio.catalogue) if found.parameters else None
    words, too_long = describe_pages.described(found, verdict, line)
    files = [discord.File(io.BytesIO(line.encode()), "imagine.txt")] if line and too_long else []
    await interaction.followup.send(words, files=files, ephemeral=True)


async def _bytes(image: discord.Attachment) -> bytes:
    if image.size > MAX_SOURCE_BYTES:
        raise BadPicture(f"it has more than {MAX_SOURCE_BYTES // 2**20} MiB")
    try:
        return await image.read()
    except Unreachable as error:
        raise BadPicture("Discord does not hand it out") from error


FEATURE = Feature(
    commands=(describe,),
    help=(
        "**/describe** reads prompt, seed and settings back from a picture's file, and checks who signed it.",
    ),
)
