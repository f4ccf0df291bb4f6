"""Owns the record of what admins changed, apart from credits, whose changes `allowances.py` keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.clock import from_sql, to_sql
from storage.database import Transaction

EVERYWHERE = 0
"""In place of a guild's id: the whole bot, which only its host may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who changed what in a guild, and when; `old` and `new` are as people read them, None for "not set".

    `guild_id` may be EVERYWHERE.
    """

    guild_id: int
    actor_id: int
    what: str
    old: str | None
    new: str | None
    at: datetime


async def record(tx: Transaction, change: Change) -> None:
    """Keep a change."""
    await tx.execute(
        "INSERT INTO changes (guild_id, actor_id, what, old, new, at) VALUES (?, ?, ?, ?, ?, ?)",
        (change.guild_id, change.actor_id, change.what, change.old, change.new, to_sql(change.at)),
    )


async def latest(tx: Transaction, guild_id: int, *, everywhere: bool, limit: int) -> list[Change]:
    """The latest changes of a guild, and if wanted those of the whole bot among them, newest first."""
    rows = await tx.fetch_all(
        "SELECT * FROM changes WHERE guild_id IN (?, ?) ORDER BY number DESC LIMIT ?",
        (guild_id, EVERYWHERE if everywhere else guild_id, limit),
    )
    return [
        Change(
            guild_id=row["guild_id"],
            actor_id=row["actor_id"],
            what=row["what"],
            old=row["old"],
            new=row["new"],
            at=from_sql(row["at"]),
        )
        for row in rows
    ]
