"""Owns veils: the numbers under which rows are kept against people who were erased, until they come back.

A veil is a hash of the person's id with a key that this database made for itself. What an admin sets for somebody who
was erased is under their pseudonym, too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection

from storage.database import Transaction

_KEY = "veil key"


async def make(tx: Transaction, user_id: int) -> int:
    """The veil of a person, with a new key if there was none."""
    key = await tx.get_value(_KEY)
    if key is None:
        key = secrets.token_hex(32)
        await tx.put_value(_KEY, key)
    return _veil(key, user_id)


async def keep(tx: Transaction, veil: int) -> None:
    """Rows are kept under this veil from now on."""
    await tx.execute("INSERT OR IGNORE INTO veiled VALUES (?)", (veil,))


async def lift(tx: Transaction, user_id: int) -> int | None:
    """The veil under which rows are kept against a person, which is none from now on; None if there is none."""
    key = await tx.get_value(_KEY)
    if key is None:
        return None
    veil = _veil(key, user_id)
    row = await tx.fetch_one("DELETE FROM veiled WHERE user_id = ? RETURNING user_id", (veil,))
    return None if row is None else veil


async def standing(tx: Transaction, user_id: int) -> int:
    """The number under which bans, timeouts and settings of a person stand: the id, or the veil of somebody erased."""
    return (await standings(tx, [user_id]))[user_id]


async def standings(tx: Transaction, user_ids: Collection[int]) -> dict[int, int]:
    """The number of each under which their bans, timeouts and settings stand, as `standing` says."""
    key = await tx.get_value(_KEY)
    if key is None:
        return {user_id: user_id for user_id in user_ids}
    veils = {user_id: _veil(key, user_id) for user_id in user_ids}
    rows = await tx.fetch_all(
        "SELECT user_id FROM veiled WHERE user_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(veils.values())),),
    )
    veiled = {row["user_id"] for row in rows}
    return {user_id: veil if veil in veiled else user_id for user_id, veil in veils.items()}


def _veil(key: str, user_id: int) -> int:
    """A number below zero, which no id of Discord's is."""
    digest = hmac.new(bytes.fromhex(key), str(user_id).encode(), hashlib.sha256).digest()
    return -1 - (int.from_bytes(digest[:8], "big") >> 1)
