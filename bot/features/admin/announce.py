"""`/admin announce`: words of an admin, posted where that admin may write themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.errors import NotSpeaker
from bot.features.admin._group import Desk, admin, opened
from bot.interactions.feature import Feature
from bot.texts import admin as text_admin
from storage.guilds.changes import EVERYWHERE, Obstacle
from storage.jobs import queries

Channel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


@admin.command(name="announce", description="Say something in a channel, or wherever jobs wait")
@app_commands.describe(
    text="What to say, such as when Easel goes down for maintenance",
    channel="Where; leave out for all channels where jobs wait and you may write",
    everywhere="In all servers; only those who run the bot can do that",
)
async def announce(
    interaction: discord.Interaction[Any],
    text: app_commands.Range[str, 1, 1500],
    channel: discord.TextChannel | discord.Thread | None = None,
    everywhere: bool = False,
) -> None:
    desk = await opened(interaction)
    guild_id = desk.scope(everywhere)
    busy = [] if channel else await _busy(desk, guild_id)
    if not busy:
        await _only_speakers(interaction, channel or interaction.channel)
        busy = [(desk.guild_id, (channel or interaction.channel).id)]  # type: ignore[union-attr]
    reached, missed, barred = [], [], 0
    async for channel_id, may_speak in _open_to(desk, busy):
        if not may_speak:
            barred += 1
        elif await _said(interaction, channel_id, text):
            reached.append(channel_id)
        else:
            missed.append(channel_id)
    if reached:
        where = text_admin.announced_where(text, len(reached))
        async with desk.changing(everywhere=everywhere) as record:
            await record.note("announcement", old=None, new=where, final=Obstacle.SAID)
    await desk.tell(text_admin.announced(reached, missed, barred=barred))


async def _busy(desk: Desk, guild_id: int) -> list[tuple[int, int]]:
    """The servers and channels where jobs wait."""
    async with desk.services.database.reading() as tx:
        return await queries.channels(tx, None if guild_id == EVERYWHERE else guild_id)


async def _only_speakers(interaction: discord.Interaction[Any], channel: object) -> None:
    """Raises NotSpeaker where the admin may not write: the role for Easel's admins opens no channel."""
    who = interaction.user
    if not isinstance(who, discord.Member) or not await _may_speak(who, channel):
        raise NotSpeaker


async def _open_to(desk: Desk, places: list[tuple[int, int]]) -> AsyncIterator[tuple[int, bool]]:
    """Each channel, and whether the admin may write there.

    In servers to which the host does not belong, there is nothing that would keep them out. A channel that Discord does
    not tell us of is closed to us, whoever asks.
    """
    members: dict[int, discord.Member | None] = {}
    for guild_id, channel_id in places:
        channel = await desk.services.delivery.known_channel(channel_id)
        if guild_id not in members:
            members[guild_id] = await _member(desk, guild_id)
        who = members[guild_id]
        yield channel_id, channel is None or who is None or await _may_speak(who, channel)


async def _member(desk: Desk, guild_id: int) -> discord.Member | None:
    """The admin as a member of that server; None where they are none."""
    who, guild = desk.interaction.user, desk.interaction.client.get_guild(guild_id)
    if guild_id == desk.guild_id and isinstance(who, discord.Member):
        return who
    try:
        return await guild.fetch_member(who.id) if guild else None
    except Unreachable:
        return None


async def _may_speak(who: discord.Member, channel: object) -> bool:
    """Whether a person may see a channel and write there. A private thread is for those in it, and for who manages threads."""
    if not isinstance(channel, Channel) or (isinstance(channel, discord.Thread) and channel.parent is None):
        return False
    rights = channel.permissions_for(who)
    if not isinstance(channel, discord.Thread):
        return rights.view_channel and rights.send_messages
    if not (rights.view_channel and rights.send_messages_in_threads):
        return False
    if rights.manage_threads:
        return True
    return not channel.locked and (not channel.is_private() or await _is_in(channel, who))


async def _is_in(thread: discord.Thread, who: discord.Member) -> bool:
    try:
        await thread.fetch_member(who.id)
    except Unreachable:
        return False
    return True


async def _said(interaction: discord.Interaction[Any], channel_id: int, text: str) -> bool:
    try:
        await interaction.client.get_partial_messageable(channel_id).send(text_admin.announcement(text))
    except Unreachable:
        return False
    return True


FEATURE = Feature()
