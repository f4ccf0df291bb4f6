"""Owns the ledger of credits: append-only lines, of which every balance is a sum.

A member of a guild pays from two pools: the daily allowance of a UTC day, and bonus credits, which don't
expire. A line's `daily` and `bonus` are what it adds to them. A job's price is reserved when it is accepted,
from today's allowance first, and later either settled or refunded, once: unique indexes hold that, and
triggers refuse to change or delete a line.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from storage.allowances import (
    MAX_CREDITS,
    Allowance,
    Change,
    QuotaChange,
    Subject,
    allowance,
    allowances,
    changes,
    check_credits,
    note_change,
    set_allowance,
)
from storage.clock import day_of, start_of, to_sql
from storage.database import Transaction
from storage.ledger import Entry, LedgerLine, add_line, history

__all__ = [
    "MAX_CREDITS",
    "Allowance",
    "AlreadyReserved",
    "Balance",
    "Change",
    "Entry",
    "LedgerLine",
    "QuotaChange",
    "QuotaExceeded",
    "Subject",
    "allowance",
    "allowances",
    "balance",
    "changes",
    "grant",
    "history",
    "refund",
    "reserve",
    "reset",
    "set_allowance",
    "settle",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A member's credits at a moment of the UTC day that ends at `resets_at`."""

    allowance: int
    used_today: int
    bonus: int
    resets_at: datetime

    @property
    def left(self) -> int:
        """What can be spent now. An allowance lowered below today's use leaves 0 of it, not less."""
        return self.daily_left + self.bonus

    @property
    def daily_left(self) -> int:
        """What is left of today's allowance."""
        return max(0, self.allowance - self.used_today)


class QuotaExceeded(Exception):
    """The member has fewer credits left than the price; nothing was reserved."""

    def __init__(self, balance: Balance, price: int) -> None:
        super().__init__(f"{balance.left} credits are left, and this costs {price}")
        self.balance = balance
        self.price = price


class AlreadyReserved(Exception):
    """The job's price has been reserved before."""


BALANCE = """
SELECT
    (SELECT coalesce(sum(daily), 0) FROM ledger
        WHERE guild_id = :guild_id AND user_id = :user_id AND day = :day AND daily <> 0) AS daily,
    (SELECT coalesce(sum(bonus), 0) FROM ledger
        WHERE guild_id = :guild_id AND user_id = :user_id AND bonus <> 0) AS bonus
"""


async def balance(tx: Transaction, *, guild_id: int, user_id: int, allowance: int, now: datetime) -> Balance:
    """A member's credits, given their daily allowance."""
    day = day_of(now)
    row = await tx.fetch_one(BALANCE, {"guild_id": guild_id, "user_id": user_id, "day": day})
    assert row is not None
    return Balance(
        allowance=allowance, used_today=-row["daily"], bonus=row["bonus"], resets_at=start_of(day + 1)
    )


async def reserve(
    tx: Transaction, *, guild_id: int, user_id: int, job_id: str, price: int, allowance: int, now: datetime
) -> None:
    """Set a job's price aside, from today's allowance first and then from the bonus.

    Raises `QuotaExceeded` when too little is left, `AlreadyReserved` for a job that was here before, and
    ValueError for a price or an allowance outside 0..1,000,000.
    """
    check_credits(price, "A price")
    check_credits(allowance, "A daily allowance")
    before = await balance(tx, guild_id=guild_id, user_id=user_id, allowance=allowance, now=now)
    if price > before.left:
        raise QuotaExceeded(before, price)
    daily = min(price, before.daily_left)
    line = LedgerLine(
        guild_id=guild_id,
        user_id=user_id,
        job_id=job_id,
        kind=Entry.RESERVE,
        daily=-daily,
        bonus=daily - price,
        day=now,
        actor_id=None,
        reason="",
        at=now,
    )
    try:
        await add_line(tx, line)
    except sqlite3.IntegrityError as error:
        raise AlreadyReserved(f"the price of job {job_id} has been reserved before") from error


_OUTCOME = """
INSERT INTO ledger (guild_id, user_id, job_id, kind, daily, bonus, day, at)
SELECT guild_id, user_id, job_id, {kind}, {daily}, {bonus}, day, :at
FROM ledger AS reserved
WHERE job_id = :job_id AND kind = 'reserve' AND NOT EXISTS (
    SELECT 1 FROM ledger WHERE job_id = :job_id AND kind IN ('settle', 'refund')
)
RETURNING daily + bonus AS credits
"""
SETTLE = _OUTCOME.format(kind="'settle'", daily="0", bonus="0")
# A reset has forgiven what the day had used until then: that is not given back a second time.
REFUND = _OUTCOME.format(
    kind="'refund'",
    daily="""CASE WHEN EXISTS (
        SELECT 1 FROM ledger AS later
        WHERE later.guild_id = reserved.guild_id AND later.user_id = reserved.user_id
            AND later.day = reserved.day AND later.kind = 'reset' AND later.number > reserved.number
    ) THEN 0 ELSE -daily END""",
    bonus="-bonus",
)


async def settle(tx: Transaction, job_id: str, *, now: datetime) -> None:
    """What was set aside for a job is spent. Nothing happens without a reservation, or after an outcome."""
    await tx.execute(SETTLE, {"job_id": job_id, "at": to_sql(now)})


async def refund(tx: Transaction, job_id: str, *, now: datetime) -> int:
    """Give back what was set aside for a job, to the same pools and day; the credits that were given back.

    Does nothing, and returns 0, for a job without a reservation, or with an outcome. The daily part of a
    reservation that a `reset` has forgiven since is not given back a second time.
    """
    row = await tx.fetch_one(REFUND, {"job_id": job_id, "at": to_sql(now)})
    return 0 if row is None else int(row["credits"])


async def grant(
    tx: Transaction, *, guild_id: int, user_id: int, credits: int, actor_id: int, reason: str, now: datetime
) -> None:
    """Give bonus credits, or take some away when `credits` is negative.

    Raises ValueError, with a sentence, when the bonus would leave 0..1,000,000.
    """
    before = await balance(tx, guild_id=guild_id, user_id=user_id, allowance=0, now=now)
    after = before.bonus + credits
    if after < 0:
        raise ValueError(
            f"Only {before.bonus:,} bonus credits are there, so {-credits:,} can't be taken away."
        )
    if credits > 0:
        check_credits(after, "A member's bonus")
    line = LedgerLine(
        guild_id=guild_id,
        user_id=user_id,
        job_id=None,
        kind=Entry.GRANT,
        daily=0,
        bonus=credits,
        day=now,
        actor_id=actor_id,
        reason=reason,
        at=now,
    )
    await add_line(tx, line)
    await _note(tx, line, Change.GRANT, before.bonus, after)


async def reset(tx: Transaction, *, guild_id: int, user_id: int, actor_id: int, now: datetime) -> None:
    """Today's use becomes 0. The bonus stays as it is."""
    before = await balance(tx, guild_id=guild_id, user_id=user_id, allowance=0, now=now)
    line = LedgerLine(
        guild_id=guild_id,
        user_id=user_id,
        job_id=None,
        kind=Entry.RESET,
        daily=before.used_today,
        bonus=0,
        day=now,
        actor_id=actor_id,
        reason="",
        at=now,
    )
    await add_line(tx, line)
    await _note(tx, line, Change.RESET, before.used_today, 0)


async def _note(tx: Transaction, line: LedgerLine, what: Change, old: int, new: int) -> None:
    assert line.actor_id is not None
    change = QuotaChange(
        what=what,
        subject=Subject(kind="user", id=line.user_id),
        old=old,
        new=new,
        actor_id=line.actor_id,
        reason=line.reason,
        at=line.at,
    )
    await note_change(tx, line.guild_id, change)
