"""`/describe`: what a picture's file says of itself, told to one person, and the line that draws it again."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import discord
from discord import app_commands

from bot import again, pages
from bot.boundary import acknowledge
from bot.errors import BadPicture
from bot.feature import Feature, Studio
from bot.progress import Unreachable
from generation.description import describe as read_description
from generation.pictures import MAX_SOURCE_BYTES, BadSource


@app_commands.command(name="describe", description="Read how a picture was made from its file")
@app_commands.describe(image="A PNG, JPEG or WebP, from Easel or from another tool")
async def describe(interaction: discord.Interaction[Any], image: discord.Attachment) -> None:
    await acknowledge(interaction, thinking=True)
    studio: Studio = interaction.client.studio
    try:
        found = await asyncio.to_thread(read_description, await _bytes(image))
    except BadSource as error:
        raise BadPicture(str(error)) from error
    line = again.line(found.parameters, studio.catalogue) if found.parameters else None
    await interaction.followup.send(pages.described(found, line), files=_files(line), ephemeral=True)


async def _bytes(image: discord.Attachment) -> bytes:
    if image.size > MAX_SOURCE_BYTES:
        raise BadPicture(f"it has more than {MAX_SOURCE_BYTES // 2**20} MiB")
    try:
        return await image.read()
    except Unreachable as error:
        raise BadPicture("Discord does not hand it out") from error


def _files(line: str | None) -> list[discord.File]:
    """The line as a file where it is too long for the message."""
    if line is None or pages.fits(line):
        return []
    return [discord.File(io.BytesIO(line.encode()), "imagine.txt")]


FEATURE = Feature(
    commands=(describe,),
    help=("**/describe** reads prompt, seed and settings back from a picture's file.",),
)
