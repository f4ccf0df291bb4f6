"""Permissions of a guild: the open channels, the roles for actions and models, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from storage.database import Transaction
from storage.timestamps import from_sql

EVERYONE = 0
"""In place of a role's id."""

_NONE = -1
"""In place of a channel's or a role's id: an emptied list, which means nowhere, or nobody."""


class Thing(StrEnum):
    """What can be kept for roles."""

    ACTION = "action"
    """A job's action, such as imagine or vary."""
    MODEL = "model"
    """A model, by its key."""


class Limit(StrEnum):
    """What can be limited for everyone and for roles."""

    SIZE = "size"
    """Pixels of a picture's longer side."""
    PICTURES = "pictures"
    """Pictures of one job."""
    WAITING = "waiting"
    """Jobs of one person that wait at once."""
    RUNNING = "running"
    """Jobs of one person that are drawn at once."""
    COOLDOWN = "cooldown"
    """Seconds between two jobs of one person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A guild's rules. `channels` is None if all are open, and `roles` lacks things that are for everyone.

    Empty sets mean nowhere, or nobody. `limits` holds amounts by role, or for EVERYONE.
    """

    channels: frozenset[int] | None = None
    roles: Mapping[tuple[Thing, str], frozenset[int]] = field(default_factory=dict)
    limits: Mapping[Limit, Mapping[int, int]] = field(default_factory=dict)


RULES = """
SELECT 'channel' AS rule, '' AS name, channel_id AS id, 0 AS amount FROM open_channels WHERE guild_id = :guild_id
UNION ALL SELECT kind, name, role_id, 0 FROM role_rights WHERE guild_id = :guild_id
UNION ALL SELECT 'limit', kind, role_id, amount FROM limits WHERE guild_id = :guild_id
"""


async def rules(tx: Transaction, guild_id: int) -> Rules:
    """A guild's rules, none for one that never set any."""
    channels: set[int] = set()
    roles: dict[tuple[Thing, str], frozenset[int]] = {}
    limits: dict[Limit, dict[int, int]] = {}
    for row in await tx.fetch_all(RULES, {"guild_id": guild_id}):
        match row["rule"]:
            case "channel":
                channels.add(row["id"])
            case "limit":
                limits.setdefault(Limit(row["name"]), {})[row["id"]] = row["amount"]
            case kind:
                thing = (Thing(kind), row["name"])
                roles[thing] = roles.get(thing, frozenset()) | {row["id"]}
    return Rules(
        channels=frozenset(channels) - {_NONE} if channels else None,
        roles={thing: ids - {_NONE} for thing, ids in roles.items()},
        limits=limits,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsOf:
    """A person's jobs that wait anywhere and in a guild, and when the latest was accepted there."""

    waiting: int
    waiting_here: int
    latest: datetime | None


JOBS_OF = """
SELECT count(*) AS waiting, count(*) FILTER (WHERE guild_id = :guild_id) AS here, (
    SELECT created_at FROM jobs WHERE guild_id = :guild_id AND user_id = :user_id
        AND interaction_id IS NOT :interaction_id ORDER BY number DESC LIMIT 1
) AS latest
FROM jobs WHERE state = 'queued' AND user_id = :user_id AND interaction_id IS NOT :interaction_id
"""


async def jobs_of(tx: Transaction, *, guild_id: int, user_id: int, interaction_id: int | None) -> JobsOf:
    """The jobs that count against a person's limits. An interaction that comes twice doesn't count against itself."""
    values = {"guild_id": guild_id, "user_id": user_id, "interaction_id": interaction_id or 0}
    row = await tx.fetch_one(JOBS_OF, values)
    assert row is not None
    latest = None if row["latest"] is None else from_sql(row["latest"])
    return JobsOf(waiting=row["waiting"], waiting_here=row["here"], latest=latest)


async def limit_running(tx: Transaction, job_id: str, most: int) -> None:
    """A waiting job is not begun while `most` of its owner's jobs in its guild are being drawn."""
    await tx.execute("UPDATE jobs SET most_running = ? WHERE id = ?", (max(1, most), job_id))


async def open_channel(tx: Transaction, *, guild_id: int, channel_id: int, open: bool) -> None:
    """Put a channel on the list of open ones, or take it off; without the last one, none is open."""
    added, gone = (channel_id, _NONE) if open else (_NONE, channel_id)
    await tx.execute("INSERT OR IGNORE INTO open_channels VALUES (?, ?)", (guild_id, added))
    await tx.execute("DELETE FROM open_channels WHERE guild_id = ? AND channel_id = ?", (guild_id, gone))


async def open_all_channels(tx: Transaction, guild_id: int) -> None:
    """Empty the list: all channels are open."""
    await tx.execute("DELETE FROM open_channels WHERE guild_id = ?", (guild_id,))


async def keep_for(tx: Transaction, *, guild_id: int, thing: tuple[Thing, str], role_id: int, may: bool) -> None:
    """Keep a thing for a role too, or no longer; without the last one, it is for nobody."""
    kind, name = thing
    added, gone = (role_id, _NONE) if may else (_NONE, role_id)
    await tx.execute("INSERT OR IGNORE INTO role_rights VALUES (?, ?, ?, ?)", (guild_id, kind.value, name, added))
    await tx.execute(
        "DELETE FROM role_rights WHERE guild_id = ? AND kind = ? AND name = ? AND role_id = ?",
        (guild_id, kind.value, name, gone),
    )


async def give_to_everyone(tx: Transaction, *, guild_id: int, thing: tuple[Thing, str]) -> None:
    """A thing is for everyone again."""
    kind, name = thing
    await tx.execute(
        "DELETE FROM role_rights WHERE guild_id = ? AND kind = ? AND name = ?", (guild_id, kind.value, name)
    )


async def set_limit(tx: Transaction, *, guild_id: int, limit: Limit, role_id: int, amount: int | None) -> None:
    """Set an amount for a role, or for EVERYONE; None takes it away."""
    if amount is None:
        await tx.execute(
            "DELETE FROM limits WHERE guild_id = ? AND kind = ? AND role_id = ?",
            (guild_id, limit.value, role_id),
        )
    else:
        await tx.execute("INSERT OR REPLACE INTO limits VALUES (?, ?, ?, ?)", (guild_id, limit.value, role_id, amount))
