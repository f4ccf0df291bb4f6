"""Owns taking back the last change that an admin made about quotas, with all that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from storage.credits import account, allowances, boosts, ledger
from storage.credits import changes as credit_changes
from storage.credits import terms as of_server
from storage.credits.calendar import MAX_CREDITS, Rate, local_day
from storage.credits.changes import Change, QuotaChange
from storage.credits.ledger import Entry, LedgerLine
from storage.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The change that was taken back, and how many credits of it could not be because they were spent before."""

    change: QuotaChange
    missing: int


async def undo(tx: Transaction, *, guild_id: int, actor_id: int, now: datetime) -> Undone | None:
    """Take back the latest change that stands; None where there is none. Done again, it takes back the one before.

    Credits that were given come out of what their members have left, and balances never go below zero.
    """
    change = await credit_changes.last_to_undo(tx, guild_id)
    if change is None:
        return None
    step = QuotaChange(
        what=Change.UNDO,
        subject=change.subject,
        old=change.new,
        new=change.old,
        undoes=change.number,
        actor_id=actor_id,
        at=now,
    )
    number = await credit_changes.note(tx, guild_id, step)
    await _restore_allowances(tx, guild_id, [*await credit_changes.parts(tx, change.number), change])
    await _restore_terms(tx, guild_id, change)
    day = local_day(now, (await of_server.terms(tx, guild_id)).zone)
    blank = LedgerLine(
        guild_id=guild_id, user_id=0, kind=Entry.CORRECT, day=day, actor_id=actor_id, change=number, at=now
    )
    missing = await _take_back(tx, await ledger.of_change(tx, change.number), blank)
    return Undone(change=change, missing=missing)


async def _restore_allowances(tx: Transaction, guild_id: int, changes: Sequence[QuotaChange]) -> None:
    """Put allowances back to what they were before the changes, of which the last comes first."""
    before = {one.subject: _rate(one.old) for one in changes if one.what is Change.SET}
    await allowances.put(tx, guild_id, before)


async def _restore_terms(tx: Transaction, guild_id: int, change: QuotaChange) -> None:
    """Put a term of the server back to what it was before the change."""
    here = await of_server.terms(tx, guild_id)
    match change.what:
        case Change.ZONE:
            await of_server.put(tx, guild_id, replace(here, zone=change.old or here.zone))
        case Change.CEILING:
            await of_server.put(tx, guild_id, replace(here, ceiling=_rate(change.old)))
        case Change.FREE:
            action, _, was = (change.old or "").partition(" ")
            free = here.free | {action} if was == "free" else here.free - {action}
            await of_server.put(tx, guild_id, replace(here, free=free))


def _rate(text: str | None) -> Rate | None:
    return None if text is None else Rate.parse(text)


async def _take_back(tx: Transaction, lines: Sequence[LedgerLine], blank: LedgerLine) -> int:
    """Write the lines that take these back; the credits of them that were spent already."""
    bonus = await account.bonuses(tx, guild_id=blank.guild_id, user_ids={line.user_id for line in lines})
    written, missing = [], 0
    for line in lines:
        new = replace(blank, user_id=line.user_id, corrects=line.number)
        if line.kind is Entry.RESET:
            written.append(replace(new, allowance=-line.allowance))
        elif line.ends_at is not None:
            missing += await _take_boost_back(tx, line, new)
        else:
            had = bonus[line.user_id]
            bonus[line.user_id] = has = min(max(0, had - line.bonus), MAX_CREDITS)
            written.append(replace(new, bonus=has - had))
            missing += max(0, line.bonus - (had - has))
    await ledger.add_lines(tx, written)
    return missing


async def _take_boost_back(tx: Transaction, line: LedgerLine, blank: LedgerLine) -> int:
    lots = await boosts.lots(tx, guild_id=line.guild_id, user_id=line.user_id, now=blank.at)
    left = sum(lot.left for lot in lots if lot.number == line.number)
    number = await ledger.add_line(tx, replace(blank, boost=-left))
    if left:
        await boosts.move(tx, line=number, lot=line.number, credits=-left)
    return line.boost - left
