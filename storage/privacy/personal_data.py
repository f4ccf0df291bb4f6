"""Owns the list of what is kept of people: where their ids stand, and what becomes of each when a person is erased.

A new table with a person in it is a line in `HELD`; a test fails while it is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from storage.credits.ledger import unlocked
from storage.database import Row, Transaction
from storage.timestamps import from_sql


class Fate(Enum):
    """What becomes of a row when the person whose id it holds is erased."""

    GOES = auto()
    """The row is deleted, and with it the rows that refer to it."""
    NAMELESS = auto()
    """The row stays for its amounts; a random number takes the id's place, and nothing leads back."""
    VEILED = auto()
    """The row stays because it holds against the person; a keyed hash takes the id's place until they come back."""
    QUOTED = auto()
    """The column is text in which the id may stand, as Discord writes it; it is cut out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A column with a person's id, in the rows `where` it is one. `wiped` says what else of a row that stays goes."""

    table: str
    column: str
    fate: Fate
    where: str = "TRUE"
    wiped: Mapping[str, str] = field(default_factory=dict)


_A_USER = "subject_kind = 'user'"
_UNDOABLE = "kind = 'set' AND undoes IS NULL"
_WORDS: Mapping[str, str] = {"reason": "''"}
_VALUES: Mapping[str, str] = {name: f"iif({name} IS NULL, NULL, '…')" for name in ("old", "new", "touched")}
_WORDS_AND_TIME: Mapping[str, str] = {"reason": "''", "at": "at - at % 86400000"}

HELD = (
    Held(table="users", column="user_id", fate=Fate.GOES),
    Held(table="jobs", column="user_id", fate=Fate.GOES),
    Held(table="jobs", column="cancelled_by", fate=Fate.NAMELESS),
    Held(table="messages", column="asked_by", fate=Fate.NAMELESS),
    Held(table="ledger", column="user_id", fate=Fate.NAMELESS, wiped=_WORDS_AND_TIME),
    Held(table="ledger", column="actor_id", fate=Fate.NAMELESS, wiped=_WORDS),
    Held(table="allowances", column="subject_id", fate=Fate.VEILED, where=_A_USER),
    # An allowance outlives the erasure under a pseudonym, and so does its change, which an undo may take back.
    Held(
        table="changes",
        column="subject_id",
        fate=Fate.VEILED,
        where=f"{_A_USER} AND {_UNDOABLE}",
        wiped=_WORDS,
    ),
    Held(
        table="changes",
        column="subject_id",
        fate=Fate.NAMELESS,
        where=f"{_A_USER} AND NOT ({_UNDOABLE})",
        wiped=_WORDS,
    ),
    Held(table="gifts_taken", column="user_id", fate=Fate.VEILED),
    Held(table="carried", column="user_id", fate=Fate.VEILED),
    Held(table="changes", column="actor_id", fate=Fate.NAMELESS, wiped=_WORDS),
    Held(table="changes", column="what", fate=Fate.QUOTED, wiped=_VALUES),
    Held(table="changes", column="touched", fate=Fate.QUOTED, wiped={"touched": "'…'"}),
    Held(table="pauses", column="actor_id", fate=Fate.NAMELESS, wiped=_WORDS),
    Held(table="bans", column="user_id", fate=Fate.VEILED, wiped=_WORDS),
    Held(table="bans", column="actor_id", fate=Fate.NAMELESS, wiped=_WORDS),
    Held(table="refusals", column="user_id", fate=Fate.VEILED, wiped={"interaction_id": "NULL"}),
    Held(table="timeouts", column="user_id", fate=Fate.VEILED),
    Held(table="cases", column="judge_id", fate=Fate.NAMELESS),
    Held(table="reports", column="reporter_id", fate=Fate.NAMELESS, wiped=_WORDS),
)

MENTIONS = (
    ("guilds", "appeal"), ("pauses", "reason"), ("bans", "reason"), ("ledger", "reason"), ("changes", "reason"),
    ("changes", "old"), ("changes", "new"), ("reports", "reason"),
)  # fmt: skip
"""Words of others in which a person may be mentioned. They stay, so only the mention is cut out of them."""

OF_JOBS = ("images", "messages", "cases", "reports")
"""Tables that belong to a job, and to its owner through it; they go with it."""


# ---------------------------------------------------------------------------------------------------------- showing


async def counts(tx: Transaction, user_id: int) -> dict[str, int]:
    """How many rows of each table are about a person."""
    found: dict[str, int] = {}
    for table, condition in _conditions().items():
        row = await tx.fetch_one(f"SELECT count(*) FROM {table} WHERE {condition}", _of(user_id))
        found[table] = 0 if row is None else int(row[0])
    return found


async def rows(tx: Transaction, user_id: int, table: str) -> list[dict[str, Any]]:
    """What a table holds of a person, ready for JSON, without anybody else's id."""
    found = await tx.fetch_all(f"SELECT * FROM {table} WHERE {_conditions()[table]}", _of(user_id))
    of_table = [held for held in HELD if held.table == table]
    people = {held.column for held in of_table if held.fate is not Fate.QUOTED}
    quoting = {held.column for held in of_table if held.fate is Fate.QUOTED}
    return [_readable(row, people, quoting, user_id) for row in found]


def tables() -> list[str]:
    """The tables that hold something of people, by name."""
    return list(_conditions())


QUOTES = "instr({}, '<@' || :user_id || '>') > 0"
"""Whether text names a person."""

CUT_MENTION = "<@…>"
"""Takes the place of a mention."""

_CUT = f"replace({{}}, '<@' || :user_id || '>', '{CUT_MENTION}')"


def _conditions() -> dict[str, str]:
    """For each table, which of its rows are about :user_id."""
    found: dict[str, list[str]] = {}
    for held in HELD:
        condition = QUOTES.format(held.column) if held.fate is Fate.QUOTED else f"{held.column} = :user_id"
        found.setdefault(held.table, []).append(f"({held.where} AND {condition})")
    for table in OF_JOBS:
        found.setdefault(table, []).append("job_id IN (SELECT id FROM jobs WHERE user_id = :user_id)")
    return {table: " OR ".join(conditions) for table, conditions in found.items()}


def _of(user_id: int) -> dict[str, int]:
    return {"user_id": user_id}


def _readable(row: Row, people: set[str], quoting: set[str], user_id: int) -> dict[str, Any]:
    return {
        name: _without_others(row[name], user_id) if name in quoting and row[name] else _readable_value(name, row[name])
        for name in row.keys()  # noqa: SIM118 - a row iterates over its values
        if name not in people or row[name] == user_id
    }


def _without_others(text: str, user_id: int) -> str:
    return re.sub(r"<@(-?\d+)>", lambda found: found[0] if int(found[1]) == user_id else "<@…>", text)


def _readable_value(name: str, value: Any) -> Any:
    if isinstance(value, int) and (name in ("at", "first_seen", "last_seen") or name.endswith("_at")):
        return from_sql(value).isoformat()
    if isinstance(value, int) and name.endswith("_id"):
        return str(value)  # more digits than a number in JavaScript keeps
    return json.loads(value) if name == "request" and value else value


# ---------------------------------------------------------------------------------------------------------- erasing

# The lines of a job go together, so both get the same new name; with the old one, a posted file would lead to them.
UNTIE_LEDGER = """
WITH pairs AS MATERIALIZED (
    SELECT job_id AS old, 'erased-' || min(number) AS new FROM ledger
    WHERE user_id = :user_id AND job_id IS NOT NULL GROUP BY job_id
)
UPDATE ledger SET job_id = pairs.new FROM pairs WHERE job_id = pairs.old
"""


async def erase(tx: Transaction, user_id: int, *, tombstone: int, veil: int) -> None:
    """Take a person out of every table. Their jobs must be gone already.

    `tombstone` is a random number below zero, and `veil` takes the person's place in a row that is kept against them.
    """
    async with unlocked(tx):
        await tx.execute(UNTIE_LEDGER, _of(user_id))
        values = {"user_id": user_id, "tombstone": tombstone, "veil": veil}
        for held in HELD:
            sql, needed = _parting(held)
            await tx.execute(sql, {name: values[name] for name in needed})
        for table, column in MENTIONS:
            await tx.execute(
                f"UPDATE {table} SET {column} = {_CUT.format(column)} WHERE {QUOTES.format(column)}",
                _of(user_id),
            )


def _parting(held: Held) -> tuple[str, tuple[str, ...]]:
    """The statement by which a person leaves a column, and the names of its parameters."""
    condition = f"{held.where} AND {held.column} = :user_id"
    match held.fate:
        case Fate.GOES:
            return f"DELETE FROM {held.table} WHERE {condition}", ("user_id",)
        case Fate.QUOTED:
            changed = _listed({held.column: _CUT.format(held.column), **held.wiped})
            return f"UPDATE {held.table} SET {changed} WHERE {QUOTES.format(held.column)}", ("user_id",)
        case Fate.NAMELESS | Fate.VEILED:
            stand_in = "tombstone" if held.fate is Fate.NAMELESS else "veil"
            changed = _listed({held.column: f":{stand_in}", **held.wiped})
            # What an admin set anew for somebody erased takes the place of what was kept under their veil.
            return f"UPDATE OR REPLACE {held.table} SET {changed} WHERE {condition}", ("user_id", stand_in)


def _listed(changes: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in changes.items())


async def is_veiled(tx: Transaction, veil: int) -> bool:
    """Whether any row is kept under this veil."""
    for held in _veiled():
        condition = f"{held.where} AND {held.column} = :veil"
        if await tx.fetch_one(f"SELECT 1 FROM {held.table} WHERE {condition} LIMIT 1", {"veil": veil}):
            return True
    return False


async def unveil(tx: Transaction, user_id: int, *, veil: int) -> None:
    """A person is back: what was kept under their veil is theirs again, unless something newer is in its place."""
    for held in _veiled():
        condition = f"{held.where} AND {held.column} = :veil"
        await tx.execute(
            f"UPDATE OR IGNORE {held.table} SET {held.column} = :user_id WHERE {condition}",
            {"user_id": user_id, "veil": veil},
        )
        await tx.execute(f"DELETE FROM {held.table} WHERE {condition}", {"veil": veil})
    await tx.execute(
        "UPDATE changes SET touched = replace(touched, '<@' || :veil || '>', '<@' || :user_id || '>')"
        " WHERE instr(touched, '<@' || :veil || '>') > 0",
        {"user_id": user_id, "veil": veil},
    )


def _veiled() -> list[Held]:
    return [held for held in HELD if held.fate is Fate.VEILED]
