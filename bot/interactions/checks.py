"""What must hold before something is done: we may post here, the picture may be seen, the model can draw."""

from __future__ import annotations

import asyncio

import discord

from bot.errors import BotLacksPermission, JobGone
from bot.interactions.feature import Ask
from bot.jobs import policy
from bot.jobs.policy import GuildPolicy
from bot.pictures.safety import only_shown
from bot.services import Services
from generation.contract import ModelState
from storage.jobs import images

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
)
"""What Easel asks for when it is invited."""


def able_to_post(permissions: discord.Permissions, channel: object) -> None:
    """Raises BotLacksPermission where Easel could not post a result. Threads have a permission of their own."""
    speak = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    needed = ("view_channel", speak, "attach_files")
    missing = tuple(name.replace("_", " ").title() for name in needed if not getattr(permissions, name))
    if missing:
        raise BotLacksPermission(missing)


async def shows(ask: Ask, job_id: str, index: int) -> None:
    """Raises JobGone unless that picture is still on the disk, and PictureWithheld if nobody may see it."""
    services = ask.services
    path = images.path(services.database.folder, job_id, index)
    async with services.database.reading() as tx:
        rows = await images.of_job(tx, job_id)
    only_shown(rows, index, appeal=ask.policy.settings.appeal)
    if not await asyncio.to_thread(path.exists):
        raise JobGone


async def policy_of(services: Services, guild_id: int, user_id: int) -> GuildPolicy:
    """What holds for a member of a server now."""
    async with services.database.reading() as tx:
        return await policy.load(
            tx, guild_id=guild_id, user_id=user_id, settings=services.settings, now=services.clock()
        )


def usual_model(services: Services, servers_choice: str | None) -> str:
    """The key of the model that draws when nobody names one: the server's choice, as long as it can be had."""
    states = services.generator.models()
    known = states.get(servers_choice or "")
    if servers_choice is None or known is None or known.state is ModelState.UNUSABLE:
        return services.default_model
    return servers_choice
