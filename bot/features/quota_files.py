"""`/quota export|import`: a server's quotas, or its ledger, as a CSV file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Literal

import discord
from discord import app_commands

from bot import quota_pages, sheets
from bot.admin import Desk, Page, opened
from bot.balances import host_of
from bot.errors import BadSheet
from bot.feature import Feature
from bot.patience import Unreachable
from bot.quota import changing, quota
from storage import ledger
from storage import sheets as tables
from storage.quota_changes import Subject

_HISTORY = 50_000
"""Lines of the ledger in a file: about 7 MB, which every server takes."""

_NAMED = 1_000
"""People whose names are asked for: the gateway takes 120 requests a minute."""

_ASKED = 100
"""As many as Discord answers about at once."""


@quota.command(name="export", description="Get the server's quotas, or all that moved credits, as a CSV file")
@app_commands.describe(
    what="The quotas, which can be imported again, or the history",
    page=f"Of the history, from 1, which has the latest {_HISTORY:,} lines",
)
async def export(
    interaction: discord.Interaction[Any], what: Literal["quotas", "history"] = "quotas", page: Page = 1
) -> None:
    desk = await opened(interaction)
    more = False
    async with desk.studio.database.reading() as tx:
        if what == "quotas":
            rows = await tables.rows(tx, desk.guild_id)
        else:
            lines = await ledger.history(
                tx,
                guild_id=desk.guild_id,
                user_id=None,
                limit=_HISTORY + 1,
                skip=(page - 1) * _HISTORY,
            )
            more = len(lines) > _HISTORY
    if what == "quotas":
        names = await _names(desk, [row.subject.id for row in rows if row.subject.kind == "user"])
        content, count = sheets.write_quotas(rows, names), len(rows)
    else:
        names = await _names(desk, [line.user_id for line in lines])
        content, count = sheets.write_history(lines[:_HISTORY], names), min(len(lines), _HISTORY)
    file = discord.File(io.BytesIO(content), filename=f"easel-{what}.csv")
    await desk.tell(quota_pages.exported(count, following=page + 1 if more else None), file=file)


@quota.command(name="import", description="Set quotas and bonuses from a CSV file like that of /quota export")
@app_commands.describe(file="Who is not in it stays as they are")
async def import_(interaction: discord.Interaction[Any], file: discord.Attachment) -> None:
    desk = await opened(interaction)
    roles = [role.id for role in interaction.guild.roles] if interaction.guild else []
    rows = sheets.read_quotas(await _content(file), role_ids=roles)
    async with changing(desk) as tx:
        await tables.apply(
            tx,
            guild_id=desk.guild_id,
            rows=rows,
            actor_id=desk.actor_id,
            now=desk.studio.clock(),
            host=host_of(desk.studio.settings),
        )
    await desk.tell(quota_pages.imported(len(rows)))


async def _content(file: discord.Attachment) -> bytes:
    if file.size > sheets.MAX_BYTES:
        raise BadSheet((f"it is larger than {sheets.MAX_BYTES // 1024} KiB",))
    try:
        return await file.read()
    except discord.NotFound as error:
        raise BadSheet(("Discord does not have it any more",)) from error
    except Unreachable as error:
        raise BadSheet(("Discord did not send it",)) from error


async def _names(desk: Desk, user_ids: Iterable[int]) -> sheets.Names:
    """What roles and members are called; Discord is asked for members, because the bot doesn't keep them in memory."""
    guild = desk.interaction.guild
    if guild is None:
        return lambda _: ""
    # Numbers below zero stand for those who had their data deleted, and Discord knows nobody by them.
    wanted = [one for one in dict.fromkeys(user_ids) if one > 0][:_NAMED]
    found: dict[int, str] = {}
    for batch in (wanted[n : n + _ASKED] for n in range(0, len(wanted), _ASKED)):
        try:
            members = await guild.query_members(user_ids=batch, limit=_ASKED)
        except TimeoutError:
            break  # A file without names says as much.
        found |= {member.id: member.display_name for member in members}

    def name(subject: Subject) -> str:
        if subject.kind == "role":
            role = guild.get_role(subject.id)
            return role.name if role else ""
        return found.get(subject.id, "")

    return name


FEATURE = Feature()
