"""Boosts: credits that end at a moment. Each grant of one is a lot, and reservations take from lots.

What a lot has left is its grant plus its moves, which are append-only like the ledger's lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.credits.ledger import Entry, LedgerLine, add_line
from storage.database import Transaction
from storage.timestamps import from_sql, to_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What is left of one boost. `number` is that of the ledger's line that gave it."""

    number: int
    left: int
    ends_at: datetime


LOTS = """
SELECT number, ends_at,
    boost + coalesce((SELECT sum(credits) FROM boost_moves WHERE lot = ledger.number), 0) AS left
FROM ledger WHERE guild_id = :guild_id AND user_id = :user_id AND ends_at IS NOT NULL
ORDER BY ends_at, number
"""


async def _lots(tx: Transaction, guild_id: int, user_id: int) -> list[Lot]:
    rows = await tx.fetch_all(LOTS, {"guild_id": guild_id, "user_id": user_id})
    lots = (Lot(number=row["number"], left=row["left"], ends_at=from_sql(row["ends_at"])) for row in rows)
    return [lot for lot in lots if lot.left > 0]


async def lots(tx: Transaction, *, guild_id: int, user_id: int, now: datetime) -> list[Lot]:
    """A member's boosts with something left, the one that ends first before the others."""
    return [lot for lot in await _lots(tx, guild_id, user_id) if lot.ends_at > now]


async def move(tx: Transaction, *, line: int, lot: int, credits: int) -> None:
    """Line number `line` adds so many credits to a lot."""
    await tx.execute("INSERT INTO boost_moves (line, lot, credits) VALUES (?, ?, ?)", (line, lot, credits))


def draw(lots: list[Lot], credits: int) -> list[tuple[int, int]]:
    """Take so many credits from lots, in their order: numbers of lots and credits."""
    return share([(lot.number, lot.left) for lot in lots], credits)


def share(parts: list[tuple[int, int]], credits: int) -> list[tuple[int, int]]:
    """The first parts, as numbers of lots and credits, that add up to so many credits; the last is cut."""
    taken = []
    for number, most in parts:
        part = min(most, credits)
        if part:
            taken.append((number, part))
        credits -= part
    return taken


OF_LINE = """
SELECT lot, -credits AS credits FROM boost_moves JOIN ledger ON number = lot
WHERE line = :line AND ledger.ends_at > :now
ORDER BY ledger.ends_at DESC, lot DESC
"""


async def taken_by(tx: Transaction, line: int, *, now: datetime) -> list[tuple[int, int]]:
    """What a reservation took from running boosts, as numbers of lots and credits; the one that ends last is first."""
    rows = await tx.fetch_all(OF_LINE, {"line": line, "now": to_sql(now)})
    return [(row["lot"], row["credits"]) for row in rows]


async def expire(tx: Transaction, *, guild_id: int, user_id: int, day: int, now: datetime) -> None:
    """Write into the ledger what a member lost with boosts that ended."""
    for lot in await _lots(tx, guild_id, user_id):
        if lot.ends_at <= now:
            line = LedgerLine(guild_id=guild_id, user_id=user_id, kind=Entry.EXPIRE, boost=-lot.left, day=day, at=now)
            await move(tx, line=await add_line(tx, line), lot=lot.number, credits=-lot.left)
