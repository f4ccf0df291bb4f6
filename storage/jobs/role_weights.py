"""Owns the weights of roles: whose jobs get a larger share of the GPU when people wait for each other."""

from __future__ import annotations

import json
from collections.abc import Sequence

from storage.database import Transaction

USUAL = 1.0
"""The weight of those whose roles have none."""

LEAST, MOST = 0.1, 10.0


async def set_weight(tx: Transaction, *, guild_id: int, role_id: int, weight: float | None) -> None:
    """Give a role a weight; None takes it away. Raises ValueError outside 0.1..10."""
    if weight is None:
        await tx.execute("DELETE FROM role_weights WHERE guild_id = ? AND role_id = ?", (guild_id, role_id))
        return
    if not LEAST <= weight <= MOST:
        raise ValueError(f"a weight is a number from {LEAST:g} to {MOST:g}, not {weight:g}")
    await tx.execute("INSERT OR REPLACE INTO role_weights VALUES (?, ?, ?)", (guild_id, role_id, float(weight)))


async def weights(tx: Transaction, guild_id: int) -> dict[int, float]:
    """A guild's weights by role, the heaviest first."""
    rows = await tx.fetch_all(
        "SELECT * FROM role_weights WHERE guild_id = ? ORDER BY weight DESC, role_id", (guild_id,)
    )
    return {int(row["role_id"]): float(row["weight"]) for row in rows}


OF_MEMBER = """
SELECT max(weight) FILTER (WHERE role_id IN (SELECT value FROM json_each(:role_ids))) AS own, max(weight) AS highest
FROM role_weights WHERE guild_id = :guild_id
"""


async def weight_of(tx: Transaction, *, guild_id: int, role_ids: Sequence[int]) -> float:
    """A member's weight in the queue of all guilds, at most 1.

    It is the highest of their roles' weights, 1 where none of them has one, as a part of the guild's highest. So
    members keep their proportions, and no guild's weights take anything from other guilds.
    """
    row = await tx.fetch_one(OF_MEMBER, {"guild_id": guild_id, "role_ids": json.dumps(list(role_ids))})
    if row is None or row["highest"] is None:
        return USUAL
    own = USUAL if row["own"] is None else float(row["own"])
    return own / max(USUAL, float(row["highest"]))
