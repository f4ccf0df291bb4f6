"""`/quota export|import`: a server's quotas, or its ledger, as a CSV file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import discord
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.errors import BadSheet
from bot.features.admin import _csv as csv
from bot.features.admin._group import Desk, Page, opened, quota
from bot.interactions.feature import Feature
from bot.texts import quota as texts
from storage import pseudonyms
from storage.credits import csv_rows, grants, ledger
from storage.credits.balance import balance_of
from storage.database import Transaction
from storage.guilds.changes import Subject

_HISTORY = 50_000
"""Lines of the ledger in a file: about 7 MB, which every server takes."""

_NAMED = 1_000
"""People of a history whose names are asked for: the gateway takes 120 requests a minute."""

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
    content, words = await (_quotas(desk) if what == "quotas" else _history(desk, page))
    await desk.tell(words, file=discord.File(io.BytesIO(content), filename=f"easel-{what}.csv"))


async def _quotas(desk: Desk) -> tuple[bytes, str]:
    """The file of quotas, with bonuses as if everybody had taken their gifts, and the answer beside it."""
    async with desk.services.database.reading() as tx:
        people = await csv_rows.people(tx, desk.guild_id, limit=csv.MAX_LINES)
        waiting = await grants.bonuses(tx, desk.guild_id)
    members = await _members(desk, people)
    async with desk.services.database.supposing() as tx:
        await _book(tx, desk, members or {})
        rows = await csv_rows.rows(tx, desk.guild_id)
    content = csv.write_quotas(rows, _names(desk, members or {}))
    return content, texts.exported(len(rows), following=None, waiting=waiting, asked=members is not None)


async def _history(desk: Desk, page: int) -> tuple[bytes, str]:
    """The file of what moved credits, and the answer beside it."""
    async with desk.services.database.reading() as tx:
        lines = await ledger.history(
            tx,
            guild_id=desk.guild_id,
            user_id=None,
            limit=_HISTORY + 1,
            skip=(page - 1) * _HISTORY,
        )
    more, lines = len(lines) > _HISTORY, lines[:_HISTORY]
    members = await _members(desk, list(dict.fromkeys(line.user_id for line in lines))[:_NAMED])
    content = csv.write_history(lines, _names(desk, members or {}))
    return content, texts.exported(len(lines), following=page + 1 if more else None)


@quota.command(name="import", description="Set quotas and bonuses from a CSV file like that of /quota export")
@app_commands.describe(file="Who is not in it stays as they are")
async def import_(interaction: discord.Interaction[Any], file: discord.Attachment) -> None:
    desk = await opened(interaction)
    roles = [role.id for role in interaction.guild.roles] if interaction.guild else []
    rows = csv.read_quotas(await _content(file), role_ids=roles)
    people = [row.subject.id for row in rows if row.subject.kind == "user"]
    members = await _members(desk, people)
    if members is None:
        raise BadSheet(("Discord did not say who is a member of this server",))
    async with desk.changing() as record:
        await _book(record.tx, desk, members)
        await csv_rows.apply(
            record.tx,
            guild_id=desk.guild_id,
            rows=rows,
            actor_id=desk.actor_id,
            now=desk.services.clock(),
            host=desk.services.settings.host_credits,
        )
    strangers = [one for one in people if one not in members]
    await desk.tell(texts.imported(len(rows), strangers))


async def _book(tx: Transaction, desk: Desk, members: Mapping[int, discord.Member]) -> None:
    """Give members the gifts that they have not taken yet, or a bonus from a file would come on top of them."""
    people = await grants.without_bonus(tx, desk.guild_id, members)
    # An erased person takes theirs on return.
    kept = await pseudonyms.standings(tx, people)
    for user_id in (one for one in people if kept[one] == one):
        await balance_of(
            tx,
            guild_id=desk.guild_id,
            user_id=user_id,
            role_ids=[role.id for role in members[user_id].roles],
            joined_at=members[user_id].joined_at,
            host=desk.services.settings.host_credits,
            now=desk.services.clock(),
        )


async def _content(file: discord.Attachment) -> bytes:
    if file.size > csv.MAX_BYTES:
        raise BadSheet((f"it is larger than {csv.MAX_BYTES // 1024} KiB",))
    try:
        return await file.read()
    except discord.NotFound as error:
        raise BadSheet(("Discord does not have it any more",)) from error
    except Unreachable as error:
        raise BadSheet(("Discord did not send it",)) from error


async def _members(desk: Desk, user_ids: Sequence[int]) -> dict[int, discord.Member] | None:
    """The members among these people, by their ids; None if Discord does not say. The bot keeps no members in memory."""
    guild = desk.interaction.guild
    # Numbers below zero are pseudonyms, which Discord doesn't know.
    wanted = [one for one in user_ids if one > 0]
    if guild is None:
        return None
    found: dict[int, discord.Member] = {}
    for batch in (wanted[n : n + _ASKED] for n in range(0, len(wanted), _ASKED)):
        try:
            members = await guild.query_members(user_ids=batch, limit=_ASKED)
        except TimeoutError:
            return None
        found |= {member.id: member for member in members}
    return found


def _names(desk: Desk, members: Mapping[int, discord.Member]) -> csv.Names:
    """What roles and members are called."""
    guild = desk.interaction.guild

    def name(subject: Subject) -> str:
        if subject.kind == "role":
            role = guild.get_role(subject.id) if guild else None
            return role.name if role else ""
        return members[subject.id].display_name if subject.id in members else ""

    return name


FEATURE = Feature()
