"""`/admin undo`: takes the last change of a server's settings back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.features.admin._group import Desk, admin, opened
from bot.features.admin._undoing import Last, undo_last
from bot.interactions.feature import Feature
from bot.texts import changes
from bot.texts import undo as text_undo
from storage.database import Transaction
from storage.guilds import changes as guild_changes
from storage.guilds import snapshot
from storage.guilds.changes import Cell, Change, Obstacle

_REACH = 200
"""As many changes that stand are looked through for one that can be taken back."""


@admin.command(name="undo", description="Take back the last change of settings; again for the one before")
@app_commands.describe(
    others="Also where another admin made that change, or where a later setting can't be undone",
    everywhere="Of what holds in all servers; only those who run the bot can do that",
)
async def undo(interaction: discord.Interaction[Any], others: bool = False, everywhere: bool = False) -> None:
    desk = await opened(interaction)
    guild_id = desk.scope(everywhere)
    async with desk.services.database.reading() as tx:
        seen = await _standing(tx, guild_id)
    last, staying = await _last(desk, seen)
    async with desk.services.database.reading() as tx:
        done = await guild_changes.done_for_good(
            tx, guild_id, after=last.number if last else 0, limit=changes.STAYING + 1
        )
    later = [changes.stays(one, one.final) for one in done if one.final]

    async def take() -> str | None:
        async with desk.changing(everywhere=everywhere) as record:
            if last is None or await _standing(record.tx, guild_id) != seen:
                return None
            await snapshot.put_back(record.tx, last.touched)
            await record.note(f"undo of {last.what}", old=last.new, new=last.old, undoes=last.number)
        desk.services.dispatcher.look_again()
        return ""

    found = None
    if last is not None:
        words, now = changes.changed(last), text_undo.setting(last)
        found = Last(actor_id=last.actor_id, at=last.at, words=words, now=now)
    await undo_last(desk, found, take, command="admin undo", others=others, staying=staying, later=later)


async def _standing(tx: Transaction, guild_id: int) -> list[tuple[Change, Obstacle | None]]:
    """The changes that were not taken back, newest first, with what keeps each from it."""
    now = await snapshot.rows(tx, guild_id)
    return [
        (one, one.final or snapshot.obstacle(now, one.touched))
        for one in await guild_changes.standing(tx, guild_id, limit=_REACH)
    ]


async def _last(desk: Desk, seen: list[tuple[Change, Obstacle | None]]) -> tuple[Change | None, list[str]]:
    """The last change that can be taken back, and a sentence about each later one."""
    staying: list[str] = []
    for change, obstacle in seen:
        why = obstacle or (Obstacle.GONE if await _leads_nowhere(desk, change) else None)
        if why is None:
            return change, staying
        staying.append(changes.stays(change, why))
    return None, staying


async def _leads_nowhere(desk: Desk, change: Change) -> bool:
    """Whether taking a change back would bring a role, channel or model back that is no longer there."""
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
    commands=(admin,),
    help=("**/admin undo** (admins) takes the last change of settings back, and again the one before.",),
)
