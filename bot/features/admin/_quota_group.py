"""The `/quota` group, and what its commands share. A feature file adds its commands with `@quota.command(...)`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal

import discord
from discord import app_commands

from bot.errors import NothingFree, OverDefault, OverGrants
from bot.features.admin._group import Desk
from bot.texts import quota as text_quota
from storage import pseudonyms
from storage.credits import changes, host
from storage.credits.balance import rate_of
from storage.credits.calendar import Rate
from storage.credits.changes import Subject
from storage.database import Transaction

quota = app_commands.Group(
    name="quota",
    description="How many credits people get, and what may be spent",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
)

Who = discord.Member | discord.User | discord.Role
"""Whom an option means; those who left the server are found by their ids."""

Per = Literal["day", "week", "month"]
"""A period as people choose it: discord.py would show an enumeration's names, in capitals."""


def subject_of(who: Who | None, guild_id: int) -> Subject:
    """Whom an option means; nobody named, or the @everyone role, means everyone."""
    if who is None or who.id == guild_id:
        return Subject(kind="everyone")
    return Subject(kind="role" if isinstance(who, discord.Role) else "user", id=who.id)


@asynccontextmanager
async def changing(desk: Desk) -> AsyncIterator[Transaction]:
    """A transaction for a change of quotas: what is recorded in it is posted in the log channel afterwards.

    Raises OverGrants, OverDefault and NothingFree, with nothing changed, for more than the host allows.
    """
    with _within_limits():
        async with desk.services.database.transaction() as tx:
            before = await changes.changes(tx, desk.guild_id, limit=1)
            yield tx
            latest = await changes.changes(tx, desk.guild_id, limit=1)
    for change in latest:
        if change not in before:
            await desk.log(text_quota.logged(change))


@contextmanager
def _within_limits() -> Iterator[None]:
    """The refusals for what the host does not allow."""
    try:
        yield
    except host.OverGrants as error:
        raise OverGrants(
            wanted=error.wanted, left=error.left, most=error.most, resets_at=error.resets_at
        ) from error
    except host.OverDefault as error:
        raise OverDefault(error.daily) from error
    except host.NothingFree as error:
        raise NothingFree from error


async def allowance_of(tx: Transaction, desk: Desk, who: Who | None) -> Rate:
    """The allowance of a member; for a role or everyone the one of those for whom nothing else is set."""
    roles = [role.id for role in who.roles] if isinstance(who, discord.Member) else []
    return await rate_of(
        tx,
        guild_id=desk.guild_id,
        user_id=0 if who is None else await pseudonyms.standing(tx, who.id),
        role_ids=roles,
        host=desk.services.settings.host_credits,
    )
