"""Owns the record of what admins changed about quotas: who changed what, from what to what, why and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from storage.database import Row, Transaction
from storage.timestamps import from_sql, to_sql


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


class Change(StrEnum):
    """What an admin did to a quota; `old` and `new` are None for what is not set."""

    SET = "set"
    """An allowance; `old` and `new` are rates like 40/day."""
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
    """A file of quotas; `new` is the number of its lines. Its settings are changes that are part of it."""
    UNDO = "undo"
    """The change with number `undoes` taken back; `undone` is what it was, and `old` and `new` are its two, the other
    way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaChange:
    """Who changed what about whose quota, from what to what, why and when. `number` is given by the record.

    `folded` says that lines of the ledger came of it that are no longer kept.
    """

    what: Change
    subject: Subject
    old: str | None
    new: str | None
    actor_id: int
    at: datetime
    reason: str = ""
    ends_at: datetime | None = None
    undoes: int | None = None
    undone: Change | None = None
    part_of: int | None = None
    number: int = 0
    folded: bool = False


_SELECT = (
    "SELECT made.*, undone.what AS undone FROM quota_changes AS made"
    " LEFT JOIN quota_changes AS undone ON undone.number = made.undoes"
)

_NOTE = (
    "INSERT INTO quota_changes (guild_id, what, subject_kind, subject_id, old, new, ends_at, undoes, part_of,"
    " actor_id, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


async def note(tx: Transaction, guild_id: int, change: QuotaChange) -> int:
    """Add a line to the record; its number."""
    row = await tx.fetch_one(f"{_NOTE} RETURNING number", _values(guild_id, change))
    assert row is not None
    return int(row["number"])


async def note_all(tx: Transaction, guild_id: int, changes: Sequence[QuotaChange]) -> None:
    """Add many lines to the record at once."""
    await tx.execute_many(_NOTE, [_values(guild_id, change) for change in changes])


def _values(guild_id: int, change: QuotaChange) -> tuple[Any, ...]:
    return (
        guild_id,
        change.what.value,
        change.subject.kind,
        change.subject.id,
        change.old,
        change.new,
        None if change.ends_at is None else to_sql(change.ends_at),
        change.undoes,
        change.part_of,
        change.actor_id,
        change.reason,
        to_sql(change.at),
    )


async def changes(tx: Transaction, guild_id: int, *, limit: int) -> list[QuotaChange]:
    """What admins changed in a guild, newest first; an import is one change."""
    rows = await tx.fetch_all(
        f"{_SELECT} WHERE made.guild_id = ? AND made.part_of IS NULL ORDER BY made.number DESC LIMIT ?",
        (guild_id, limit),
    )
    return [_change(row) for row in rows]


async def parts(tx: Transaction, number: int) -> list[QuotaChange]:
    """The settings that an import changed, the last first."""
    rows = await tx.fetch_all(f"{_SELECT} WHERE made.part_of = ? ORDER BY made.number DESC", (number,))
    return [_change(row) for row in rows]


async def last_to_undo(tx: Transaction, guild_id: int) -> QuotaChange | None:
    """The latest change that was not taken back yet."""
    row = await tx.fetch_one(
        f"{_SELECT} WHERE made.guild_id = ? AND made.what <> 'undo' AND made.part_of IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM quota_changes WHERE undoes = made.number)"
        " ORDER BY made.number DESC LIMIT 1",
        (guild_id,),
    )
    return None if row is None else _change(row)


def _change(row: Row) -> QuotaChange:
    return QuotaChange(
        what=Change(row["what"]),
        subject=Subject(kind=row["subject_kind"], id=row["subject_id"]),
        old=row["old"],
        new=row["new"],
        actor_id=row["actor_id"],
        at=from_sql(row["at"]),
        reason=row["reason"],
        ends_at=None if row["ends_at"] is None else from_sql(row["ends_at"]),
        undoes=row["undoes"],
        undone=None if row["undone"] is None else Change(row["undone"]),
        part_of=row["part_of"],
        number=row["number"],
        folded=bool(row["folded"]),
    )
