"""Owns a server's quotas as one table: read whole, and written whole as one change that can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage import allowances, ledger, quota_changes, quotas
from storage.database import Transaction
from storage.ledger import Entry, LedgerLine
from storage.periods import Rate, check_credits, local_day
from storage.quota_changes import EVERYONE, Change, QuotaChange, Subject
from storage.terms import terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One subject's quota: `rate` is None for no setting of its own, `bonus` is None where there is none to say."""

    subject: Subject
    rate: Rate | None
    bonus: int | None = None


async def rows(tx: Transaction, guild_id: int) -> list[Row]:
    """Everybody for whom something is set, and the members who have bonus credits."""
    found = await tx.fetch_all(
        "SELECT user_id, sum(bonus) AS bonus FROM ledger WHERE guild_id = ? AND bonus <> 0 AND user_id > 0"
        " GROUP BY user_id HAVING sum(bonus) <> 0 ORDER BY user_id",
        (guild_id,),
    )
    bonus = {Subject(kind="user", id=row["user_id"]): int(row["bonus"]) for row in found}
    rules = await allowances.allowances(tx, guild_id)
    # A number below zero stands for somebody who had their data deleted, and is nobody's whose quota could be set.
    set_ = {one.subject: one.rate for one in rules if one.subject.id >= 0}
    subjects = [*set_, *(subject for subject in bonus if subject not in set_)]
    return [
        Row(
            subject=subject,
            rate=set_.get(subject),
            bonus=bonus.get(subject, 0) if subject.kind == "user" else None,
        )
        for subject in subjects
    ]


async def apply(tx: Transaction, *, guild_id: int, rows: Sequence[Row], actor_id: int, now: datetime) -> None:
    """Make quotas and bonuses what the rows say; who isn't in them stays as they are. It is one change."""
    change = QuotaChange(
        what=Change.IMPORT, subject=EVERYONE, old=None, new=str(len(rows)), actor_id=actor_id, at=now
    )
    number = await quota_changes.note(tx, guild_id, change)
    before = {one.subject: one.rate for one in await allowances.allowances(tx, guild_id)}
    day = local_day(now, (await terms(tx, guild_id)).zone)
    for row in rows:
        if row.rate != before.get(row.subject):
            await quotas.set_allowance(
                tx,
                guild_id=guild_id,
                subject=row.subject,
                rate=row.rate,
                actor_id=actor_id,
                now=now,
                part_of=number,
            )
        if row.bonus is None:
            continue
        had = await quotas.bonus_of(tx, guild_id=guild_id, user_id=row.subject.id)
        if check_credits(row.bonus, "A member's bonus") != had:
            line = LedgerLine(
                guild_id=guild_id,
                user_id=row.subject.id,
                kind=Entry.CORRECT,
                bonus=row.bonus - had,
                day=day,
                actor_id=actor_id,
                change=number,
                at=now,
            )
            await ledger.add_line(tx, line)
