"""`/quota show|set|grant|reset`: how many credits people get, for those with Manage Server."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot import pages
from bot.balances import balance_of
from bot.boundary import acknowledge
from bot.errors import BadAmount
from bot.feature import Feature, Studio, only_admins
from storage import gifts, quotas
from storage.quotas import MAX_CREDITS, Subject

_CHANGES = 5

quota = app_commands.Group(
    name="quota",
    description="How many credits people get each day",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
)

Who = discord.Member | discord.Role


async def _opened(interaction: discord.Interaction[Any]) -> tuple[Studio, int]:
    """Acknowledges, checks that an admin asks, and gives the studio and the server's id."""
    await acknowledge(interaction, thinking=True)
    guild_id = only_admins(interaction)
    return interaction.client.studio, guild_id


def _subject(who: Who | None, guild_id: int) -> Subject:
    """Whom an option means; nobody named, or the @everyone role, means everyone."""
    if who is None or who.id == guild_id:
        return Subject(kind="everyone")
    return Subject(kind="role" if isinstance(who, discord.Role) else "user", id=who.id)


@quota.command(name="show", description="A member's credits, or the server's quotas and their latest changes")
@app_commands.describe(who="A member; nobody for the whole server")
async def show(interaction: discord.Interaction[Any], who: discord.Member | None = None) -> None:
    studio, guild_id = await _opened(interaction)
    default = studio.settings.daily_credits
    async with studio.database.transaction() as tx:
        if who is None:
            rules = await quotas.allowances(tx, guild_id)
            changes = await quotas.changes(tx, guild_id, limit=_CHANGES)
            words = pages.quotas(rules, changes, default=default)
        else:
            place = {"guild_id": guild_id, "user_id": who.id}
            balance = await balance_of(
                tx,
                **place,
                role_ids=[role.id for role in who.roles],
                joined_at=who.joined_at,
                default=default,
                now=studio.clock(),
            )
            history = await quotas.history(tx, **place, limit=_CHANGES)
            words = pages.balance_of(who.id, balance, history)
    await interaction.followup.send(words, ephemeral=True)


@quota.command(name="set", description="Set how many credits somebody gets each day")
@app_commands.describe(
    credits="Credits a day; leave out to go back to the default",
    who="A member or role; nobody for everyone",
)
async def set_(
    interaction: discord.Interaction[Any],
    credits: app_commands.Range[int, 0, MAX_CREDITS] | None = None,
    who: Who | None = None,
) -> None:
    studio, guild_id = await _opened(interaction)
    subject = _subject(who, guild_id)
    async with studio.database.transaction() as tx:
        await quotas.set_allowance(
            tx,
            guild_id=guild_id,
            subject=subject,
            credits=credits,
            actor_id=interaction.user.id,
            now=studio.clock(),
        )
    await interaction.followup.send(pages.quota_set(subject, credits), ephemeral=True)


@quota.command(name="grant", description="Give bonus credits, which stay until they are used")
@app_commands.describe(
    credits="How many; less than zero takes bonus credits away from a member",
    who="A member or role; nobody for everyone",
    reason="Why; it is recorded",
)
async def grant(
    interaction: discord.Interaction[Any],
    credits: app_commands.Range[int, -MAX_CREDITS, MAX_CREDITS],
    who: Who | None = None,
    reason: app_commands.Range[str, 1, 200] | None = None,
) -> None:
    studio, guild_id = await _opened(interaction)
    subject = _subject(who, guild_id)
    try:
        async with studio.database.transaction() as tx:
            await gifts.give(
                tx,
                guild_id=guild_id,
                subject=subject,
                credits=credits,
                actor_id=interaction.user.id,
                reason=reason or "",
                now=studio.clock(),
            )
    except ValueError as error:
        raise BadAmount(str(error)) from error
    await interaction.followup.send(pages.quota_granted(subject, credits), ephemeral=True)


@quota.command(name="reset", description="Give back what was used today")
@app_commands.describe(who="A member or role; nobody for everyone")
async def reset(interaction: discord.Interaction[Any], who: Who | None = None) -> None:
    studio, guild_id = await _opened(interaction)
    subject = _subject(who, guild_id)
    async with studio.database.transaction() as tx:
        await gifts.forgive(
            tx, guild_id=guild_id, subject=subject, actor_id=interaction.user.id, now=studio.clock()
        )
    await interaction.followup.send(pages.quota_reset(subject), ephemeral=True)


FEATURE = Feature(
    commands=(quota,),
    help=("**/quota** (admins) shows, sets, grants and resets credits for a member, a role or everyone.",),
)
