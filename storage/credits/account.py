"""Balances: what a member may spend, and how a job's price is reserved, settled or refunded.

A member pays from three pools: the allowance of the current day, week or month; boosts, which end at a moment; and
bonus credits, which don't. A job's price is reserved when it is accepted, and later settled or refunded, wholly or in
part. Unique indexes hold that this happens once, and triggers refuse to change or delete a line. What is used of an
allowance is the sum of the period's reservations that were neither refunded nor forgiven by a reset.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from storage.credits import boosts
from storage.credits.calendar import Rate, check_credits, local_day, span_of
from storage.credits.ceilings import check
from storage.credits.ledger import Entry, LedgerLine, add_line, line_of
from storage.credits.terms import terms
from storage.database import Transaction
from storage.timestamps import to_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A member's credits at a moment of the period that ends at `resets_at`. `lots` are their boosts."""

    rate: Rate
    used: int
    bonus: int
    resets_at: datetime
    lots: tuple[boosts.Lot, ...] = ()

    @property
    def left(self) -> int:
        """What can be spent now. An allowance lowered below what is used leaves 0 of it, not less."""
        return self.allowance_left + self.boost + self.bonus

    @property
    def allowance_left(self) -> int:
        """What is left of the period's allowance."""
        return max(0, self.rate.credits - self.used)

    @property
    def boost(self) -> int:
        """What is left of all boosts."""
        return sum(lot.left for lot in self.lots)


class QuotaExceeded(Exception):
    """The member has fewer credits left than the price; nothing was reserved."""

    def __init__(self, balance: Balance, price: int) -> None:
        super().__init__(f"{balance.left} credits are left, and this costs {price}")
        self.balance = balance
        self.price = price


class AlreadyReserved(Exception):
    """The job's price has been reserved before."""


FORGIVEN = """
EXISTS (
    SELECT 1 FROM ledger AS later
    WHERE later.guild_id = reserved.guild_id AND later.user_id = reserved.user_id AND later.kind = 'reset'
        AND later.number > reserved.number AND later.day <= reserved.day
        AND NOT EXISTS (SELECT 1 FROM ledger AS undone WHERE undone.corrects = later.number)
)
"""
# Of what a refund leaves of a price, the allowance bears as much as it was charged: it is given back last.
KEPT = """
min(-allowance, spent
    + coalesce((SELECT spent FROM ledger WHERE job_id = reserved.job_id AND kind = 'refund'), 0))
"""
USED = f"""
SELECT coalesce(sum({KEPT}), 0) AS used FROM ledger AS reserved
WHERE guild_id = :guild_id AND user_id = :user_id AND day BETWEEN :first AND :last
    AND kind = 'reserve' AND allowance <> 0 AND NOT {FORGIVEN}
"""
CARRIED = """
SELECT coalesce(sum(used), 0) AS used FROM carried
WHERE guild_id = :guild_id AND user_id = :user_id AND day BETWEEN :first AND :last AND NOT EXISTS (
    SELECT 1 FROM ledger AS later
    WHERE later.guild_id = carried.guild_id AND later.user_id = carried.user_id AND later.kind = 'reset'
        AND later.day <= carried.day
        AND NOT EXISTS (SELECT 1 FROM ledger AS undone WHERE undone.corrects = later.number)
)
"""
BONUSES = """
SELECT user_id, sum(bonus) AS bonus FROM ledger
WHERE guild_id = :guild_id AND user_id IN (SELECT value FROM json_each(:user_ids)) AND bonus <> 0 GROUP BY user_id
"""
BONUS = """
SELECT coalesce(sum(bonus), 0) AS bonus FROM ledger
WHERE guild_id = :guild_id AND user_id = :user_id AND bonus <> 0
"""


async def balance(tx: Transaction, *, guild_id: int, user_id: int, allowance: Rate, now: datetime) -> Balance:
    """A member's credits, given their allowance."""
    here = await terms(tx, guild_id)
    span = span_of(allowance.period, now, here.zone)
    who = {"guild_id": guild_id, "user_id": user_id}
    days = {**who, "first": span.first, "last": span.last}
    used, carried = await tx.fetch_one(USED, days), await tx.fetch_one(CARRIED, days)
    assert used is not None
    assert carried is not None
    return Balance(
        rate=allowance,
        used=used["used"] + carried["used"],
        bonus=await bonus_of(tx, guild_id=guild_id, user_id=user_id),
        resets_at=span.ends_at,
        lots=tuple(await boosts.lots(tx, guild_id=guild_id, user_id=user_id, now=now)),
    )


async def bonus_of(tx: Transaction, *, guild_id: int, user_id: int) -> int:
    """A member's bonus credits."""
    row = await tx.fetch_one(BONUS, {"guild_id": guild_id, "user_id": user_id})
    assert row is not None
    return int(row["bonus"])


async def bonuses(tx: Transaction, *, guild_id: int, user_ids: Collection[int]) -> dict[int, int]:
    """The bonus credits of each of these members."""
    rows = await tx.fetch_all(BONUSES, {"guild_id": guild_id, "user_ids": json.dumps(list(user_ids))})
    return dict.fromkeys(user_ids, 0) | {row["user_id"]: int(row["bonus"]) for row in rows}


async def reserve(
    tx: Transaction,
    *,
    guild_id: int,
    user_id: int,
    job_id: str,
    price: int,
    allowance: Rate,
    now: datetime,
    bot_ceiling: int | None = None,
) -> None:
    """Set a job's price aside: from the allowance first, then from boosts, then from the bonus.

    `bot_ceiling` is what the whole bot may spend in a UTC day. Raises `QuotaExceeded` when the member has too little
    left, `CeilingReached` when the server or the bot has, `AlreadyReserved` for a job that was here before, and
    ValueError for a price outside 0..1,000,000.
    """
    check_credits(price, "A price")
    before = await balance(tx, guild_id=guild_id, user_id=user_id, allowance=allowance, now=now)
    if price > before.left:
        raise QuotaExceeded(before, price)
    here = await terms(tx, guild_id)
    await check(tx, guild_id=guild_id, price=price, terms=here, bot_ceiling=bot_ceiling, now=now)
    from_allowance = min(price, before.allowance_left)
    drawn = boosts.draw(list(before.lots), price - from_allowance)
    boost = sum(credits for _, credits in drawn)
    line = LedgerLine(
        guild_id=guild_id,
        user_id=user_id,
        job_id=job_id,
        kind=Entry.RESERVE,
        allowance=-from_allowance,
        boost=-boost,
        bonus=from_allowance + boost - price,
        spent=price,
        day=local_day(now, here.zone),
        at=now,
    )
    try:
        number = await add_line(tx, line)
    except sqlite3.IntegrityError as error:
        raise AlreadyReserved(f"the price of job {job_id} has been reserved before") from error
    for lot, credits in drawn:
        await boosts.move(tx, line=number, lot=lot, credits=-credits)


_OPEN = """
FROM ledger AS reserved
WHERE job_id = :job_id AND kind = 'reserve' AND NOT EXISTS (
    SELECT 1 FROM ledger WHERE job_id = :job_id AND kind IN ('settle', 'refund')
)
"""
SETTLE = f"""
INSERT INTO ledger (guild_id, user_id, job_id, kind, day, host_day, at)
SELECT guild_id, user_id, job_id, 'settle', day, host_day, :at {_OPEN}
"""
REFUND = f"SELECT *, {FORGIVEN} AS forgiven {_OPEN}"


async def settle(tx: Transaction, job_id: str, *, now: datetime) -> None:
    """Spend what was set aside for a job. Does nothing without a reservation, or after an outcome."""
    await tx.execute(SETTLE, {"job_id": job_id, "at": to_sql(now)})


async def refund(tx: Transaction, job_id: str, *, now: datetime, credits: int | None = None) -> int:
    """Give back what was set aside for a job, and return the credits that were given back.

    With `credits`, only so many go back, and the rest is spent, as if the lower price had been reserved: the bonus gets
    them first, then the boost that ends last, and the allowance last. Returns 0 for a job without a reservation, or
    with an outcome. An allowance that was forgiven since and a boost that has ended get nothing back.
    """
    row = await tx.fetch_one(REFUND, {"job_id": job_id})
    if row is None:
        return 0
    reserved = line_of(row)
    back = reserved.spent if credits is None else min(credits, reserved.spent)
    bonus = min(back, -reserved.bonus)
    boost = min(back - bonus, -reserved.boost)
    lots = boosts.share(await boosts.taken_by(tx, reserved.number, now=now), boost)
    line = LedgerLine(
        guild_id=reserved.guild_id,
        user_id=reserved.user_id,
        job_id=job_id,
        kind=Entry.REFUND,
        allowance=0 if row["forgiven"] else back - bonus - boost,
        boost=sum(credits for _, credits in lots),
        bonus=bonus,
        spent=-back,
        day=reserved.day,
        host_day=reserved.host_day,
        at=now,
    )
    number = await add_line(tx, line)
    for lot, part in lots:
        await boosts.move(tx, line=number, lot=lot, credits=part)
    return line.allowance + line.boost + line.bonus
