"""`/describe`: what a picture's file says of itself, told to one person, and the line that draws it again."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import discord
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.errors import BadPicture
from bot.interactions.error_handler import acknowledge
from bot.interactions.feature import Feature, Services, requester, usual_model
from bot.jobs import permissions, prompt_line
from bot.jobs.prompt_line import Again
from bot.jobs.seams import Requester
from bot.pictures.age_restriction import age_restricted
from bot.texts import describe as text_describe
from generation.containers import MAX_SOURCE_BYTES
from generation.contract import ModelState
from generation.parameters import Parameters
from storage.guilds import settings as guild_settings

_PATIENCE = 15.0
"""Seconds that Discord has to hand out the file. Its size is Discord's word, so no more comes than it says."""


@app_commands.command(name="describe", description="Read how a picture was made from its file")
@app_commands.describe(image="A PNG, JPEG or WebP, from Easel or from another tool")
async def describe(interaction: discord.Interaction[Any], image: discord.Attachment) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    who = await _admitted(interaction, services)
    if image.size > MAX_SOURCE_BYTES:
        raise BadPicture(f"it has more than {MAX_SOURCE_BYTES // 2**20} MiB")
    found = await services.inspection.read(interaction.user.id, lambda: _bytes(image))
    parameters = found.description.parameters
    offer = await _again(services, parameters, interaction.channel, who) if parameters else None
    words, too_long = text_describe.described(found.description, found.verdict, offer)
    line = offer.line if offer and too_long else None
    files = [discord.File(io.BytesIO(line.encode()), "imagine.txt")] if line else []
    await interaction.followup.send(words, files=files, ephemeral=True)


async def _admitted(interaction: discord.Interaction[Any], services: Services) -> Requester | None:
    """Who asks, None in direct messages. Raises the refusals of `access.only_admitted`, and KeptForRoles."""
    async with services.database.reading() as tx:
        await permissions.only_admitted(
            tx,
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            now=services.clock(),
            longest=services.settings.timeout,
        )
        if interaction.guild_id is None:
            return None
        who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
        await permissions.only_allowed(tx, who, "describe", posts=False)
    return who


async def _bytes(image: discord.Attachment) -> bytes:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await image.read()
    except Unreachable as error:
        raise BadPicture("Discord does not hand it out") from error


async def _again(services: Services, parameters: Parameters, channel: object, who: Requester | None) -> Again:
    """The line that draws it again, for this person in this place."""
    model, most = services.default_model, None
    if who is not None:
        async with services.database.reading() as tx:
            server = await guild_settings.settings(tx, who.guild_id)
            most = (await permissions.most(tx, who)).pictures
        model = usual_model(services, server.default_model)
    shown = services.catalogue.named(among_adults=age_restricted(channel))
    states = services.generator.models()
    usable = [key for key in shown if key in states and states[key].state is not ModelState.UNUSABLE]
    return prompt_line.again(
        parameters, services.catalogue, default_model=model, usable=usable, most_pictures=most
    )


FEATURE = Feature(
    commands=(describe,),
    help=(
        "**/describe** reads prompt, seed and settings back from a picture's file, and checks who signed it.",
    ),
)
