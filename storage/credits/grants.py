"""Grants to a role or to everyone: each member takes their share when they are next seen.

Without privileged intents Discord doesn't tell who has a role. So a gift is recorded once, and `collect` writes it into
a member's ledger before their balance is next read or charged. Each member takes each gift once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from storage.credits import account, boosts
from storage.credits import host as credit_host
from storage.credits.calendar import MAX_CREDITS, Rate, check_credits, local_day, span_of
from storage.credits.host import UNLIMITED, Host
from storage.credits.ledger import Entry, LedgerLine, add_line
from storage.credits.terms import terms
from storage.database import Row, Transaction
from storage.guilds import changes
from storage.guilds.changes import Change, Kind, Subject
from storage.timestamps import from_sql, to_sql

_GIFTS = """
FROM changes AS gift
WHERE guild_id = :guild_id AND kind IN ('grant', 'reset') AND subject_kind <> 'user' AND undoes IS NULL
    AND NOT EXISTS (SELECT 1 FROM changes WHERE undoes = gift.number)
"""
_BONUSES = f"{_GIFTS} AND kind = 'grant' AND ends_at IS NULL"

_OPEN = f"""
SELECT number, kind, subject_kind, subject_id, new, ends_at, actor_id, reason, at {_GIFTS} AND at >= :joined
    AND NOT EXISTS (SELECT 1 FROM gifts_taken WHERE change_number = number AND user_id = :user_id)
ORDER BY number
"""
_WAITING = f"SELECT subject_kind, subject_id, new {_BONUSES} ORDER BY number"
_NOT_TAKEN = f"""
SELECT person.value AS user_id FROM json_each(:user_ids) AS person
WHERE EXISTS (
    SELECT 1 {_BONUSES}
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
    host: Host = UNLIMITED,
) -> None:
    """Give bonus credits to a member, a role or everyone; with `ends_at`, a boost until then.

    From a member, a negative number takes bonus credits away. Raises ValueError, with a sentence, for an amount that
    can't be given, and `OverGrants` where the host lets admins give less, to whomever takes it first.
    """
    if credits == 0:
        raise ValueError("Zero credits change nothing. Give a number above zero.")
    if credits < 0 and ends_at is not None:
        raise ValueError(
            "Credits that are taken away don't end. Leave out the days, or give a number above zero."
        )
    await credit_host.check(tx, host, credits, guild_id=guild_id, now=now)
    if subject.kind == "user":
        await account.grant(
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
    change = Change(
        guild_id=guild_id,
        kind=Kind.GRANT,
        subject=subject,
        old=None,
        new=str(check_credits(credits, "A grant")),
        ends_at=ends_at,
        actor_id=actor_id,
        reason=reason,
        at=now,
    )
    await changes.record(tx, change)


async def forgive(
    tx: Transaction,
    *,
    guild_id: int,
    subject: Subject,
    allowance: Rate,
    actor_id: int,
    now: datetime,
    reason: str = "",
    host: Host = UNLIMITED,
) -> None:
    """Give back what a member, a role or everyone has used; `allowance` is the member's, and says in which period.

    Raises `OverGrants` where the host lets admins give less.
    """
    if subject.kind == "user":
        before = await account.balance(
            tx, guild_id=guild_id, user_id=subject.id, allowance=allowance, now=now
        )
        await credit_host.check(tx, host, before.used, guild_id=guild_id, now=now)
        await account.reset(
            tx,
            guild_id=guild_id,
            user_id=subject.id,
            allowance=allowance,
            actor_id=actor_id,
            now=now,
            reason=reason,
        )
        return
    change = Change(
        guild_id=guild_id,
        kind=Kind.RESET,
        subject=subject,
        old=None,
        new=None,
        actor_id=actor_id,
        reason=reason,
        at=now,
    )
    await changes.record(tx, change)


async def collect(
    tx: Transaction,
    *,
    guild_id: int,
    user_id: int,
    role_ids: Sequence[int],
    joined_at: datetime | None,
    allowance: Rate,
    now: datetime,
    host: Host = UNLIMITED,
) -> None:
    """Write the gifts that a member has not taken yet, and the boosts that have ended, into their ledger.

    Gifts from before `joined_at` aren't theirs; a reset counts in its own period of their allowance only, and a boost
    until it ends. A gift of more than the host lets admins give waits.
    """
    joined = to_sql(joined_at) if joined_at else 0
    rows = await tx.fetch_all(_OPEN, {"guild_id": guild_id, "user_id": user_id, "joined": joined})
    for row in rows:
        if row["subject_kind"] == "everyone" or row["subject_id"] in role_ids:
            line = await _brings(tx, row, guild_id, user_id, allowance, now)
            await _take(tx, row, user_id, line, host, now)
    day = local_day(now, (await terms(tx, guild_id)).zone)
    await boosts.expire(tx, guild_id=guild_id, user_id=user_id, day=day, now=now)


async def _take(
    tx: Transaction, row: Row, user_id: int, line: LedgerLine | None, host: Host, now: datetime
) -> None:
    """Write what a gift brings into the ledger, and that it was taken, unless it has to wait."""
    if line is not None:
        credits = line.bonus + line.boost + line.allowance
        month = await credit_host.budget(tx, host, guild_id=line.guild_id, now=now)
        if month is not None and credits > month.left:
            return
        await add_line(tx, line)
    await tx.execute("INSERT INTO gifts_taken VALUES (?, ?)", (row["number"], user_id))


async def _brings(
    tx: Transaction, row: Row, guild_id: int, user_id: int, allowance: Rate, now: datetime
) -> LedgerLine | None:
    """The line of the ledger that a gift comes to for a member; None where it comes to nothing."""
    here = await terms(tx, guild_id)
    before = await account.balance(tx, guild_id=guild_id, user_id=user_id, allowance=allowance, now=now)
    change = Change(
        guild_id=guild_id,
        kind=Kind(row["kind"]),
        subject=Subject(kind="user", id=user_id),
        old=None,
        new=row["new"],
        actor_id=row["actor_id"],
        reason=row["reason"],
        at=now,
        number=row["number"],
    )
    if change.kind is Kind.RESET:
        span = span_of(allowance.period, now, here.zone)
        if span.first > local_day(from_sql(row["at"]), here.zone):
            return None
        return account.forgiveness(before, user_id, here, change)
    line = LedgerLine(
        guild_id=guild_id,
        user_id=user_id,
        kind=Entry.GRANT,
        day=local_day(now, here.zone),
        actor_id=change.actor_id,
        reason=change.reason,
        change=change.number,
        at=now,
    )
    given = int(row["new"])
    if row["ends_at"] is None:
        return replace(line, bonus=min(given, MAX_CREDITS - before.bonus))
    ends_at = from_sql(row["ends_at"])
    if ends_at <= now:
        return None
    return replace(line, boost=min(given, MAX_CREDITS - before.boost), ends_at=ends_at)
