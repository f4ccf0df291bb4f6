"""Who asks, and from where, as the queue wants to know it."""

from __future__ import annotations

import discord

from bot.errors import ServerOnly
from bot.jobs.requester import Requester
from bot.pictures.age_restriction import age_restricted


def requester(actor: discord.Member | discord.User, channel: object, *, interaction_id: int | None) -> Requester:
    """Who asks, from where. Raises ServerOnly outside a server."""
    if not isinstance(actor, discord.Member) or not isinstance(channel, discord.abc.Snowflake):
        raise ServerOnly
    return Requester(
        user_id=actor.id,
        guild_id=actor.guild.id,
        channel_id=channel.id,
        role_ids=tuple(role.id for role in actor.roles),
        joined_at=actor.joined_at,
        interaction_id=interaction_id,
        within=_around(channel),
        age_restricted=age_restricted(channel),
    )


def _around(channel: object) -> tuple[int, ...]:
    """What contains a channel: a thread's channel, and the category."""
    ids: tuple[int | None, ...]
    if isinstance(channel, discord.Thread):  # whose `category_id` raises where its channel is not known yet
        ids = (channel.parent_id, channel.parent.category_id if channel.parent else None)
    else:
        ids = (getattr(channel, "category_id", None),)
    return tuple(one for one in ids if one is not None)
