"""Ceilings: what a whole server and the whole bot may spend, however much its members have left."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from storage.credits.calendar import span_of
from storage.credits.terms import Terms
from storage.database import Transaction
from storage.timestamps import day_of, start_of


class CeilingReached(Exception):
    """A server, or the whole bot, has less left than the price; nothing was reserved. More comes at `resets_at`."""

    def __init__(self, *, whose: Literal["server", "bot"], left: int, price: int, resets_at: datetime) -> None:
        super().__init__(f"{left} credits are left for the whole {whose}, and this costs {price}")
        self.whose: Literal["server", "bot"] = whose
        self.left = left
        self.price = price
        self.resets_at = resets_at


OF_SERVER = """
SELECT coalesce(sum(spent), 0) AS spent FROM ledger
WHERE guild_id = :guild_id AND day BETWEEN :first AND :last AND spent <> 0
"""
OF_BOT = "SELECT coalesce(sum(spent), 0) AS spent FROM ledger WHERE host_day = :day AND spent <> 0"


async def check(
    tx: Transaction, *, guild_id: int, price: int, terms: Terms, bot_ceiling: int | None, now: datetime
) -> None:
    """Raises CeilingReached if the price exceeds the rest of the server's ceiling, or of the bot's for a UTC day."""
    if price == 0:
        return
    if terms.ceiling is not None:
        span = span_of(terms.ceiling.period, now, terms.zone)
        values = {"guild_id": guild_id, "first": span.first, "last": span.last}
        left = terms.ceiling.credits - await _spent(tx, OF_SERVER, values)
        if price > left:
            raise CeilingReached(whose="server", left=max(0, left), price=price, resets_at=span.ends_at)
    if bot_ceiling is not None:
        today = day_of(now)
        left = bot_ceiling - await _spent(tx, OF_BOT, {"day": today})
        if price > left:
            raise CeilingReached(whose="bot", left=max(0, left), price=price, resets_at=start_of(today + 1))


async def _spent(tx: Transaction, sql: str, values: dict[str, int]) -> int:
    row = await tx.fetch_one(sql, values)
    assert row is not None
    return int(row["spent"])
