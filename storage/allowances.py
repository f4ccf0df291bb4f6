"""Owns how many credits a member gets in each day, week or month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage import veils
from storage.database import Transaction
from storage.periods import Rate
from storage.quota_changes import EVERYONE, Change, QuotaChange, Subject, note


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a guild set for a subject."""

    subject: Subject
    rate: Rate


_WHERE = "WHERE guild_id = ? AND subject_kind = ? AND subject_id = ?"


async def set_allowance(
    tx: Transaction,
    *,
    guild_id: int,
    subject: Subject,
    rate: Rate | None,
    actor_id: int,
    now: datetime,
    reason: str = "",
    part_of: int | None = None,
) -> None:
    """Set a subject's allowance and record it; None removes the setting. `part_of` is the number of an import.

    For somebody erased it is that which holds when they come back.
    """
    if subject.kind == "user":
        subject = Subject(kind="user", id=await veils.standing(tx, subject.id))
    old = await put(tx, guild_id, subject, rate)
    change = QuotaChange(
        what=Change.SET,
        subject=subject,
        old=None if old is None else str(old),
        new=None if rate is None else str(rate),
        actor_id=actor_id,
        reason=reason,
        part_of=part_of,
        at=now,
    )
    await note(tx, guild_id, change)


async def put(tx: Transaction, guild_id: int, subject: Subject, rate: Rate | None) -> Rate | None:
    """Set or remove a setting without recording it; the one that was there."""
    key = (guild_id, subject.kind, subject.id)
    old = await tx.fetch_one(f"SELECT rate FROM allowances {_WHERE}", key)
    if rate is None:
        await tx.execute(f"DELETE FROM allowances {_WHERE}", key)
    else:
        await tx.execute("INSERT OR REPLACE INTO allowances VALUES (?, ?, ?, ?)", (*key, str(rate)))
    return None if old is None else Rate.parse(old["rate"])


async def allowance(
    tx: Transaction, *, guild_id: int, user_id: int, role_ids: Sequence[int], default: Rate
) -> Rate:
    """A member's allowance: their own, or the most generous role's, or everyone's, or `default`."""
    settings = {line.subject: line.rate for line in await allowances(tx, guild_id)}
    own = settings.get(Subject(kind="user", id=user_id))
    if own is not None:
        return own
    subjects = [Subject(kind="role", id=role_id) for role_id in role_ids]
    granted = [settings[subject] for subject in subjects if subject in settings]
    if granted:
        return max(granted, key=lambda rate: rate.generosity)
    return settings.get(EVERYONE, default)


async def allowances(tx: Transaction, guild_id: int) -> list[Allowance]:
    """All settings of a guild: everyone's, then roles', then users'."""
    rows = await tx.fetch_all(
        "SELECT * FROM allowances WHERE guild_id = ? ORDER BY subject_kind, subject_id", (guild_id,)
    )
    return [
        Allowance(
            subject=Subject(kind=row["subject_kind"], id=row["subject_id"]), rate=Rate.parse(row["rate"])
        )
        for row in rows
    ]
