"""`/admin moderators`: the channel that reported and withheld pictures go to."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.errors import PublicChannel
from bot.features.admin._group import admin, opened
from bot.interactions.checks import able_to_post, is_public
from bot.interactions.feature import Feature
from bot.texts import moderation
from storage.guilds import settings as guild_settings


@admin.command(name="moderators", description="Choose the channel that reported pictures go to")
@app_commands.describe(
    channel="Where; leave out to take no reports",
    even_if_public="Also a channel that everyone can read, where they see which pictures were reported",
)
async def moderators(
    interaction: discord.Interaction[Any],
    channel: discord.TextChannel | None = None,
    even_if_public: bool = False,
) -> None:
    desk = await opened(interaction)
    public = False
    if channel is not None:
        able_to_post(channel.permissions_for(channel.guild.me), channel)
        public = is_public(channel)
        if public and not even_if_public:
            raise PublicChannel(channel.id)
    async with desk.changing() as record:
        old = (await guild_settings.settings(record.tx, desk.guild_id)).moderators_channel_id
        await guild_settings.set_moderators_channel(record.tx, desk.guild_id, channel.id if channel else None)
        await record.note(
            "moderators' channel",
            old=f"<#{old}>" if old else None,
            new=f"<#{channel.id}>" if channel else None,
        )
    await desk.tell(moderation.moderators_are(channel.id if channel else None, public=public))


FEATURE = Feature(
    commands=(admin,),
    help=("**/admin moderators** (admins) chooses the channel for reported pictures.",),
)
