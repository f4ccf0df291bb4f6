"""Owns the lines of the ledger: what they stand for, writing one, reading a member's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.clock import day_of, from_sql, start_of, to_sql
from storage.database import Transaction


class Entry(StrEnum):
    """What a line of the ledger stands for."""

    RESERVE = "reserve"
    """A job was accepted; its price is set aside."""
    SETTLE = "settle"
    """The job gave pictures; what was set aside is spent. Moves nothing."""
    REFUND = "refund"
    """The job gave none; what was set aside goes back to the same pools and day."""
    GRANT = "grant"
    """An admin gave bonus credits or took some away."""
    RESET = "reset"
    """An admin made a member's day begin anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """A line of the ledger; `day` is the start of the UTC day whose allowance `daily` moves."""

    guild_id: int
    user_id: int
    job_id: str | None
    kind: Entry
    daily: int
    bonus: int
    day: datetime
    actor_id: int | None
    reason: str
    at: datetime


_LINE = """
INSERT INTO ledger (guild_id, user_id, job_id, kind, daily, bonus, day, actor_id, reason, at)
VALUES (:guild_id, :user_id, :job_id, :kind, :daily, :bonus, :day, :actor_id, :reason, :at)
"""


async def add_line(tx: Transaction, line: LedgerLine) -> None:
    """Write a line. Raises sqlite3.IntegrityError for a second reservation or outcome of a job."""
    await tx.execute(
        _LINE,
        {
            "guild_id": line.guild_id,
            "user_id": line.user_id,
            "job_id": line.job_id,
            "kind": line.kind.value,
            "daily": line.daily,
            "bonus": line.bonus,
            "day": day_of(line.day),
            "actor_id": line.actor_id,
            "reason": line.reason,
            "at": to_sql(line.at),
        },
    )


async def history(tx: Transaction, *, guild_id: int, user_id: int, limit: int) -> list[LedgerLine]:
    """A member's lines of the ledger, newest first."""
    rows = await tx.fetch_all(
        "SELECT * FROM ledger WHERE guild_id = ? AND user_id = ? ORDER BY number DESC LIMIT ?",
        (guild_id, user_id, limit),
    )
    return [
        LedgerLine(
            guild_id=guild_id,
            user_id=user_id,
            job_id=row["job_id"],
            kind=Entry(row["kind"]),
            daily=row["daily"],
            bonus=row["bonus"],
            day=start_of(row["day"]),
            actor_id=row["actor_id"],
            reason=row["reason"],
            at=from_sql(row["at"]),
        )
        for row in rows
    ]
