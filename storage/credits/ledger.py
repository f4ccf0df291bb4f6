"""The ledger: what its lines stand for, writing them, and reading them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.database import Row, Transaction
from storage.timestamps import day_of, from_sql, to_sql


class Entry(StrEnum):
    """What a line of the ledger means."""

    RESERVE = "reserve"
    """A job was accepted; its price is set aside."""
    SETTLE = "settle"
    """The job gave pictures; what was set aside is spent. Moves nothing."""
    REFUND = "refund"
    """The job gave none, or some were withheld; what was set aside for them goes back to where it came from."""
    GRANT = "grant"
    """An admin gave bonus credits or a boost, or took bonus credits away."""
    RESET = "reset"
    """An admin made a member's period begin anew: what was used from `day` on is forgiven."""
    EXPIRE = "expire"
    """A boost ended; what was left of it is gone."""
    CORRECT = "correct"
    """An admin undid a change, whose line `corrects` names, or set a bonus by importing a file."""
    CARRY = "carry"
    """The bonus that older lines left, which are no longer kept (`compaction.py`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """A line of the ledger: what it adds to a member's credits, who did it, why and when."""

    guild_id: int
    user_id: int
    kind: Entry
    #: The day of the server's calendar that it counts for.
    day: int
    at: datetime
    job_id: str | None = None
    #: What it adds to each of the member's pools.
    allowance: int = 0
    boost: int = 0
    bonus: int = 0
    #: What it adds to the use of the server and of the whole bot.
    spent: int = 0
    #: When a granted boost ends.
    ends_at: datetime | None = None
    #: The admin, and the number of the change that it comes from.
    actor_id: int | None = None
    reason: str = ""
    change: int | None = None
    #: The number of the line that it takes back.
    corrects: int | None = None
    #: Given by the ledger unless set; `host_day` is the UTC day.
    number: int = 0
    host_day: int | None = None
    #: When the admin made the change; `at` may be when the member took it. Filled in by `history` alone.
    given_at: datetime | None = None
    #: The price of the job whose outcome this is. Filled in by `history` alone.
    cost: int | None = None


_LINE = """
INSERT INTO ledger (guild_id, user_id, job_id, kind, allowance, boost, bonus, spent, day, host_day, ends_at,
    actor_id, reason, change, corrects, at)
VALUES (:guild_id, :user_id, :job_id, :kind, :allowance, :boost, :bonus, :spent, :day, :host_day, :ends_at,
    :actor_id, :reason, :change, :corrects, :at)
"""


async def add_line(tx: Transaction, line: LedgerLine) -> int:
    """Write a line; its number. Raises sqlite3.IntegrityError for a second reservation or outcome of a job."""
    row = await tx.fetch_one(f"{_LINE} RETURNING number", _values(line))
    assert row is not None
    return int(row["number"])


async def add_lines(tx: Transaction, lines: Sequence[LedgerLine]) -> None:
    """Write many lines at once. Raises as `add_line` does."""
    await tx.execute_many(_LINE, [_values(line) for line in lines])


def _values(line: LedgerLine) -> dict[str, Any]:
    return {
        "guild_id": line.guild_id,
        "user_id": line.user_id,
        "job_id": line.job_id,
        "kind": line.kind.value,
        "allowance": line.allowance,
        "boost": line.boost,
        "bonus": line.bonus,
        "spent": line.spent,
        "day": line.day,
        "host_day": day_of(line.at) if line.host_day is None else line.host_day,
        "ends_at": None if line.ends_at is None else to_sql(line.ends_at),
        "actor_id": line.actor_id,
        "reason": line.reason,
        "change": line.change,
        "corrects": line.corrects,
        "at": to_sql(line.at),
    }


HISTORY = """
SELECT line.*, made.at AS given_at, reserved.spent + line.spent AS cost
FROM ledger AS line
LEFT JOIN changes AS made ON made.number = line.change
LEFT JOIN ledger AS reserved
    ON reserved.job_id = line.job_id AND reserved.kind = 'reserve' AND line.kind IN ('settle', 'refund')
WHERE line.guild_id = :guild_id
ORDER BY line.number DESC LIMIT :limit OFFSET :skip
"""
HISTORY_OF_MEMBER = HISTORY.replace(":guild_id\n", ":guild_id AND line.user_id = :user_id\n")


async def history(
    tx: Transaction, *, guild_id: int, user_id: int | None, limit: int, skip: int = 0
) -> list[LedgerLine]:
    """A member's lines of the ledger, newest first, or all of the guild's for no member."""
    whose = HISTORY if user_id is None else HISTORY_OF_MEMBER
    values = {"guild_id": guild_id, "user_id": user_id, "limit": limit, "skip": skip}
    return [
        replace(
            line_of(row),
            given_at=None if row["given_at"] is None else from_sql(row["given_at"]),
            cost=row["cost"],
        )
        for row in await tx.fetch_all(whose, values)
    ]


async def count(tx: Transaction, *, guild_id: int, user_id: int) -> int:
    """How many lines of the ledger a member has."""
    row = await tx.fetch_one("SELECT count(*) FROM ledger WHERE guild_id = ? AND user_id = ?", (guild_id, user_id))
    return 0 if row is None else int(row[0])


async def of_change(tx: Transaction, change: int) -> list[LedgerLine]:
    """The lines that come from an admin's change, newest first."""
    rows = await tx.fetch_all("SELECT * FROM ledger WHERE change = ? ORDER BY number DESC", (change,))
    return [line_of(row) for row in rows]


LOCKS = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN ('ledger', 'boost_moves')"


@asynccontextmanager
async def unlocked(tx: Transaction) -> AsyncIterator[None]:
    """Allow changes of the ledger meanwhile, to forget people without touching any balance."""
    triggers = await tx.fetch_all(LOCKS)
    for trigger in triggers:
        await tx.execute(f"DROP TRIGGER {trigger['name']}")
    yield
    for trigger in triggers:
        await tx.execute(trigger["sql"])


def line_of(row: Row) -> LedgerLine:
    """The line that a row of the ledger holds."""
    return LedgerLine(
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        kind=Entry(row["kind"]),
        day=row["day"],
        at=from_sql(row["at"]),
        job_id=row["job_id"],
        allowance=row["allowance"],
        boost=row["boost"],
        bonus=row["bonus"],
        spent=row["spent"],
        ends_at=None if row["ends_at"] is None else from_sql(row["ends_at"]),
        actor_id=row["actor_id"],
        reason=row["reason"],
        change=row["change"],
        corrects=row["corrects"],
        number=row["number"],
        host_day=row["host_day"],
    )
