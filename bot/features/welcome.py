"""The first words in a new server: what Easel is, and prompts that one press draws."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.delivery.button_rows import prompt_buttons
from bot.errors import BotLacksPermission
from bot.interactions import servers
from bot.interactions.checks import able_to_post
from bot.interactions.feature import Feature
from bot.services import Services
from bot.texts import member
from generation.builtin.nearest import FAVOURITES

NEW = timedelta(days=1)
"""For so long a server is new: then a welcome would come as a surprise."""

_log = structlog.get_logger(__name__)


async def greet(services: Services, guild: discord.Guild) -> None:
    """Say hello in a server that Easel joined lately, once for each time that it joins, where it may speak."""
    if guild.unavailable:
        return
    joined = guild.me.joined_at
    if joined is None or services.clock() - joined > NEW or not servers.allows(services.settings, guild.id):
        return
    channel = next(_open_channels(guild), None)
    key, this_time = f"welcome {guild.id}", joined.isoformat()
    if channel is None or not await _put(services, key, this_time):
        return
    try:
        await channel.send(member.welcome(services.settings.daily_credits), view=prompt_buttons(FAVOURITES))
    except Unreachable as error:
        _log.info("could not say hello in a new server", guild=guild.id, error=str(error))
        await _put(services, key, "")


async def _put(services: Services, key: str, value: str) -> bool:
    """Note something; False if it was noted before."""
    async with services.database.transaction() as tx:
        new = await tx.get_value(key) != value
        await tx.put_value(key, value)
    return new


def _open_channels(guild: discord.Guild) -> Iterator[discord.TextChannel]:
    """Where Easel may post and everybody reads it, the server's own channel for such words first."""
    own = [guild.system_channel] if guild.system_channel else []
    for channel in (*own, *guild.text_channels):
        try:
            able_to_post(channel.permissions_for(guild.me), channel)
        except BotLacksPermission:
            continue
        if channel.permissions_for(guild.default_role).send_messages:
            yield channel


FEATURE = Feature(on_server=greet)
