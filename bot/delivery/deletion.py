"""Deletes our own messages, as far as Discord lets us, and says which still stand."""

from __future__ import annotations

import contextlib

import discord
import structlog

from bot.connection.retry import Unreachable

_ARCHIVED = 50083

_log = structlog.get_logger(__name__)


async def remove(client: discord.Client, channel_id: int, message_id: int) -> bool:
    """Delete a message of ours; True once it is gone, also where somebody else had deleted it."""
    channel = client.get_partial_messageable(channel_id)
    try:
        try:
            return await _delete(channel.get_partial_message(message_id))
        except discord.HTTPException as error:
            if error.code != _ARCHIVED:
                raise
        return await _delete_in_archive(client, channel_id, message_id)
    except Unreachable as error:
        _log.info("a message could not be deleted", channel=channel_id, error=str(error))
        return False


async def _delete(message: discord.PartialMessage) -> bool:
    """Raises what `Unreachable` names when Discord refuses, or stumbles every time."""
    with contextlib.suppress(discord.NotFound):
        await message.delete()
    return True


async def _delete_in_archive(client: discord.Client, channel_id: int, message_id: int) -> bool:
    """Open an archived thread for as long as it takes. Raises what `Unreachable` names, as where the thread is locked."""
    thread = await client.fetch_channel(channel_id)
    if not isinstance(thread, discord.Thread):
        return False
    await thread.edit(archived=False)
    try:
        return await _delete(thread.get_partial_message(message_id))
    finally:
        with contextlib.suppress(*Unreachable):
            await thread.edit(archived=True)
