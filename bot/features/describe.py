"""`/describe`: what a picture's file says of itself, told to one person, and the line that draws it again."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import discord
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.errors import BadPicture
from bot.features._describe import described
from bot.interactions.checks import policy_of, usual_model
from bot.interactions.error_handler import acknowledge
from bot.interactions.feature import Feature
from bot.interactions.requester import requester
from bot.jobs import prompt_line
from bot.jobs.policy import GuildPolicy, only_admitted_in_letters
from bot.jobs.prompt_line import Again
from bot.jobs.requester import Requester
from bot.pictures.age_restriction import age_restricted
from bot.services import Services
from generation.containers import MAX_SOURCE_BYTES
from generation.contract import ModelState
from generation.parameters import Parameters

_PATIENCE = 15.0
"""Seconds that Discord has to hand out the file. Its size is Discord's word, so no more comes than it says."""


@app_commands.command(name="describe", description="Read how a picture was made from its file")
@app_commands.describe(image="A PNG, JPEG or WebP, from Easel or from another tool")
async def describe(interaction: discord.Interaction[Any], image: discord.Attachment) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    admitted = await _admitted(interaction, services)
    if image.size > MAX_SOURCE_BYTES:
        raise BadPicture(f"it has more than {MAX_SOURCE_BYTES // 2**20} MiB")
    found = await services.inspection.read(interaction.user.id, lambda: _bytes(image))
    parameters = found.description.parameters
    offer = _again(services, parameters, interaction.channel, admitted) if parameters else None
    words, too_long = described(found.description, found.verdict, offer)
    line = offer.line if offer and too_long else None
    files = [discord.File(io.BytesIO(line.encode()), "imagine.txt")] if line else []
    await interaction.followup.send(words, files=files, ephemeral=True)


async def _admitted(
    interaction: discord.Interaction[Any], services: Services
) -> tuple[Requester, GuildPolicy] | None:
    """Who asks, and what holds for them; None in direct messages. Raises Banned, TimedOut, ServerOnly or KeptForRoles."""
    if interaction.guild_id is None:
        async with services.database.reading() as tx:
            await only_admitted_in_letters(
                tx, user_id=interaction.user.id, settings=services.settings, now=services.clock()
            )
        return None
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    policy = await policy_of(services, who.guild_id, who.user_id)
    policy.only_admitted()
    policy.only_allowed(who, "describe", posts=False)
    return who, policy


async def _bytes(image: discord.Attachment) -> bytes:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await image.read()
    except Unreachable as error:
        raise BadPicture("Discord does not hand it out") from error


def _again(
    services: Services,
    parameters: Parameters,
    channel: object,
    admitted: tuple[Requester, GuildPolicy] | None,
) -> Again:
    """The line that draws it again, for this person in this place."""
    model, most = services.default_model, None
    if admitted is not None:
        who, policy = admitted
        most = policy.most(who.role_ids).pictures
        model = usual_model(services, policy.settings.default_model)
    shown = services.catalogue.named(among_adults=age_restricted(channel))
    states = services.generator.models()
    usable = [key for key in shown if key in states and states[key].state is not ModelState.UNUSABLE]
    return prompt_line.again(
        parameters, services.catalogue, default_model=model, usable=usable, most_pictures=most
    )


FEATURE = Feature(
    permissions=("describe",),
    commands=(describe,),
    help=(
        "**/describe** reads prompt, seed and settings back from a picture's file, and checks who signed it.",
    ),
)
