"""`/admin member ban|unban|pardon`: who may use Easel."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.features.admin._group import IN_ALL_SERVERS, Reason, admin, is_host, opened
from bot.interactions.feature import Feature
from bot.texts import admin as texts
from bot.texts import common, moderation
from storage import pseudonyms
from storage.guilds import bans
from storage.guilds.bans import Ban
from storage.moderation import strikes

member = app_commands.Group(name="member", description="Who may use Easel", parent=admin)


@member.command(name="ban", description="Keep somebody from using Easel; their waiting and running jobs are cancelled")
@app_commands.describe(who="Whom", reason="Why; they are told", everywhere=IN_ALL_SERVERS)
async def ban(
    interaction: discord.Interaction[Any],
    who: discord.User,
    reason: Reason | None = None,
    everywhere: bool = False,
) -> None:
    desk = await opened(interaction)
    guild_id = desk.scope(everywhere)
    new = Ban(
        guild_id=guild_id,
        user_id=who.id,
        actor_id=desk.actor_id,
        reason=reason or "",
        at=desk.services.clock(),
    )
    async with desk.changing(everywhere=everywhere) as record:
        before = await bans.ban(record.tx, new)
        old = texts.banned_for(before) if before else None
        await record.note(f"ban of <@{who.id}>", old=old, new=texts.banned_for(new))
    cleared = await desk.services.dispatcher.clear(
        by=desk.actor_id, guild_id=guild_id or None, user_id=who.id, running=True
    )
    await desk.tell(texts.banned(new, cleared.jobs))


@member.command(name="unban", description="Let somebody use Easel again")
@app_commands.describe(who="Whom", everywhere=IN_ALL_SERVERS)
async def unban(interaction: discord.Interaction[Any], who: discord.User, everywhere: bool = False) -> None:
    desk = await opened(interaction)
    guild_id = desk.scope(everywhere)
    async with desk.changing(everywhere=everywhere) as record:
        lifted = await bans.unban(record.tx, guild_id=guild_id, user_id=who.id)
        if lifted:
            await record.note(f"ban of <@{who.id}>", old="banned", new="lifted")
        standing = await pseudonyms.standing(record.tx, who.id)
        left = await bans.of_person(record.tx, guild_id=desk.guild_id, user_id=standing)
    # A server's admins may not see whom the host banned everywhere, and why.
    if is_host(interaction):
        await desk.tell(texts.unbanned_by_host(who.id, lifted=lifted, left=left))
    else:
        await desk.tell(texts.unbanned(who.id, lifted=lifted))


@member.command(name="pardon", description="End somebody's timeout after too many refusals, and forget those")
@app_commands.describe(who="The member, or the id of somebody who left")
async def pardon(interaction: discord.Interaction[Any], who: discord.User) -> None:
    desk = await opened(interaction)
    async with desk.changing() as record:
        theirs = {"guild_id": desk.guild_id, "user_id": await pseudonyms.standing(record.tx, who.id)}
        until = await strikes.timed_out_until(
            record.tx, **theirs, now=desk.services.clock(), longest=desk.services.settings.timeout
        )
        await strikes.pardon(record.tx, **theirs)
        old = f"until {common.relative(until)}" if until else None
        await record.note(f"timeout of <@{who.id}>", old=old, new="pardoned")
    await desk.tell(moderation.pardoned(who.id))


FEATURE = Feature(
    help=("**/admin member pardon** (admins) ends a timeout that somebody got for too many refusals.",),
)
