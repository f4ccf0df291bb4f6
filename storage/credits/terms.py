"""A server's terms for credits: its time zone, what it may spend as a whole, and which actions are free."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from storage.credits.calendar import UTC_ZONE, Rate
from storage.database import Transaction
from storage.guilds import changes
from storage.guilds.changes import Change, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A server's terms. `zone` is the name of a time zone; without a `ceiling` only members' quotas limit it."""

    zone: str = UTC_ZONE
    ceiling: Rate | None = None
    free: frozenset[str] = frozenset()


TERMS = "SELECT zone, ceiling, free FROM quota_terms WHERE guild_id = :guild_id"


async def terms(tx: Transaction, guild_id: int) -> Terms:
    """The terms of a server, the usual ones if it never set any."""
    row = await tx.fetch_one(TERMS, {"guild_id": guild_id})
    if row is None:
        return Terms()
    ceiling = None if row["ceiling"] is None else Rate.parse(row["ceiling"])
    return Terms(zone=row["zone"], ceiling=ceiling, free=frozenset(row["free"].split()))


async def put(tx: Transaction, guild_id: int, new: Terms) -> None:
    """Write a server's terms without recording the change."""
    ceiling = None if new.ceiling is None else str(new.ceiling)
    await tx.execute(
        "INSERT OR REPLACE INTO quota_terms (guild_id, zone, ceiling, free) VALUES (?, ?, ?, ?)",
        (guild_id, new.zone, ceiling, " ".join(sorted(new.free))),
    )


async def set_zone(tx: Transaction, *, guild_id: int, zone: str, actor_id: int, now: datetime) -> None:
    """Set the zone in which the server's days, weeks and months begin."""
    before = await terms(tx, guild_id)
    await put(tx, guild_id, replace(before, zone=zone))
    await _note(tx, guild_id, Kind.ZONE, before.zone, zone, actor_id, now)


async def set_ceiling(tx: Transaction, *, guild_id: int, ceiling: Rate | None, actor_id: int, now: datetime) -> None:
    """Set what all members together may spend; None for no limit."""
    before = await terms(tx, guild_id)
    await put(tx, guild_id, replace(before, ceiling=ceiling))
    old = None if before.ceiling is None else str(before.ceiling)
    new = None if ceiling is None else str(ceiling)
    await _note(tx, guild_id, Kind.CEILING, old, new, actor_id, now)


async def set_free(tx: Transaction, *, guild_id: int, action: str, free: bool, actor_id: int, now: datetime) -> None:
    """Say whether an action costs nothing in this server, whatever the model."""
    before = await terms(tx, guild_id)
    chosen = before.free | {action} if free else before.free - {action}
    await put(tx, guild_id, replace(before, free=chosen))
    old, new = (f"{action} {'free' if action in those else 'costs'}" for those in (before.free, chosen))
    await _note(tx, guild_id, Kind.FREE, old, new, actor_id, now)


async def _note(
    tx: Transaction,
    guild_id: int,
    kind: Kind,
    old: str | None,
    new: str | None,
    actor_id: int,
    now: datetime,
) -> None:
    change = Change(guild_id=guild_id, kind=kind, old=old, new=new, actor_id=actor_id, at=now)
    await changes.record(tx, change)
