"""`/admin undo` takes the last change back, whatever it was; `/quota undo` the last change of credits.

One's own change goes at once. Another admin's is named first, and so is one made before changes that stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.features.admin._group import Desk, admin, opened, quota
from bot.interactions.feature import Feature
from bot.texts import undo as words
from storage.credits import undo as storage_undo
from storage.guilds import changes
from storage.guilds.changes import Cell, Change, Obstacle

Standing = Sequence[tuple[Change, Obstacle | None]]


@admin.command(name="undo", description="Take back the last change, of settings or credits; again for the one before")
@app_commands.describe(
    others="Also if another admin made that change, or if a later change can't be undone",
    everywhere="Of what holds in all servers; only those who run the bot can do that",
)
async def undo(interaction: discord.Interaction[Any], others: bool = False, everywhere: bool = False) -> None:
    await _undo(await opened(interaction), others=others, everywhere=everywhere)


@quota.command(name="undo", description="Take back the last change of credits; again for the one before")
@app_commands.describe(others="Also if another admin made that change")
async def undo_credits(interaction: discord.Interaction[Any], others: bool = False) -> None:
    await _undo(await opened(interaction), others=others, only_credits=True)


async def _undo(desk: Desk, *, others: bool, everywhere: bool = False, only_credits: bool = False) -> None:
    guild_id = desk.scope(everywhere)
    async with desk.services.database.reading() as tx:
        seen = await storage_undo.standing(tx, guild_id, only_credits=only_credits)
    last, staying = await _last(desk, seen)
    later = [] if only_credits else await _final(desk, guild_id, after=last.number if last else 0)
    if last is None:
        kept_days = desk.services.settings.keep_changes_days
        await desk.tell(words.nothing([*later, *staying], kept_days=kept_days))
        return
    by_another = last.actor_id != desk.actor_id
    if (by_another or staying) and not others:
        command = "quota undo" if only_credits else "admin undo"
        await desk.tell(words.named(last, [*later, *staying], command=command))
        return
    missing = await _take_back(desk, last, seen, everywhere=everywhere, only_credits=only_credits)
    done = words.undone(last, later, missing=missing, by_another=by_another) if missing is not None else None
    await desk.tell(done or words.OVERTAKEN)


async def _last(desk: Desk, seen: Standing) -> tuple[Change | None, list[str]]:
    """The last change that can be taken back, and a sentence about each later one."""
    staying: list[str] = []
    for change, obstacle in seen:
        why = obstacle or (Obstacle.GONE if await _leads_nowhere(desk, change) else None)
        if why is None:
            return change, staying
        staying.append(words.stays(change, why))
    return None, staying


async def _final(desk: Desk, guild_id: int, *, after: int) -> list[str]:
    """A sentence about each of the latest changes that can never be taken back."""
    async with desk.services.database.reading() as tx:
        found = await changes.final(tx, guild_id, after=after, limit=words.STAYING + 1)
    return [words.stays(one, one.final) for one in found if one.final]


async def _take_back(desk: Desk, last: Change, seen: Standing, *, everywhere: bool, only_credits: bool) -> int | None:
    """Returns the credits that were spent before, or None if anything else was changed meanwhile.

    So of two admins who undo the same change, one does.
    """
    async with desk.changing(everywhere=everywhere) as record:
        if await storage_undo.standing(record.tx, last.guild_id, only_credits=only_credits) != seen:
            return None
        missing = await storage_undo.undo(record.tx, last, actor_id=desk.actor_id, now=desk.services.clock())
    desk.services.dispatcher.look_again()
    return missing


async def _leads_nowhere(desk: Desk, change: Change) -> bool:
    """Whether an undo would bring back a role, channel or model that is no longer there."""
    for name, value in _restored(change):
        if name.endswith("role_id") and isinstance(value, int) and value > 0:
            if desk.interaction.guild is not None and desk.interaction.guild.get_role(value) is None:
                return True
        elif name.endswith("channel_id") and isinstance(value, int) and value > 0:
            if not await _is_channel(desk, value):
                return True
        elif name == "default_model" and value is not None and value not in desk.services.catalogue:
            return True
    return False


def _restored(change: Change) -> Iterator[tuple[str, Cell]]:
    for one in change.touched:
        if one.before is not None:
            yield from one.key.items()
            yield from one.before.items()


async def _is_channel(desk: Desk, channel_id: int) -> bool:
    guild = desk.interaction.guild
    if guild is None or guild.get_channel_or_thread(channel_id) is not None:
        return True
    try:
        await desk.interaction.client.fetch_channel(channel_id)  # an archived thread is not in memory
    except discord.NotFound:
        return False
    except Unreachable:
        return True
    return True


FEATURE = Feature(
    help=("**/admin undo** (admins) takes the last change back, and again the one before.",),
)
