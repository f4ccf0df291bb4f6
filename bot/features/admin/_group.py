"""The `/admin` group, and what its commands share: who may give them, the record of changes, and the log channel.

A feature file adds its commands with `@admin.admin.command(...)` and opens each with `desk = await admin.opened(...)`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.errors import NotAdmin, NotHost, ServerOnly
from bot.interactions.error_handler import acknowledge
from bot.services import Services
from bot.texts import changes
from storage.database import Transaction
from storage.guilds import changes as guild_changes
from storage.guilds import settings as guild_settings
from storage.guilds import snapshot
from storage.guilds.changes import EVERYWHERE, Change, Obstacle
from storage.guilds.snapshot import Rows

_log = structlog.get_logger(__name__)

admin = app_commands.Group(
    name="admin",
    description="Run Easel in this server",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
)


Page = app_commands.Range[int, 1, 10_000]
"""Which page of a long answer is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A transaction in which one thing is changed, and what was noted of it.

    `guild_id` may be EVERYWHERE, and `before` is all that was set there.
    """

    tx: Transaction
    desk: Desk
    guild_id: int
    before: Rows
    noted: list[Change] = field(default_factory=list)

    async def note(
        self,
        what: str,
        *,
        old: str | None,
        new: str | None,
        final: Obstacle | None = None,
        undoes: int | None = None,
    ) -> None:
        """Record a change, after it was made; it is posted in the log channel once it is committed.

        What reads as before is no change, and nothing of it stays. What a change did to the settings is found by
        itself and can be taken back; of what was done for good, `final` says why.
        """
        touched = snapshot.touched(self.before, await snapshot.rows(self.tx, self.guild_id))
        if old == new:
            await snapshot.put_back(self.tx, touched)
            return
        change = Change(
            guild_id=self.guild_id,
            actor_id=self.desk.actor_id,
            what=what,
            old=old,
            new=new,
            at=self.desk.services.clock(),
            touched=() if undoes else touched,
            final=final,
            undoes=undoes,
        )
        await guild_changes.record(self.tx, change)
        self.noted.append(change)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """An admin at work, already acknowledged and checked."""

    interaction: discord.Interaction[Any]
    services: Services
    guild_id: int

    @property
    def actor_id(self) -> int:
        """The admin's id."""
        return self.interaction.user.id

    @asynccontextmanager
    async def changing(self, *, everywhere: bool = False) -> AsyncIterator[Record]:
        """A transaction for a change: what `note` recorded in it is posted in the log channel afterwards.

        What the host changes everywhere is not: it is no business of the server where it was typed. Raises NotHost.
        """
        guild_id = self.scope(everywhere)
        async with self.services.database.transaction() as tx:
            before = await snapshot.rows(tx, guild_id)
            record = Record(tx=tx, desk=self, guild_id=guild_id, before=before)
            yield record
        for change in record.noted:
            if change.guild_id != EVERYWHERE:
                await self.log(changes.change(change))

    async def log(self, words: str) -> None:
        """Post what was changed in the log channel, if the server has one."""
        _log.info("an admin changed something", guild=self.guild_id)  # the record says who, and whose
        _log.debug("what an admin changed", words=words)
        async with self.services.database.reading() as tx:
            channel_id = (await guild_settings.settings(tx, self.guild_id)).log_channel_id
        if channel_id is None:
            return
        channel = self.interaction.client.get_partial_messageable(channel_id, guild_id=self.guild_id)
        try:
            await channel.send(words)
        except Unreachable as error:
            _log.warning("could not post in the log channel", channel=channel_id, error=str(error))
            await self.tell(changes.log_out_of_reach(channel_id))

    def scope(self, everywhere: bool) -> int:
        """The id of the server meant, or EVERYWHERE. Raises NotHost for an admin of one server only."""
        if not everywhere:
            return self.guild_id
        if not is_host(self.interaction):
            raise NotHost
        return EVERYWHERE

    async def tell(self, words: str, **more: Any) -> None:
        """Say something to the admin alone."""
        await self.interaction.followup.send(words, ephemeral=True, **more)


async def opened(interaction: discord.Interaction[Any]) -> Desk:
    """Acknowledge, and check who asks. Raises NotAdmin, or ServerOnly outside a server.

    Discord's own `default_permissions` is a hint that server owners can change, so this is what counts.
    """
    await acknowledge(interaction, thinking=True)
    if interaction.guild_id is None:
        raise ServerOnly
    services: Services = interaction.client.services
    if not await is_admin(interaction):
        raise NotAdmin
    return Desk(interaction=interaction, services=services, guild_id=interaction.guild_id)


async def is_admin(interaction: discord.Interaction[Any]) -> bool:
    """Whether the person has Manage Server, or the role that the server chose for its admins, or is the host."""
    if interaction.guild_id is None or not isinstance(interaction.user, discord.Member):
        return False
    if interaction.permissions.manage_guild or is_host(interaction):
        return True
    async with interaction.client.services.database.reading() as tx:
        chosen = (await guild_settings.settings(tx, interaction.guild_id)).admin_role_id
    return chosen is not None and interaction.user.get_role(chosen) is not None


def is_host(interaction: discord.Interaction[Any]) -> bool:
    """Whether the person runs the whole bot: named in EASEL_OWNERS, or the application's owner or in its team."""
    if interaction.user.id in interaction.client.services.settings.owners:
        return True
    application = interaction.client.application
    if application is None:
        return False
    team = application.team.members if application.team else [application.owner]
    return any(one.id == interaction.user.id for one in team)
