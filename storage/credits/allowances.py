"""Allowances: how many credits a member gets in each day, week or month."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage import pseudonyms
from storage.credits.calendar import Rate
from storage.database import Transaction
from storage.guilds import changes
from storage.guilds.changes import EVERYONE, Change, Kind, Subject


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
) -> None:
    """Set a subject's allowance and record it; None removes the setting. An erased person gets it on return."""
    (subject,) = await _standing(tx, [subject])
    key = (guild_id, subject.kind, subject.id)
    old = await tx.fetch_one(f"SELECT rate FROM allowances {_WHERE}", key)
    await put(tx, guild_id, {subject: rate})
    change = Change(
        guild_id=guild_id,
        kind=Kind.ALLOWANCE,
        subject=subject,
        old=None if old is None else old["rate"],
        new=None if rate is None else str(rate),
        actor_id=actor_id,
        reason=reason,
        at=now,
    )
    await changes.record(tx, change)


async def set_allowances(
    tx: Transaction,
    *,
    guild_id: int,
    rates: Mapping[Subject, Rate | None],
    actor_id: int,
    now: datetime,
    part_of: int,
) -> None:
    """Set many allowances and record those that change, as parts of the change with number `part_of`."""
    before = {one.subject: one.rate for one in await allowances(tx, guild_id)}
    wanted = dict(zip(await _standing(tx, rates), rates.values(), strict=True))
    changed = {subject: rate for subject, rate in wanted.items() if rate != before.get(subject)}
    await put(tx, guild_id, changed)
    lines = [
        Change(
            guild_id=guild_id,
            kind=Kind.ALLOWANCE,
            subject=subject,
            old=str(before[subject]) if subject in before else None,
            new=None if rate is None else str(rate),
            actor_id=actor_id,
            part_of=part_of,
            at=now,
        )
        for subject, rate in changed.items()
    ]
    await changes.record_all(tx, lines)


async def _standing(tx: Transaction, subjects: Collection[Subject]) -> list[Subject]:
    """The subjects in their order; an erased person's id becomes their pseudonym."""
    people = await pseudonyms.standings(tx, [one.id for one in subjects if one.kind == "user"])
    return [Subject(kind="user", id=people[one.id]) if one.kind == "user" else one for one in subjects]


async def put(tx: Transaction, guild_id: int, rates: Mapping[Subject, Rate | None]) -> None:
    """Set allowances, or remove those that are None, without recording it."""
    keys = [(guild_id, subject.kind, subject.id) for subject in rates]
    await tx.execute_many(f"DELETE FROM allowances {_WHERE}", keys)
    new = [(*key, str(rate)) for key, rate in zip(keys, rates.values(), strict=True) if rate is not None]
    await tx.execute_many("INSERT INTO allowances VALUES (?, ?, ?, ?)", new)


async def allowance(tx: Transaction, *, guild_id: int, user_id: int, role_ids: Sequence[int], default: Rate) -> Rate:
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
    """All allowances of a guild: everyone's, then roles', then users'."""
    rows = await tx.fetch_all(
        "SELECT * FROM allowances WHERE guild_id = ? ORDER BY subject_kind, subject_id", (guild_id,)
    )
    return [
        Allowance(subject=Subject(kind=row["subject_kind"], id=row["subject_id"]), rate=Rate.parse(row["rate"]))
        for row in rows
    ]
