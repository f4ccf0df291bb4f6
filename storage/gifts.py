"""Owns what admins give to a role or to everyone: each member takes their share when they are next seen.

Without privileged intents Discord tells nobody who has a role, so a gift is recorded once, and `collect` writes it
into a member's ledger before their balance is next looked at or charged. Each member takes each gift once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from storage import boosts, quotas
from storage.clock import from_sql, to_sql
from storage.database import Row, Transaction
from storage.ledger import Entry, LedgerLine, add_line
from storage.periods import MAX_CREDITS, Rate, check_credits, local_day, span_of
from storage.quota_changes import Change, QuotaChange, Subject, note
from storage.terms import terms

_OPEN = """
SELECT number, what, subject_kind, subject_id, new, ends_at, actor_id, reason, at FROM quota_changes AS gift
WHERE guild_id = :guild_id AND what IN ('grant', 'reset') AND subject_kind <> 'user' AND at >= :joined
    AND NOT EXISTS (SELECT 1 FROM gifts_taken WHERE change_number = number AND user_id = :user_id)
    AND NOT EXISTS (SELECT 1 FROM quota_changes WHERE undoes = gift.number)
ORDER BY number
"""


_WAITING = """
SELECT subject_kind, subject_id, new FROM quota_changes AS gift
WHERE guild_id = :guild_id AND what = 'grant' AND subject_kind <> 'user' AND ends_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM quota_changes WHERE undoes = gift.number)
ORDER BY number
"""
_NOT_TAKEN = """
SELECT person.value AS user_id FROM json_each(:user_ids) AS person
WHERE EXISTS (
    SELECT 1 FROM quota_changes AS gift
    WHERE guild_id = :guild_id AND what = 'grant' AND subject_kind <> 'user' AND ends_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM quota_changes WHERE undoes = gift.number)
        AND NOT EXISTS (SELECT 1 FROM gifts_taken WHERE change_number = gift.number AND user_id = person.value)
)
"""


async def bonuses(tx: Transaction, guild_id: int) -> list[tuple[Subject, int]]:
    """The bonus credits given to a role or to everyone, which members get once they use Easel."""
    rows = await tx.fetch_all(_WAITING, {"guild_id": guild_id})
    return [(Subject(kind=row["subject_kind"], id=row["subject_id"]), int(row["new"])) for row in rows]


async def without_bonus(tx: Transaction, guild_id: int, user_ids: Collection[int]) -> list[int]:
    """Those of these people who did not take every such bonus, whether it is for them or not."""
    values = {"guild_id": guild_id, "user_ids": json.dumps(list(user_ids))}
    return [row["user_id"] for row in await tx.fetch_all(_NOT_TAKEN, values)]


async def give(
    tx: Transaction,
    *,
    guild_id: int,
    subject: Subject,
    credits: int,
    actor_id: int,
    reason: str,
    now: datetime,
    ends_at: datetime | None = None,
) -> None:
    """Give bonus credits to a member, a role or everyone; with `ends_at`, a boost until then.

    From a member, a negative number takes bonus credits away. Raises ValueError, with a sentence, for an amount that
    can't be given.
    """
    if credits == 0:
        raise ValueError("Zero credits change nothing. Give a number above zero.")
    if credits < 0 and ends_at is not None:
        raise ValueError(
            "Credits that are taken away don't end. Leave out the days, or give a number above zero."
        )
    if subject.kind == "user":
        await quotas.grant(
            tx,
            guild_id=guild_id,
            user_id=subject.id,
            credits=credits,
            actor_id=actor_id,
            reason=reason,
            now=now,
            ends_at=ends_at,
        )
        return
    if credits < 0:
        raise ValueError("Bonus credits can be taken away from one member at a time only.")
    change = QuotaChange(
        what=Change.GRANT,
        subject=subject,
        old=None,
        new=str(check_credits(credits, "A grant")),
        ends_at=ends_at,
        actor_id=actor_id,
        reason=reason,
        at=now,
    )
    await note(tx, guild_id, change)


async def forgive(
    tx: Transaction,
    *,
    guild_id: int,
    subject: Subject,
    allowance: Rate,
    actor_id: int,
    now: datetime,
    reason: str = "",
) -> None:
    """Give back what a member, a role or everyone has used; `allowance` is the member's, and says in which period."""
    if subject.kind == "user":
        await quotas.reset(
            tx,
            guild_id=guild_id,
            user_id=subject.id,
            allowance=allowance,
            actor_id=actor_id,
            now=now,
            reason=reason,
        )
        return
    change = QuotaChange(
        what=Change.RESET, subject=subject, old=None, new=None, actor_id=actor_id, reason=reason, at=now
    )
    await note(tx, guild_id, change)


async def collect(
    tx: Transaction,
    *,
    guild_id: int,
    user_id: int,
    role_ids: Sequence[int],
    joined_at: datetime | None,
    allowance: Rate,
    now: datetime,
) -> None:
    """Write the gifts that a member has not taken yet, and the boosts that have ended, into their ledger.

    Gifts from before `joined_at` aren't theirs; a reset counts in its own period of their allowance only, and a boost
    until it ends.
    """
    joined = to_sql(joined_at) if joined_at else 0
    rows = await tx.fetch_all(_OPEN, {"guild_id": guild_id, "user_id": user_id, "joined": joined})
    for row in rows:
        if row["subject_kind"] == "everyone" or row["subject_id"] in role_ids:
            await tx.execute("INSERT INTO gifts_taken VALUES (?, ?)", (row["number"], user_id))
            await _take(tx, row, guild_id, user_id, allowance, now)
    day = local_day(now, (await terms(tx, guild_id)).zone)
    await boosts.expire(tx, guild_id=guild_id, user_id=user_id, day=day, now=now)


async def _take(
    tx: Transaction, row: Row, guild_id: int, user_id: int, allowance: Rate, now: datetime
) -> None:
    here = await terms(tx, guild_id)
    before = await quotas.balance(tx, guild_id=guild_id, user_id=user_id, allowance=allowance, now=now)
    change = QuotaChange(
        what=Change(row["what"]),
        subject=Subject(kind="user", id=user_id),
        old=None,
        new=row["new"],
        actor_id=row["actor_id"],
        reason=row["reason"],
        at=now,
    )
    if change.what is Change.RESET:
        span = span_of(allowance.period, now, here.zone)
        if span.first <= local_day(from_sql(row["at"]), here.zone):
            await add_line(tx, quotas.forgiveness(before, guild_id, user_id, here, row["number"], change))
        return
    line = LedgerLine(
        guild_id=guild_id,
        user_id=user_id,
        kind=Entry.GRANT,
        day=local_day(now, here.zone),
        actor_id=change.actor_id,
        reason=change.reason,
        change=row["number"],
        at=now,
    )
    given = int(row["new"])
    if row["ends_at"] is None:
        await add_line(tx, replace(line, bonus=min(given, MAX_CREDITS - before.bonus)))
    elif (ends_at := from_sql(row["ends_at"])) > now:
        await add_line(tx, replace(line, boost=min(given, MAX_CREDITS - before.boost), ends_at=ends_at))
