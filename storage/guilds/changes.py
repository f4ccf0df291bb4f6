"""Owns the record of what admins changed, apart from credits, whose changes `allowances.py` keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from storage.database import Row, Transaction
from storage.timestamps import from_sql, to_sql

EVERYWHERE = 0
"""In place of a guild's id: the whole bot, which only its host may change."""

Cell = str | int | float | None
"""What stands in a column."""


class Obstacle(StrEnum):
    """Why a change can't be taken back."""

    SAID = "said"
    """It was said in channels, and people have read it."""
    CANCELLED = "cancelled"
    """Jobs were cancelled, and their credits given back."""
    JUDGED = "judged"
    """Moderators decided on a picture."""
    UNKNOWN = "unknown"
    """No setting is on record with it: it changed none, or it is older than the means to take changes back."""
    ERASED = "erased"
    """Somebody whom it names had their data deleted, and the settings on record with it."""
    CHANGED = "changed"
    """What it set is otherwise by now, and no later change that stands says why."""
    GONE = "gone"
    """What would be put back names a role, a channel or a model that is no longer there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A row of settings that a change touched: its table, its key, and the other cells that differ.

    `before` or `after` is None where there was no row. Ids of people are as Discord writes them: "<@5>".
    """

    table: str
    key: Mapping[str, Cell]
    before: Mapping[str, Cell] | None
    after: Mapping[str, Cell] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who changed what in a guild, and when; `old` and `new` are as people read them, None for "not set".

    `guild_id` may be EVERYWHERE. `touched` is what can be put back, and `final` why nothing can be. `undoes` is the
    number of the change that this one takes back. `number` is given by the record.
    """

    guild_id: int
    actor_id: int
    what: str
    old: str | None
    new: str | None
    at: datetime
    touched: Sequence[Touched] = ()
    final: Obstacle | None = None
    undoes: int | None = None
    number: int = 0


async def record(tx: Transaction, change: Change) -> None:
    """Keep a change. Raises sqlite3.IntegrityError where it undoes what was taken back already."""
    await tx.execute(
        "INSERT INTO changes (guild_id, actor_id, what, old, new, at, touched, final, undoes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            change.guild_id,
            change.actor_id,
            change.what,
            change.old,
            change.new,
            to_sql(change.at),
            json.dumps([asdict(one) for one in change.touched], ensure_ascii=False)
            if change.touched
            else None,
            change.final,
            change.undoes,
        ),
    )


async def latest(tx: Transaction, guild_id: int, *, everywhere: bool, limit: int) -> list[Change]:
    """The latest changes of a guild, and if wanted those of the whole bot among them, newest first."""
    rows = await tx.fetch_all(
        "SELECT * FROM changes WHERE guild_id IN (?, ?) ORDER BY number DESC LIMIT ?",
        (guild_id, EVERYWHERE if everywhere else guild_id, limit),
    )
    return [_change(row) for row in rows]


STANDING = """
SELECT * FROM changes AS made
WHERE guild_id = :guild_id AND undoes IS NULL AND final IS NULL
    AND NOT EXISTS (SELECT 1 FROM changes WHERE undoes = made.number)
ORDER BY number DESC LIMIT :limit
"""


async def standing(tx: Transaction, guild_id: int, *, limit: int) -> list[Change]:
    """The latest changes of a guild, or of EVERYWHERE, that were not taken back, newest first.

    What was done for good is not among them.
    """
    rows = await tx.fetch_all(STANDING, {"guild_id": guild_id, "limit": limit})
    return [_change(row) for row in rows]


async def done_for_good(tx: Transaction, guild_id: int, *, after: int, limit: int) -> list[Change]:
    """The latest of what was done for good after the change with that number, newest first."""
    rows = await tx.fetch_all(
        "SELECT * FROM changes WHERE guild_id = ? AND number > ? AND final IS NOT NULL ORDER BY number DESC LIMIT ?",
        (guild_id, after, limit),
    )
    return [_change(row) for row in rows]


_ERASED = "…"
"""What an erasure leaves of `touched`, as `personal.py` says."""


def _change(row: Row) -> Change:
    erased = row["touched"] == _ERASED
    rows = [] if erased or row["touched"] is None else json.loads(row["touched"])
    final = Obstacle.ERASED if erased else row["final"] and Obstacle(row["final"])
    return Change(
        guild_id=row["guild_id"],
        actor_id=row["actor_id"],
        what=row["what"],
        old=row["old"],
        new=row["new"],
        at=from_sql(row["at"]),
        touched=tuple(Touched(**one) for one in rows),
        final=final,
        undoes=row["undoes"],
        number=row["number"],
    )
