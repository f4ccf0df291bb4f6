"""A member's balance now, with the gifts to their roles, the host's default and the host's limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from storage.credits import account, allowances, grants, terms
from storage.credits.account import Balance
from storage.credits.calendar import Rate
from storage.credits.host import Host
from storage.database import Transaction


async def free_actions(tx: Transaction, guild_id: int, host: Host) -> frozenset[str]:
    """The actions that cost nothing in a server."""
    return host.free((await terms.terms(tx, guild_id)).free)


async def rate_of(tx: Transaction, *, guild_id: int, user_id: int, role_ids: Sequence[int], host: Host) -> Rate:
    """A member's allowance."""
    rate = await allowances.allowance(tx, guild_id=guild_id, user_id=user_id, role_ids=role_ids, default=host.usual)
    return host.capped(rate)


async def balance_of(
    tx: Transaction,
    *,
    guild_id: int,
    user_id: int,
    role_ids: Sequence[int],
    joined_at: datetime | None,
    host: Host,
    now: datetime,
) -> Balance:
    """A member's balance, after collecting what admins gave to their roles or to everyone."""
    rate = await rate_of(tx, guild_id=guild_id, user_id=user_id, role_ids=role_ids, host=host)
    await grants.collect(
        tx,
        guild_id=guild_id,
        user_id=user_id,
        role_ids=role_ids,
        joined_at=joined_at,
        allowance=rate,
        now=now,
        host=host,
    )
    return await account.balance(tx, guild_id=guild_id, user_id=user_id, allowance=rate, now=now)
