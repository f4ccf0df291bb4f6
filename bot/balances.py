"""What a member may spend now: gifts collected, roles heeded, the host's default where the server set nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from storage import gifts, quotas
from storage.database import Transaction
from storage.quotas import Balance, Rate


async def rate_of(
    tx: Transaction, *, guild_id: int, user_id: int, role_ids: Sequence[int], default: int
) -> Rate:
    """A member's allowance. `default` is that of those for whom nothing else is set, in credits a day."""
    return await quotas.allowance(
        tx, guild_id=guild_id, user_id=user_id, role_ids=role_ids, default=Rate(default)
    )


async def balance_of(
    tx: Transaction,
    *,
    guild_id: int,
    user_id: int,
    role_ids: Sequence[int],
    joined_at: datetime | None,
    default: int,
    now: datetime,
) -> Balance:
    """A member's balance, once what admins gave to their roles or to everyone is in it.

    `default` is the allowance, in credits a day, of those for whom nothing else is set.
    """
    rate = await rate_of(tx, guild_id=guild_id, user_id=user_id, role_ids=role_ids, default=default)
    await gifts.collect(
        tx,
        guild_id=guild_id,
        user_id=user_id,
        role_ids=role_ids,
        joined_at=joined_at,
        allowance=rate,
        now=now,
    )
    return await quotas.balance(tx, guild_id=guild_id, user_id=user_id, allowance=rate, now=now)
