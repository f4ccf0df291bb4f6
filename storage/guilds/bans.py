"""Bans: who may not use the bot, in a guild or anywhere. `bot/jobs/policy.py` refuses who is banned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage import pseudonyms
from storage.database import Row, Transaction
from storage.guilds.changes import EVERYWHERE
from storage.timestamps import from_sql, to_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """A person who may not use the bot; `guild_id` may be EVERYWHERE. `reason` is as typed, or empty."""

    guild_id: int
    user_id: int
    actor_id: int
    reason: str
    at: datetime


async def ban(tx: Transaction, new: Ban) -> Ban | None:
    """Ban a person, and return the earlier ban there that this one replaces."""
    user_id = await pseudonyms.standing(tx, new.user_id)
    before = await tx.fetch_one("SELECT * FROM bans WHERE guild_id = ? AND user_id = ?", (new.guild_id, user_id))
    await tx.execute(
        "INSERT OR REPLACE INTO bans (guild_id, user_id, actor_id, reason, at) VALUES (?, ?, ?, ?, ?)",
        (new.guild_id, user_id, new.actor_id, new.reason, to_sql(new.at)),
    )
    return None if before is None else _ban(before)


async def unban(tx: Transaction, *, guild_id: int, user_id: int) -> bool:
    """Lift a person's ban; whether they had one there."""
    standing = await pseudonyms.standing(tx, user_id)
    row = await tx.fetch_one(
        "DELETE FROM bans WHERE guild_id = ? AND user_id = ? RETURNING user_id", (guild_id, standing)
    )
    return row is not None


async def of_person(tx: Transaction, *, guild_id: int, user_id: int) -> Ban | None:
    """The ban that keeps a person out of a guild, the whole bot's first. For an erased person, pass the pseudonym."""
    row = await tx.fetch_one(
        "SELECT * FROM bans WHERE guild_id IN (?, ?) AND user_id = ? ORDER BY guild_id LIMIT 1",
        (guild_id, EVERYWHERE, user_id),
    )
    return None if row is None else _ban(row)


async def anywhere(tx: Transaction, user_id: int) -> Ban | None:
    """A ban that keeps a person out of any guild, the whole bot's first."""
    row = await tx.fetch_one("SELECT * FROM bans WHERE user_id = ? ORDER BY guild_id LIMIT 1", (user_id,))
    return None if row is None else _ban(row)


async def bans(tx: Transaction, guild_id: int) -> list[Ban]:
    """A guild's own bans, newest first."""
    rows = await tx.fetch_all("SELECT * FROM bans WHERE guild_id = ? ORDER BY at DESC, user_id LIMIT 1000", (guild_id,))
    return [_ban(row) for row in rows]


def _ban(row: Row) -> Ban:
    return Ban(
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        actor_id=row["actor_id"],
        reason=row["reason"],
        at=from_sql(row["at"]),
    )
