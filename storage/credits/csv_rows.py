"""A server's quotas as one table: read whole, and written whole as one change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.credits import account, allowances, ledger
from storage.credits import host as credit_host
from storage.credits.calendar import Rate, check_credits, local_day
from storage.credits.host import UNLIMITED, Host
from storage.credits.ledger import Entry, LedgerLine
from storage.credits.terms import terms
from storage.database import Transaction
from storage.guilds import changes
from storage.guilds.changes import Change, Kind, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One subject's quota: `rate` is None if none is set, `bonus` is None to leave it alone."""

    subject: Subject
    rate: Rate | None
    bonus: int | None = None


_PEOPLE = """
SELECT user_id FROM ledger WHERE guild_id = :guild_id AND user_id > 0
UNION SELECT user_id FROM jobs WHERE guild_id = :guild_id AND user_id > 0
UNION SELECT subject_id FROM allowances WHERE guild_id = :guild_id AND subject_kind = 'user' AND subject_id > 0
ORDER BY 1 LIMIT :limit
"""


async def people(tx: Transaction, guild_id: int, *, limit: int) -> list[int]:
    """People who used Easel in a guild, or for whom something is set there."""
    found = await tx.fetch_all(_PEOPLE, {"guild_id": guild_id, "limit": limit})
    return [row["user_id"] for row in found]


async def rows(tx: Transaction, guild_id: int) -> list[Row]:
    """Everybody with an allowance of their own, and the members with bonus credits."""
    found = await tx.fetch_all(
        "SELECT user_id, sum(bonus) AS bonus FROM ledger WHERE guild_id = ? AND bonus <> 0 AND user_id > 0"
        " GROUP BY user_id HAVING sum(bonus) <> 0 ORDER BY user_id",
        (guild_id,),
    )
    bonus = {Subject(kind="user", id=row["user_id"]): int(row["bonus"]) for row in found}
    rules = await allowances.allowances(tx, guild_id)
    # A number below zero is the pseudonym of an erased person, whose quota nobody can set.
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


async def apply(
    tx: Transaction,
    *,
    guild_id: int,
    rows: Sequence[Row],
    actor_id: int,
    now: datetime,
    host: Host = UNLIMITED,
) -> None:
    """Set quotas and bonuses as the rows say, as one change. Who isn't in them stays as they are.

    Few statements write all of it, since jobs wait meanwhile. Raises `OverGrants` and `OverDefault` for more than the
    host lets admins give.
    """
    for row in rows:
        host.check_rate(row.rate)
    change = Change(guild_id=guild_id, kind=Kind.IMPORT, old=None, new=str(len(rows)), actor_id=actor_id, at=now)
    number = await changes.record(tx, change)
    rates = {row.subject: row.rate for row in rows}
    await allowances.set_allowances(tx, guild_id=guild_id, rates=rates, actor_id=actor_id, now=now, part_of=number)
    wanted = {row.subject.id: check_credits(row.bonus, "A member's bonus") for row in rows if row.bonus is not None}
    had = await account.bonuses(tx, guild_id=guild_id, user_ids=wanted)
    more = sum(max(0, bonus - had[user_id]) for user_id, bonus in wanted.items())
    await credit_host.check(tx, host, more, guild_id=guild_id, now=now)
    day = local_day(now, (await terms(tx, guild_id)).zone)
    lines = [
        LedgerLine(
            guild_id=guild_id,
            user_id=user_id,
            kind=Entry.CORRECT,
            bonus=bonus - had[user_id],
            day=day,
            actor_id=actor_id,
            change=number,
            at=now,
        )
        for user_id, bonus in wanted.items()
        if bonus != had[user_id]
    ]
    await ledger.add_lines(tx, lines)
