"""Owns the bot's notes to itself that outlive a restart, such as the hash of the commands it has synced."""

from __future__ import annotations

from storage.database import Transaction


async def get(tx: Transaction, key: str) -> str | None:
    """What was put under a key."""
    row = await tx.fetch_one("SELECT value FROM state WHERE key = ?", (key,))
    return None if row is None else str(row["value"])


async def put(tx: Transaction, key: str, value: str) -> None:
    """Keep a text under a key, in place of what was there."""
    await tx.execute("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", (key, value))
