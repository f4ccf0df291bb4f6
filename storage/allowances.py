"""Owns how many credits a member gets each day, and the record of what admins changed about quotas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from storage.clock import from_sql, to_sql
from storage.database import Transaction

MAX_CREDITS = 1_000_000
"""The most credits that a price, an allowance or a bonus may be."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The daily credits that a guild set for a subject."""

    subject: Subject
    credits: int


class Change(StrEnum):
    """What an admin did to a quota."""

    SET = "set"
    """A daily allowance; `old` and `new` are its credits, None for none of its own."""
    GRANT = "grant"
    """Bonus credits given or taken; `old` and `new` are the member's bonus."""
    RESET = "reset"
    """A member's day begun anew; `old` and `new` are the credits used today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaChange:
    """Who changed what about whose quota, from what to what, when."""

    what: Change
    subject: Subject
    old: int | None
    new: int | None
    actor_id: int
    reason: str
    at: datetime


def check_credits(credits: int, what: str) -> int:
    """The credits themselves. Raises ValueError, with a sentence, outside 0..1,000,000."""
    if not 0 <= credits <= MAX_CREDITS:
        raise ValueError(f"{what} must be between 0 and {MAX_CREDITS:,} credits, not {credits:,}.")
    return credits


async def note_change(tx: Transaction, guild_id: int, change: QuotaChange) -> None:
    """Add a line to the record of changes."""
    await tx.execute(
        "INSERT INTO quota_changes (guild_id, what, subject_kind, subject_id, old, new, actor_id, reason, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            guild_id,
            change.what.value,
            change.subject.kind,
            change.subject.id,
            change.old,
            change.new,
            change.actor_id,
            change.reason,
            to_sql(change.at),
        ),
    )


async def set_allowance(
    tx: Transaction, *, guild_id: int, subject: Subject, credits: int | None, actor_id: int, now: datetime
) -> None:
    """Set a subject's daily credits; None removes the setting. Raises ValueError outside 0..1,000,000."""
    key = (guild_id, subject.kind, subject.id)
    where = "WHERE guild_id = ? AND subject_kind = ? AND subject_id = ?"
    old = await tx.fetch_one(f"SELECT credits FROM allowances {where}", key)
    if credits is None:
        await tx.execute(f"DELETE FROM allowances {where}", key)
    else:
        check_credits(credits, "A daily allowance")
        await tx.execute("INSERT OR REPLACE INTO allowances VALUES (?, ?, ?, ?)", (*key, credits))
    change = QuotaChange(
        what=Change.SET,
        subject=subject,
        old=None if old is None else old["credits"],
        new=credits,
        actor_id=actor_id,
        reason="",
        at=now,
    )
    await note_change(tx, guild_id, change)


async def allowance(
    tx: Transaction, *, guild_id: int, user_id: int, role_ids: Sequence[int], default: int
) -> int:
    """A member's daily credits: their own, or the most generous role's, or everyone's, or `default`."""
    settings = {line.subject: line.credits for line in await allowances(tx, guild_id)}
    own = settings.get(Subject(kind="user", id=user_id))
    if own is not None:
        return own
    subjects = [Subject(kind="role", id=role_id) for role_id in role_ids]
    granted = [settings[subject] for subject in subjects if subject in settings]
    return max(granted) if granted else settings.get(Subject(kind="everyone"), default)


async def allowances(tx: Transaction, guild_id: int) -> list[Allowance]:
    """All settings of a guild: everyone's, then roles', then users'."""
    rows = await tx.fetch_all(
        "SELECT * FROM allowances WHERE guild_id = ? ORDER BY subject_kind, subject_id", (guild_id,)
    )
    return [
        Allowance(subject=Subject(kind=row["subject_kind"], id=row["subject_id"]), credits=row["credits"])
        for row in rows
    ]


async def changes(tx: Transaction, guild_id: int, *, limit: int) -> list[QuotaChange]:
    """What admins changed in a guild, newest first."""
    rows = await tx.fetch_all(
        "SELECT * FROM quota_changes WHERE guild_id = ? ORDER BY number DESC LIMIT ?", (guild_id, limit)
    )
    return [
        QuotaChange(
            what=Change(row["what"]),
            subject=Subject(kind=row["subject_kind"], id=row["subject_id"]),
            old=row["old"],
            new=row["new"],
            actor_id=row["actor_id"],
            reason=row["reason"],
            at=from_sql(row["at"]),
        )
        for row in rows
    ]
