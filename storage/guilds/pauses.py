"""Pauses of a guild, or of the whole bot. They outlive restarts and end only when somebody ends them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.database import Transaction
from storage.guilds.changes import EVERYWHERE
from storage.timestamps import from_sql, to_sql


class Halt(StrEnum):
    """How drawing stopped."""

    PAUSED = "paused"
    """New jobs are accepted and wait; none begins to be drawn."""
    DRAINING = "draining"
    """No new job is accepted; those that wait are drawn to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A stop in force; `guild_id` may be EVERYWHERE. `reason` is as its admin typed it, or empty."""

    guild_id: int
    halt: Halt
    actor_id: int
    reason: str
    at: datetime


async def halt(tx: Transaction, pause: Pause) -> None:
    """Stop a guild, or the whole bot, instead of any stop before."""
    await tx.execute(
        "INSERT OR REPLACE INTO pauses (guild_id, halt, actor_id, reason, at) VALUES (?, ?, ?, ?, ?)",
        (pause.guild_id, pause.halt.value, pause.actor_id, pause.reason, to_sql(pause.at)),
    )


async def resume(tx: Transaction, guild_id: int) -> bool:
    """End a guild's stop, or the whole bot's; whether there was one."""
    row = await tx.fetch_one("DELETE FROM pauses WHERE guild_id = ? RETURNING halt", (guild_id,))
    return row is not None


async def pauses(tx: Transaction, guild_id: int) -> list[Pause]:
    """The stops that hold for a guild, the whole bot's first."""
    rows = await tx.fetch_all("SELECT * FROM pauses WHERE guild_id IN (?, ?) ORDER BY guild_id", (guild_id, EVERYWHERE))
    return [
        Pause(
            guild_id=row["guild_id"],
            halt=Halt(row["halt"]),
            actor_id=row["actor_id"],
            reason=row["reason"],
            at=from_sql(row["at"]),
        )
        for row in rows
    ]
