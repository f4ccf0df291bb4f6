"""Owns how often a member of a guild was refused lately, and who is timed out for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from storage.database import Transaction
from storage.timestamps import from_sql, to_sql


async def count(
    tx: Transaction,
    *,
    guild_id: int,
    user_id: int,
    interaction_id: int | None,
    since: datetime,
    now: datetime,
) -> int:
    """A member is refused now: how often that was since `since`. An interaction counts once; older ones are forgotten.

    So are those of the future: the clock was put back since, and nobody knows how old they are.
    """
    member = (guild_id, user_id)
    await tx.execute(
        "DELETE FROM refusals WHERE guild_id = ? AND user_id = ? AND NOT (at > ? AND at <= ?)",
        (*member, to_sql(since), to_sql(now)),
    )
    await tx.execute(
        "INSERT OR IGNORE INTO refusals (guild_id, user_id, interaction_id, at) VALUES (?, ?, ?, ?)",
        (*member, interaction_id, to_sql(now)),
    )
    row = await tx.fetch_one("SELECT count(*) FROM refusals WHERE guild_id = ? AND user_id = ?", member)
    return 0 if row is None else int(row[0])


async def time_out(tx: Transaction, *, guild_id: int, user_id: int, until: datetime) -> None:
    """Let a member ask for nothing until a moment. Their refusals are counted anew after it."""
    await pardon(tx, guild_id=guild_id, user_id=user_id)
    await tx.execute(
        "INSERT INTO timeouts (guild_id, user_id, until) VALUES (?, ?, ?)", (guild_id, user_id, to_sql(until))
    )


async def timed_out_until(
    tx: Transaction, *, guild_id: int | None, user_id: int, now: datetime, longest: timedelta
) -> datetime | None:
    """When a member's timeout ends; None if there is none. Without a guild, the last in any.

    One that would last for more than `longest` is none: it began under a clock that was put back since.
    """
    row = await tx.fetch_one(
        "SELECT until FROM timeouts WHERE (?1 IS NULL OR guild_id = ?1) AND user_id = ?2 AND until > ?3 AND until <= ?4"
        " ORDER BY until DESC LIMIT 1",
        (guild_id, user_id, to_sql(now), to_sql(now + longest)),
    )
    return None if row is None else from_sql(row["until"])


async def pardon(tx: Transaction, *, guild_id: int, user_id: int) -> None:
    """Forget a member's refusals and timeout."""
    for table in ("refusals", "timeouts"):
        await tx.execute(f"DELETE FROM {table} WHERE guild_id = ? AND user_id = ?", (guild_id, user_id))
