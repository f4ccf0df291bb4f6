"""`/admin log|role|changes`: who is an admin, and the log of what admins changed."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.errors import BotLacksPermission
from bot.features.admin._group import Page, admin, is_host, opened
from bot.interactions.feature import Feature
from bot.texts import admin as texts
from bot.texts.changes import listed, log_is
from storage.guilds import changes, settings

_SHOWN = 2000
"""How many changes `/admin changes` can page through."""

LogChannel = discord.TextChannel | discord.Thread


@admin.command(name="log", description="Post every change that an admin makes in a channel")
@app_commands.describe(channel="Where; leave out to post them nowhere")
async def log(interaction: discord.Interaction[Any], channel: LogChannel | None = None) -> None:
    desk = await opened(interaction)
    if channel is not None:
        _able_to_write(channel)
    async with desk.changing() as record:
        old = (await settings.settings(record.tx, desk.guild_id)).log_channel_id
        await settings.set_log_channel(record.tx, desk.guild_id, channel.id if channel else None)
        await record.note("log channel", old=f"<#{old}>" if old else None, new=f"<#{channel.id}>" if channel else None)
    await desk.tell(log_is(channel.id if channel else None))


def _able_to_write(channel: LogChannel) -> None:
    permissions = channel.permissions_for(channel.guild.me)
    speak = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    missing = [name for name in ("view_channel", speak) if not getattr(permissions, name)]
    if missing:
        raise BotLacksPermission(tuple(name.replace("_", " ").title() for name in missing))


@admin.command(name="role", description="Let the members of a role use /admin too")
@app_commands.describe(role="Which one; leave out for only those with Manage Server")
async def role(interaction: discord.Interaction[Any], role: discord.Role | None = None) -> None:
    desk = await opened(interaction)
    async with desk.changing() as record:
        old = (await settings.settings(record.tx, desk.guild_id)).admin_role_id
        await settings.set_admin_role(record.tx, desk.guild_id, role.id if role else None)
        await record.note("admin role", old=f"<@&{old}>" if old else None, new=f"<@&{role.id}>" if role else None)
    await desk.tell(texts.admin_role_is(role.id if role else None))


@admin.command(name="changes", description="Who changed what here, and when")
@app_commands.describe(page="From 1, where there are many")
async def changes_(interaction: discord.Interaction[Any], page: Page = 1) -> None:
    desk = await opened(interaction)
    async with desk.services.database.reading() as tx:
        # A server's admins may not see whom the host banned everywhere, and why.
        latest = await changes.latest(tx, desk.guild_id, limit=_SHOWN, everywhere=is_host(interaction))
    await desk.tell(listed(latest, number=page))


FEATURE = Feature(
    commands=(admin,),
    help=("**/admin** (admins) runs Easel in this server: rules, the queue, bans, words, numbers.",),
)
