"""The `/admin` and `/quota` groups, and what their commands share: who may give them, the log, and the log channel.

A feature file adds its commands with `@admin.command(...)` and opens each with `desk = await opened(interaction)`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import discord
import structlog
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.errors import NotAdmin, NothingFree, NotHost, OverDefault, OverGrants, ServerOnly
from bot.interactions.error_handler import acknowledge
from bot.services import Services
from bot.texts import changes as texts
from storage.credits import host
from storage.database import Transaction
from storage.guilds import changes, settings, snapshot
from storage.guilds.changes import EVERYWHERE, Change, Obstacle
from storage.guilds.snapshot import Rows

_log = structlog.get_logger(__name__)

admin = app_commands.Group(
    name="admin",
    description="Run Easel in this server",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
)
quota = app_commands.Group(
    name="quota",
    description="How many credits people get, and what may be spent",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
)

IN_ALL_SERVERS = "In all servers; only those who run the bot can do that"
"""The description of an option: an admin acts on their own server, and the host on all of them."""

CHOICES = 25
"""As many as Discord shows of an option."""

_POSTED = 10
"""How many changes of one command are posted in the log channel."""

Page = app_commands.Range[int, 1, 10_000]
"""Which page of a long answer is wanted."""

Reason = app_commands.Range[str, 1, 200]

Per = Literal["day", "week", "month"]
"""A period as people choose it: discord.py would show an enumeration's names, in capitals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A transaction for one change. `guild_id` may be EVERYWHERE; `before` are the settings before the change."""

    tx: Transaction
    desk: Desk
    guild_id: int
    before: Rows

    async def note(self, what: str, *, old: str | None, new: str | None, final: Obstacle | None = None) -> None:
        """Record a change of settings, after it was made. If old == new, put the rows back and record nothing.

        Comparing finds the rows that an undo puts back; `final` says why none can be.
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
            touched=touched,
            final=final,
        )
        await changes.record(self.tx, change)


@contextmanager
def _within_limits() -> Iterator[None]:
    """The refusals for what the host does not allow."""
    try:
        yield
    except host.OverGrants as error:
        raise OverGrants(wanted=error.wanted, left=error.left, most=error.most, resets_at=error.resets_at) from error
    except host.OverDefault as error:
        raise OverDefault(error.daily) from error
    except host.NothingFree as error:
        raise NothingFree from error


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
        """A transaction for a change: what is recorded in it is posted in the log channel afterwards.

        What the host changes everywhere is not posted: it is no business of the server where it was typed. Raises
        NotHost, and OverGrants, OverDefault and NothingFree for more than the host allows; then nothing is changed.
        """
        guild_id = self.scope(everywhere)
        with _within_limits():
            async with self.services.database.transaction() as tx:
                last = await changes.latest(tx, guild_id, limit=1)
                before = await snapshot.rows(tx, guild_id)
                yield Record(tx=tx, desk=self, guild_id=guild_id, before=before)
                after = last[0].number if last else 0
                made = await changes.latest(tx, guild_id, after=after, limit=_POSTED)
        for change in reversed(made):
            if change.guild_id != EVERYWHERE:
                await self.log(texts.line(change))

    async def log(self, words: str) -> None:
        """Post what was changed in the log channel, if the server has one."""
        _log.info("an admin changed something", guild=self.guild_id)  # the record says who, and whose
        _log.debug("what an admin changed", words=words)
        async with self.services.database.reading() as tx:
            channel_id = (await settings.settings(tx, self.guild_id)).log_channel_id
        if channel_id is None:
            return
        channel = self.interaction.client.get_partial_messageable(channel_id, guild_id=self.guild_id)
        try:
            await channel.send(words)
        except Unreachable as error:
            _log.warning("could not post in the log channel", channel=channel_id, error=str(error))
            await self.tell(texts.log_out_of_reach(channel_id))

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
        chosen = (await settings.settings(tx, interaction.guild_id)).admin_role_id
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
