"""Owns what is known of a person: when they were first and last seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.database import Transaction
from storage.timestamps import from_sql, to_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who has used the bot."""

    user_id: int
    first_seen: datetime
    last_seen: datetime


async def remember(tx: Transaction, user_id: int, now: datetime) -> None:
    """A person uses the bot now."""
    await tx.execute(
        "INSERT INTO users (user_id, first_seen, last_seen) VALUES (:user_id, :now, :now)"
        " ON CONFLICT (user_id) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen)",
        {"user_id": user_id, "now": to_sql(now)},
    )


async def get(tx: Transaction, user_id: int) -> User | None:
    """What is known of a person; None for a stranger."""
    row = await tx.fetch_one("SELECT * FROM users WHERE user_id = ?", (user_id,))
    if row is None:
        return None
    return User(user_id=user_id, first_seen=from_sql(row["first_seen"]), last_seen=from_sql(row["last_seen"]))
