"""The log of changes: which admin changed what, from what to what, why and when, and what an undo needs to know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from storage.database import Row, Transaction
from storage.timestamps import from_sql, to_sql

EVERYWHERE = 0
"""In place of a guild's id: the whole bot, which only its host may change."""

Cell = str | int | float | None
"""What a column holds."""


class Kind(StrEnum):
    """What was changed; `old` and `new` are None for what is not set."""

    SETTING = "setting"
    """The setting or deed that `what` names; `old` and `new` are as people read them."""
    ALLOWANCE = "set"
    """A subject's allowance; `old` and `new` are rates like 40/day."""
    GRANT = "grant"
    """Bonus credits given or taken, or a boost given; `old` and `new` are what the member had and has of these.
    For a role or everyone, `new` is what each member gets."""
    RESET = "reset"
    """A period begun anew; `old` and `new` are the credits used in it."""
    ZONE = "zone"
    """The server's time zone; `old` and `new` are its names."""
    CEILING = "ceiling"
    """What the whole server may spend; `old` and `new` are rates."""
    FREE = "free"
    """An action that costs nothing; `old` and `new` are "ACTION costs" or "ACTION free"."""
    IMPORT = "import"
    """A file of quotas; `new` is the number of its lines. Its allowances are changes that are part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a setting is about. `id` is the role's or the user's; for everyone it is left at 0."""

    kind: Literal["everyone", "role", "user"]
    id: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("everyone", "role", "user"):
            raise ValueError(f"{self.kind!r} is not everyone, a role or a user")
        if self.kind == "everyone":
            object.__setattr__(self, "id", 0)


EVERYONE = Subject(kind="everyone")


class Obstacle(StrEnum):
    """Why a change can't be taken back."""

    SAID = "said"
    """An announcement of an earlier version: people have read it."""
    CANCELLED = "cancelled"
    """Jobs were cancelled, and their credits given back."""
    JUDGED = "judged"
    """Moderators decided on a picture."""
    UNKNOWN = "unknown"
    """No row is on record: it set nothing, or it is older than the undo."""
    ERASED = "erased"
    """It names somebody who had their data deleted."""
    CHANGED = "changed"
    """The setting differs by now, and no later change explains it."""
    GONE = "gone"
    """The role, channel or model to be put back was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A row of settings that a change touched: its table, its key, and the other cells that differ.

    `before` or `after` is None if there was no row. Ids of people are as Discord writes them: "<@5>".
    """

    table: str
    key: Mapping[str, Cell]
    before: Mapping[str, Cell] | None
    after: Mapping[str, Cell] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A line of the log."""

    #: May be EVERYWHERE.
    guild_id: int
    actor_id: int
    at: datetime
    old: str | None
    new: str | None
    kind: Kind = Kind.SETTING
    #: The name of a SETTING, as people read it.
    what: str = ""
    #: Whose credits.
    subject: Subject = EVERYONE
    reason: str = ""
    #: When a granted boost ends.
    ends_at: datetime | None = None
    #: The rows that an undo puts back.
    touched: Sequence[Touched] = ()
    #: Why it can never be taken back.
    final: Obstacle | None = None
    #: The number of the change that this one takes back.
    undoes: int | None = None
    #: The number of the import that this one is part of.
    part_of: int | None = None
    #: Given by the log.
    number: int = 0
    #: Whether the ledger dropped some lines that came of it.
    folded: bool = False


_RECORD = """
INSERT INTO changes (guild_id, actor_id, kind, what, subject_kind, subject_id, old, new, reason, ends_at, touched,
    final, undoes, part_of, at)
VALUES (:guild_id, :actor_id, :kind, :what, :subject_kind, :subject_id, :old, :new, :reason, :ends_at, :touched,
    :final, :undoes, :part_of, :at)
"""


async def record(tx: Transaction, change: Change) -> int:
    """Add a change to the log; its number. Raises sqlite3.IntegrityError if it undoes what was undone already."""
    row = await tx.fetch_one(f"{_RECORD} RETURNING number", _values(change))
    assert row is not None
    return int(row["number"])


async def record_all(tx: Transaction, changes: Sequence[Change]) -> None:
    """Add many changes to the log at once."""
    await tx.execute_many(_RECORD, [_values(change) for change in changes])


def _values(change: Change) -> dict[str, Any]:
    touched = [asdict(one) for one in change.touched]
    return {
        "guild_id": change.guild_id,
        "actor_id": change.actor_id,
        "kind": change.kind.value,
        "what": change.what,
        "subject_kind": change.subject.kind,
        "subject_id": change.subject.id,
        "old": change.old,
        "new": change.new,
        "reason": change.reason,
        "ends_at": None if change.ends_at is None else to_sql(change.ends_at),
        "touched": json.dumps(touched, ensure_ascii=False) if touched else None,
        "final": change.final,
        "undoes": change.undoes,
        "part_of": change.part_of,
        "at": to_sql(change.at),
    }


LATEST = """
SELECT * FROM changes WHERE guild_id IN (:guild_id, :also) AND part_of IS NULL AND number > :after
    AND (kind <> 'setting' OR NOT :only_credits)
ORDER BY number DESC LIMIT :limit
"""


async def latest(
    tx: Transaction,
    guild_id: int,
    *,
    limit: int,
    after: int = 0,
    everywhere: bool = False,
    only_credits: bool = False,
) -> list[Change]:
    """The latest changes of a guild, after the one with number `after`, newest first; an import is one change.

    `everywhere` adds the changes of the whole bot.
    """
    also = EVERYWHERE if everywhere else guild_id
    values = {"guild_id": guild_id, "also": also, "after": after, "only_credits": only_credits}
    return await _found(tx, LATEST, values | {"limit": limit})


STANDING = """
SELECT * FROM changes AS made
WHERE guild_id = :guild_id AND part_of IS NULL AND undoes IS NULL AND final IS NULL
    AND (kind <> 'setting' OR NOT :only_credits)
    AND NOT EXISTS (SELECT 1 FROM changes WHERE undoes = made.number)
ORDER BY number DESC LIMIT :limit
"""


async def standing(tx: Transaction, guild_id: int, *, limit: int, only_credits: bool = False) -> list[Change]:
    """The latest changes of a guild, or of EVERYWHERE, that are neither undone nor final, newest first."""
    values = {"guild_id": guild_id, "only_credits": only_credits, "limit": limit}
    return await _found(tx, STANDING, values)


FINAL = """
SELECT * FROM changes WHERE guild_id = :guild_id AND part_of IS NULL AND number > :after AND final IS NOT NULL
ORDER BY number DESC LIMIT :limit
"""


async def final(tx: Transaction, guild_id: int, *, after: int, limit: int) -> list[Change]:
    """The latest final changes after the one with that number, newest first."""
    return await _found(tx, FINAL, {"guild_id": guild_id, "after": after, "limit": limit})


async def parts(tx: Transaction, number: int) -> list[Change]:
    """The allowances that an import changed, the last first."""
    return await _found(tx, "SELECT * FROM changes WHERE part_of = :number ORDER BY number DESC", {"number": number})


async def _found(tx: Transaction, sql: str, values: Mapping[str, int]) -> list[Change]:
    return [as_change(row) for row in await tx.fetch_all(sql, values)]


_ERASED = "…"
"""What an erasure leaves of `touched`, as `personal_data.py` says."""


def as_change(row: Row) -> Change:
    """The change that a row of the log holds."""
    erased = row["touched"] == _ERASED
    rows = [] if erased or row["touched"] is None else json.loads(row["touched"])
    return Change(
        guild_id=row["guild_id"],
        actor_id=row["actor_id"],
        at=from_sql(row["at"]),
        old=row["old"],
        new=row["new"],
        kind=Kind(row["kind"]),
        what=row["what"],
        subject=Subject(kind=row["subject_kind"], id=row["subject_id"]),
        reason=row["reason"],
        ends_at=None if row["ends_at"] is None else from_sql(row["ends_at"]),
        touched=tuple(Touched(**one) for one in rows),
        final=Obstacle.ERASED if erased else row["final"] and Obstacle(row["final"]),
        undoes=row["undoes"],
        part_of=row["part_of"],
        number=row["number"],
        folded=bool(row["folded"]),
    )
