"""Owns in which servers Easel works: all, or those that the host named in EASEL_SERVERS.

In any other nothing is taken, drawn or charged, and every command, button and reaction gets one sentence. Easel leaves
such a server when it is invited. One that it is in already it only names in the log: leaving is the host's to do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.errors import ServerNotAllowed
from bot.services import Services
from bot.settings.settings import Settings
from bot.texts import refusals
from storage.jobs import queries

_log = structlog.get_logger(__name__)


def allows(settings: Settings, guild_id: int | None) -> bool:
    """Whether Easel works in this server; None for a direct message."""
    return guild_id is None or not settings.servers or guild_id in settings.servers


def only_allowed(settings: Settings, guild_id: int | None) -> None:
    """Raises ServerNotAllowed for what comes from another server than those allowed."""
    if not allows(settings, guild_id):
        assert guild_id is not None
        raise ServerNotAllowed(guild_id)


async def check_command(interaction: discord.Interaction[Any]) -> bool:
    """Whether a command, or the choices for one of its options, is answered here; where it isn't, it is said why."""
    try:
        only_allowed(interaction.client.services.settings, interaction.guild_id)
    except ServerNotAllowed as refusal:
        _log.info("refused", what="a command", why=type(refusal).__name__)
        with contextlib.suppress(*Unreachable):
            if interaction.type is discord.InteractionType.autocomplete:
                await interaction.response.autocomplete([])
            else:
                await interaction.response.send_message(refusals.sentence(refusal), ephemeral=True)
        return False
    return True


async def joined(services: Services, guild: discord.Guild) -> None:
    """Leave a server that is not allowed, to which Easel was invited a moment ago."""
    if allows(services.settings, guild.id):
        return
    try:
        await guild.leave()
        _log.warning("left a server that is not in EASEL_SERVERS", guild=guild.id)
    except Unreachable as error:
        _log.warning("could not leave a server that is not in EASEL_SERVERS", guild=guild.id, error=str(error))


def name_others(services: Services, guilds: Iterable[discord.Guild]) -> None:
    """Name in the log the servers that Easel is in and does nothing for."""
    for guild in guilds:
        if not allows(services.settings, guild.id):
            _log.warning("nothing is done in a server that is not in EASEL_SERVERS", guild=guild.id)


async def cancel_others(services: Services, *, by: int) -> None:
    """Before drawing begins: cancel, and pay back, what waits in servers that are no longer allowed. `by` is the bot."""
    async with services.database.reading() as tx:
        busy = await queries.busy_guilds(tx)
    for guild_id in busy:
        if not allows(services.settings, guild_id):
            done = await services.dispatcher.clear(by=by, guild_id=guild_id, running=True)
            _log.warning("cancelled jobs of a server that is not in EASEL_SERVERS", guild=guild_id, jobs=done.jobs)
