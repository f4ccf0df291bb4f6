"""Grants and resets: to a member at once, to a role or everyone when each member is next seen.

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
from storage.credits.account import Balance
from storage.credits.calendar import MAX_CREDITS, Rate, check_credits, local_day, span_of
from storage.credits.host import UNLIMITED, Host
from storage.credits.ledger import Entry, LedgerLine, add_line
from storage.credits.terms import terms
from storage.database import Transaction
from storage.guilds import changes
from storage.guilds.changes import EVERYONE, Change, Kind, Subject
from storage.timestamps import to_sql

_GIFTS = """
FROM changes AS gift
WHERE guild_id = :guild_id AND kind IN ('grant', 'reset') AND subject_kind <> 'user' AND undoes IS NULL
    AND NOT EXISTS (SELECT 1 FROM changes WHERE undoes = gift.number)
"""
_BONUSES = f"{_GIFTS} AND kind = 'grant' AND ends_at IS NULL"

_OPEN = f"""
SELECT * {_GIFTS} AND at >= :joined
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

    A negative number takes bonus credits from a member. Raises ValueError, with a sentence, for an amount that can't be
    given, and `OverGrants` if the host lets admins give less, to whomever takes it first.
    """
    if credits == 0:
        raise ValueError("Zero credits change nothing. Give a number above zero.")
    if credits < 0 and ends_at is not None:
        raise ValueError("Credits that are taken away don't end. Leave out the days, or give a number above zero.")
    await credit_host.check(tx, host, credits, guild_id=guild_id, now=now)
    change = Change(
        guild_id=guild_id,
        kind=Kind.GRANT,
        subject=subject,
        old=None,
        new=str(credits),
        ends_at=ends_at,
        actor_id=actor_id,
        reason=reason,
        at=now,
    )
    if subject.kind == "user":
        await _give_member(tx, change, credits)
    elif credits < 0:
        raise ValueError("Bonus credits can be taken away from one member at a time only.")
    else:
        check_credits(credits, "A grant")
        await changes.record(tx, change)


async def _give_member(tx: Transaction, change: Change, credits: int) -> None:
    """Raises ValueError, with a sentence, if the bonus or the boosts would leave 0..1,000,000."""
    who = {"guild_id": change.guild_id, "user_id": change.subject.id}
    if change.ends_at is None:
        had = await account.bonus_of(tx, **who)
    else:
        had = sum(lot.left for lot in await boosts.lots(tx, **who, now=change.at))
    if had + credits < 0:
        raise ValueError(f"Only {had:,} bonus credits are there, so {-credits:,} can't be taken away.")
    if credits > 0:
        check_credits(had + credits, "A member's bonus" if change.ends_at is None else "A member's boosts")
    number = await changes.record(tx, replace(change, old=str(had), new=str(had + credits)))
    day = local_day(change.at, (await terms(tx, change.guild_id)).zone)
    await add_line(tx, _grant(replace(change, number=number), change.subject.id, credits, day))


def _grant(change: Change, user_id: int, credits: int, day: int) -> LedgerLine:
    """The line by which a member gets credits, because of a recorded change."""
    return LedgerLine(
        guild_id=change.guild_id,
        user_id=user_id,
        kind=Entry.GRANT,
        boost=0 if change.ends_at is None else credits,
        bonus=credits if change.ends_at is None else 0,
        day=day,
        ends_at=change.ends_at,
        actor_id=change.actor_id,
        reason=change.reason,
        change=change.number,
        at=change.at,
    )


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
    """Give back what a member, a role or everyone used; `allowance` is the member's, and says in which period.

    Boosts and bonus stay as they are. Raises `OverGrants` if the host lets admins give less.
    """
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
    if subject.kind != "user":
        await changes.record(tx, change)
        return
    before = await account.balance(tx, guild_id=guild_id, user_id=subject.id, allowance=allowance, now=now)
    await credit_host.check(tx, host, before.used, guild_id=guild_id, now=now)
    number = await changes.record(tx, replace(change, old=str(before.used), new="0"))
    first = span_of(allowance.period, now, (await terms(tx, guild_id)).zone).first
    await add_line(tx, _forgiveness(replace(change, number=number), subject.id, before, first))


def _forgiveness(change: Change, user_id: int, before: Balance, first: int) -> LedgerLine:
    """The line by which a member's period, from the day `first` on, begins anew."""
    return LedgerLine(
        guild_id=change.guild_id,
        user_id=user_id,
        kind=Entry.RESET,
        allowance=before.used,
        day=first,
        actor_id=change.actor_id,
        reason=change.reason,
        change=change.number,
        at=change.at,
    )


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

    Gifts from before `joined_at` aren't theirs. A reset counts in its own period of their allowance only, and a boost
    until it ends. A gift of more than the host lets admins give waits.
    """
    joined = to_sql(joined_at) if joined_at else 0
    rows = await tx.fetch_all(_OPEN, {"guild_id": guild_id, "user_id": user_id, "joined": joined})
    for gift in map(changes.as_change, rows):
        if gift.subject == EVERYONE or gift.subject.id in role_ids:
            line = await _brings(tx, gift, user_id, allowance, now)
            await _take(tx, gift, user_id, line, host, now)
    day = local_day(now, (await terms(tx, guild_id)).zone)
    await boosts.expire(tx, guild_id=guild_id, user_id=user_id, day=day, now=now)


async def _take(
    tx: Transaction, gift: Change, user_id: int, line: LedgerLine | None, host: Host, now: datetime
) -> None:
    """Write what a gift brings into the ledger, and that it was taken, unless it has to wait."""
    if line is not None:
        credits = line.bonus + line.boost + line.allowance
        month = await credit_host.budget(tx, host, guild_id=gift.guild_id, now=now)
        if month is not None and credits > month.left:
            return
        await add_line(tx, line)
    await tx.execute("INSERT INTO gifts_taken VALUES (?, ?)", (gift.number, user_id))


async def _brings(tx: Transaction, gift: Change, user_id: int, allowance: Rate, now: datetime) -> LedgerLine | None:
    """The line of the ledger that a gift comes to for a member; None if it comes to nothing."""
    guild_id, zone = gift.guild_id, (await terms(tx, gift.guild_id)).zone
    before = await account.balance(tx, guild_id=guild_id, user_id=user_id, allowance=allowance, now=now)
    taken = replace(gift, at=now)
    if gift.kind is Kind.RESET:
        first = span_of(allowance.period, now, zone).first
        return None if first > local_day(gift.at, zone) else _forgiveness(taken, user_id, before, first)
    if gift.ends_at is not None and gift.ends_at <= now:
        return None
    room = MAX_CREDITS - (before.bonus if gift.ends_at is None else before.boost)
    return _grant(taken, user_id, min(int(gift.new or 0), room), local_day(now, zone))
