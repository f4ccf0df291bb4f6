"""Takes changes back: rows of settings are put back, and credits are corrected by new lines of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from storage.credits import account, allowances, boosts, ledger, terms
from storage.credits.calendar import MAX_CREDITS, Rate, local_day
from storage.credits.ledger import Entry, LedgerLine
from storage.database import Transaction
from storage.guilds import changes, snapshot
from storage.guilds.changes import Change, Kind, Obstacle
from storage.guilds.snapshot import Rows

_REACH = 200
"""How many changes are looked through for one that can be taken back."""


async def standing(
    tx: Transaction, guild_id: int, *, only_credits: bool = False
) -> list[tuple[Change, Obstacle | None]]:
    """The changes that were not taken back, newest first, each with what keeps it from being."""
    now = await snapshot.rows(tx, guild_id)
    found = await changes.standing(tx, guild_id, limit=_REACH, only_credits=only_credits)
    return [(one, _obstacle(now, one)) for one in found]


def _obstacle(now: Rows, change: Change) -> Obstacle | None:
    if change.kind is not Kind.SETTING:
        return None
    return change.final or snapshot.obstacle(now, change.touched)


async def undo(tx: Transaction, change: Change, *, actor_id: int, now: datetime) -> int:
    """Take back a change without an obstacle, with all that came of it, and record that.

    Returns the credits that were spent before: they stay, since no balance goes below zero. Raises
    sqlite3.IntegrityError for a change that was taken back already.
    """
    number = await changes.record(tx, _step(change, actor_id, now))
    if change.kind is Kind.SETTING:
        await snapshot.put_back(tx, change.touched)
        return 0
    guild_id = change.guild_id
    await _restore_allowances(tx, guild_id, [*await changes.parts(tx, change.number), change])
    await _restore_terms(tx, change)
    day = local_day(now, (await terms.terms(tx, guild_id)).zone)
    blank = LedgerLine(
        guild_id=guild_id, user_id=0, kind=Entry.CORRECT, day=day, actor_id=actor_id, change=number, at=now
    )
    return await _take_back(tx, await ledger.of_change(tx, change.number), blank)


def _step(change: Change, actor_id: int, now: datetime) -> Change:
    """The line of the log that takes a change back."""
    return Change(
        guild_id=change.guild_id,
        actor_id=actor_id,
        at=now,
        old=change.new,
        new=change.old,
        kind=change.kind,
        what=change.what,
        subject=change.subject,
        undoes=change.number,
    )


async def _restore_allowances(tx: Transaction, guild_id: int, changed: Sequence[Change]) -> None:
    """Put allowances back to what they were before these changes, the last one first."""
    before = {one.subject: _rate(one.old) for one in changed if one.kind is Kind.ALLOWANCE}
    await allowances.put(tx, guild_id, before)


async def _restore_terms(tx: Transaction, change: Change) -> None:
    here = await terms.terms(tx, change.guild_id)
    match change.kind:
        case Kind.ZONE:
            here = replace(here, zone=change.old or here.zone)
        case Kind.CEILING:
            here = replace(here, ceiling=_rate(change.old))
        case Kind.FREE:
            action, _, was = (change.old or "").partition(" ")
            here = replace(here, free=here.free | {action} if was == "free" else here.free - {action})
        case _:
            return
    await terms.put(tx, change.guild_id, here)


def _rate(text: str | None) -> Rate | None:
    return None if text is None else Rate.parse(text)


async def _take_back(tx: Transaction, lines: Sequence[LedgerLine], blank: LedgerLine) -> int:
    """Write the lines that take these back; returns their credits that were spent already."""
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
