"""Reactions that do what buttons do. Which emoji does what is in each feature's `Verb(reactions=…)`, as in `features/vary.py`."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import discord

from bot.connection.retry import Unreachable, patiently
from bot.errors import JobGone
from bot.interactions.buttons import find
from bot.interactions.error_handler import answered, is_answering, welcome
from bot.interactions.feature import Ask
from bot.services import Services
from bot.texts import refusals
from storage.jobs import messages, queries
from storage.jobs.job import Job
from storage.jobs.messages import PostedMessage

_LOOKS, _BETWEEN_LOOKS = 10, 1.0
"""How often, and after how many seconds, a message is looked up that may be about to be put on record."""

ReactedChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


def reaction_key(payload: discord.RawReactionActionEvent) -> tuple[int, int, str]:
    """What tells a reaction from others."""
    return payload.message_id, payload.user_id, str(payload.emoji)


async def react(client: Any, payload: discord.RawReactionActionEvent, channel: ReactedChannel) -> None:
    """Do what a reaction under one of our messages asks for; others are none of our business.

    Under a stranger's message nothing is looked up, and nothing is written before the message is known to be ours.
    """
    found = client.buttons.reaction(str(payload.emoji))
    member = payload.member
    ours = payload.message_author_id in (None, channel.guild.me.id)
    if found is None or member is None or member.bot or not ours:
        return
    if not client.reactions.is_new(reaction_key(payload)):
        return
    verb, number = found

    async def tell(text: str, /, *, view: discord.ui.View | None = None) -> None:
        await _tell(member, channel, text, view)

    async with answered(tell, what=f"reaction {verb.name}", services=client.services):
        is_answering(client)
        job, posted = await _found(client.services, payload)
        if job is None:
            if verb.gone is not JobGone and await _is_result(channel, payload.message_id):
                raise verb.gone
            return
        await welcome(client.services, member.id)
        index = number or (posted.image_index if posted else None) or 0
        job, policy = await find(client.services, job.id, index, asker=member)
        ask = Ask(
            services=client.services,
            actor=member,
            channel=channel,
            message_id=payload.message_id,
            job=job,
            index=index,
            interaction_id=None,
            policy=policy,
            permissions=channel.permissions_for(member),
            bot_permissions=channel.permissions_for(member.guild.me),
            tell=tell,
        )
        await verb.run(ask)


async def _is_result(channel: ReactedChannel, message_id: int) -> bool:
    """Whether a message is a picture of ours, as its buttons show, and no moderators' case."""
    try:
        message = await channel.fetch_message(message_id)
    except Unreachable:
        return False
    items = (item for row in message.components for item in getattr(row, "children", ()))
    ids = [str(getattr(item, "custom_id", "")) for item in items]
    ours = message.author.id == channel.guild.me.id and bool(message.attachments)
    return ours and any(one.startswith("easel:") and not one.startswith("easel:mod_") for one in ids)


async def _found(
    services: Services, payload: discord.RawReactionActionEvent
) -> tuple[Job | None, PostedMessage | None]:
    """What the message shows. Somebody may react to a result before it is on record that it was posted."""
    for _ in range(_LOOKS):
        async with services.database.reading() as tx:
            job = await messages.by_message(tx, payload.message_id)
            posted = await messages.message(tx, payload.message_id)
            soon = job is None and await queries.finished_in(tx, payload.channel_id)
        if not soon:
            break
        await asyncio.sleep(_BETWEEN_LOOKS)
    return job, posted


async def _tell(member: discord.Member, channel: ReactedChannel, text: str, view: discord.ui.View | None) -> None:
    """A private word to somebody who reacted: a reaction leaves no other way than a direct message.

    Where that is closed, the channel reads only that there is an answer: it may be about a ban, or credits.
    """
    nonce: Any = secrets.token_hex(8)
    buttons: dict[str, Any] = {} if view is None else {"view": view}
    try:
        await patiently(lambda: member.send(text, nonce=nonce, **buttons))
    except discord.Forbidden:
        only = discord.AllowedMentions(users=[member])
        await channel.send(f"{member.mention} {refusals.LETTER_BACK}", allowed_mentions=only, delete_after=20)
