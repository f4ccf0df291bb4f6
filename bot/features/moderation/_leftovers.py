"""Pictures of ours that stand in Discord though nothing of their job is kept any more: what of them moderators see.

A case of theirs says where the picture stands, and nothing else: no words, no names, no copy. So nothing is recorded
of it either; what there is to know stands in its message and in the ids of its buttons.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.connection.snowflakes import ID
from bot.services import Services
from bot.texts import common, moderation
from storage.database import Transaction
from storage.jobs import messages, queries
from storage.moderation import cases as moderation_cases
from storage.moderation.cases import Case, Kind

REMOVE, KEEP = "remove", "keep"
"""What a button under a case does."""
BUTTON = rf"easel-leftover:(?P<action>remove|keep):(?P<channel>{ID}):(?P<message>{ID})"
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


# ---------------------------------------------------------------------------------------------------------- erasing


async def clear(services: Services, job_ids: Sequence[str]) -> list[Case]:
    """Take what stands before moderators of these jobs, which are about to be forgotten, out of their channels.

    An open report goes on as a case of a leftover. The cases that were dealt with, whether Discord let us or not: what it
    refuses goes when a moderator presses one of its buttons.
    """
    async with services.database.reading() as tx:
        standing = await moderation_cases.standing(tx, job_ids)
        left = {case: await _left_of(tx, case) for case in standing}
    for case, (place, message_ids) in left.items():
        await _clear_one(services, case, place, message_ids)
    return standing


async def clear_late(services: Services, cases: Sequence[Case]) -> None:
    """The same for cases that were posted while their jobs were being forgotten."""
    for case in cases:
        await _remove(services, case)


async def clear_pressed(case: discord.Message) -> None:
    """The same for a case of a job that is gone, whose button a moderator pressed; Discord did not let us before."""
    links = moderation.links_in(case.content)
    try:
        if not links:
            await case.delete()
            return
        channel_id, message_id = map(int, links[0].split("/")[-2:])
        await case.edit(
            content=moderation.leftover(links), view=buttons(channel_id, message_id), attachments=[]
        )
    except Unreachable as error:
        _log.info("a case could not be cleared", error=str(error))


async def _left_of(tx: Transaction, case: Case) -> tuple[tuple[int, int], list[int]]:
    """Where a case's job was posted, and the messages that still show it, the result first; none where it is decided."""
    job = await queries.get(tx, case.job_id)
    if job is None or case.kind is not Kind.REPORT or case.verdict is not None:
        return (0, 0), []
    shown = await messages.of_job(tx, job.id)
    first = [one for one in shown if one == job.result_message_id]
    return (job.guild_id, job.channel_id), [*first, *(one for one in shown if one not in first)]


async def _clear_one(
    services: Services, case: Case, place: tuple[int, int], message_ids: Sequence[int]
) -> None:
    if not message_ids:
        await _remove(services, case)
        return
    guild_id, channel_id = place
    links = [moderation.link(guild_id, channel_id, one) for one in message_ids]
    changes: dict[str, Any] = {
        "content": moderation.leftover(links),
        "view": buttons(channel_id, message_ids[0]),
        "attachments": [],
    }
    await _edit(services, case, **changes)


async def _remove(services: Services, case: Case) -> None:
    if case.channel_id is not None and case.message_id is not None:
        await services.delivery.remove_post(case.channel_id, case.message_id)


async def take_name_out(services: Services, user_id: int) -> None:
    """Take somebody's name out of the cases that they reported or decided."""
    async with services.database.reading() as tx:
        naming = await moderation_cases.naming(tx, user_id)
    for case in naming:
        message = await services.delivery.fetch_post(case.channel_id or 0, case.message_id or 0)
        if message is not None and (named := f"<@{user_id}>") in message.content:
            await _edit(services, case, content=message.content.replace(named, common.person(-1)))


async def _edit(services: Services, case: Case, **changes: Any) -> None:
    message = services.delivery.partial_post(case.channel_id or 0, case.message_id or 0)
    try:
        await message.edit(**changes)
    except Unreachable as error:
        _log.info("a case could not be cleared", error=str(error))
