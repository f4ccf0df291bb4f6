"""Owns what admins give to a role or to everyone: each member takes their share when they are next seen.

Without privileged intents Discord tells nobody who has a role, so a gift is recorded once, and `collect` writes it
into a member's ledger before their balance is next looked at or charged. Each member takes each gift once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from storage import quotas
from storage.allowances import MAX_CREDITS, Change, QuotaChange, Subject, check_credits, note_change
from storage.clock import day_of, from_sql, to_sql
from storage.database import Row, Transaction
from storage.ledger import Entry, LedgerLine, add_line

_OPEN = """
SELECT number, what, subject_kind, subject_id, new, actor_id, reason, at FROM quota_changes
WHERE guild_id = :guild_id AND what IN ('grant', 'reset') AND subject_kind <> 'user' AND at >= :joined
    AND NOT EXISTS (SELECT 1 FROM gifts_taken WHERE change_number = number AND user_id = :user_id)
ORDER BY number
"""


async def give(
    tx: Transaction,
    *,
    guild_id: int,
    subject: Subject,
    credits: int,
    actor_id: int,
    reason: str,
    now: datetime,
) -> None:
    """Give bonus credits to a member, a role or everyone. From a member, a negative number takes some away.

    Raises ValueError, with a sentence, for an amount that can't be given.
    """
    if credits == 0:
        raise ValueError("Zero credits change nothing. Give a number above zero.")
    if subject.kind == "user":
        await quotas.grant(
            tx,
            guild_id=guild_id,
            user_id=subject.id,
            credits=credits,
            actor_id=actor_id,
            reason=reason,
            now=now,
        )
        return
    if credits < 0:
        raise ValueError("Bonus credits can be taken away from one member at a time only.")
    check_credits(credits, "A grant")
    await _record(tx, guild_id, Change.GRANT, subject, credits, actor_id, reason, now)


async def forgive(tx: Transaction, *, guild_id: int, subject: Subject, actor_id: int, now: datetime) -> None:
    """Give back what a member, a role or everyone has used today."""
    if subject.kind == "user":
        await quotas.reset(tx, guild_id=guild_id, user_id=subject.id, actor_id=actor_id, now=now)
    else:
        await _record(tx, guild_id, Change.RESET, subject, None, actor_id, "", now)


async def collect(
    tx: Transaction,
    *,
    guild_id: int,
    user_id: int,
    role_ids: Sequence[int],
    joined_at: datetime | None,
    now: datetime,
) -> None:
    """Write the gifts that a member has not taken yet into their ledger.

    Gifts from before `joined_at` aren't theirs; a reset counts on its own UTC day only.
    """
    joined = to_sql(joined_at) if joined_at else 0
    rows = await tx.fetch_all(_OPEN, {"guild_id": guild_id, "user_id": user_id, "joined": joined})
    for row in rows:
        if row["subject_kind"] == "everyone" or row["subject_id"] in role_ids:
            await tx.execute("INSERT INTO gifts_taken VALUES (?, ?)", (row["number"], user_id))
            await _take(tx, row, guild_id, user_id, now)


async def _take(tx: Transaction, row: Row, guild_id: int, user_id: int, now: datetime) -> None:
    kind = Entry(row["what"])
    if kind is Entry.RESET and day_of(from_sql(row["at"])) != day_of(now):
        return
    before = await quotas.balance(tx, guild_id=guild_id, user_id=user_id, allowance=0, now=now)
    await add_line(
        tx,
        LedgerLine(
            guild_id=guild_id,
            user_id=user_id,
            job_id=None,
            kind=kind,
            daily=before.used_today if kind is Entry.RESET else 0,
            bonus=min(row["new"], MAX_CREDITS - before.bonus) if kind is Entry.GRANT else 0,
            day=now,
            actor_id=row["actor_id"],
            reason=row["reason"],
            at=now,
        ),
    )


async def _record(
    tx: Transaction,
    guild_id: int,
    what: Change,
    subject: Subject,
    credits: int | None,
    actor_id: int,
    reason: str,
    now: datetime,
) -> None:
    change = QuotaChange(
        what=what, subject=subject, old=None, new=credits, actor_id=actor_id, reason=reason, at=now
    )
    await note_change(tx, guild_id, change)
