"""Pictures of ours that stand in Discord though nothing of their job is kept any more: what of them moderators see.

A case of theirs says where the picture stands, and nothing else: no words, no names, no copy. So nothing is recorded
of it either; what there is to know stands in its message and in the ids of its buttons.
"""

from __future__ import annotations

import re

import discord
import structlog

from bot.progress import Unreachable

REMOVE, KEEP = "remove", "keep"
"""What a button under a case does."""
BUTTON = r"easel-leftover:(?P<action>remove|keep):(?P<channel>[0-9]+):(?P<message>[0-9]+)"
"""The id of such a button: it says which message is meant."""

_LOOK_BACK = 1000
"""Messages that are looked through for the case of a picture."""

_log = structlog.get_logger(__name__)


def is_leftover(message: discord.Message) -> bool:
    """Whether a message is a picture of ours, as its buttons show; not a moderators' case."""
    if message.guild is None or message.author.id != message.guild.me.id or not message.attachments:
        return False
    return any(re.match("easel:(?!mod_)", one) for one in _button_ids(message))


def buttons(channel_id: int, message_id: int) -> discord.ui.View:
    """The buttons under a case. What they do is in `features/leftovers.py`."""
    view = discord.ui.View(timeout=None)
    for action, label, emoji in ((REMOVE, "Remove picture", "🗑️"), (KEEP, "Keep", "✅")):
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(
            label=label, emoji=emoji, custom_id=f"easel-leftover:{action}:{channel_id}:{message_id}"
        )
        view.add_item(button)
    return view


async def find(channel: discord.TextChannel, link: str, *, after: int) -> discord.Message | None:
    """The newest case of ours with that link in the moderators' channel, younger than the message `after`."""
    try:
        async for message in channel.history(
            limit=_LOOK_BACK, after=discord.Object(after), oldest_first=False
        ):
            if message.author.id == channel.guild.me.id and link in message.content.split("\n"):
                return message
    except Unreachable as error:
        _log.debug("may not look for an earlier case", error=str(error))
    return None


def is_open(case: discord.Message) -> bool:
    """Whether a case still waits for moderators."""
    return bool(_button_ids(case))


def _button_ids(message: discord.Message) -> list[str]:
    items = [item for row in message.components for item in getattr(row, "children", ())]
    return [item.custom_id for item in items if getattr(item, "custom_id", None)]
