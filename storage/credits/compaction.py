"""Folds the ledger's old lines: those of an account become one that carries their bonus forward.

Balances stay the same. The first lines of an account are folded, up to the first that still counts: a young one, a
reservation without an outcome, or a boost that ended lately or has not ended. Without a bonus, no line is left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from storage.credits.ledger import unlocked
from storage.database import Transaction
from storage.timestamps import to_sql

Place = tuple[int, int]
"""When a line was written, and its number: the order of the walk."""
START: Place = (0, 0)

# Those that stay are passed once: behind a boost that runs for years there can be very many of them.
OLD = """
SELECT number, at, NOT EXISTS (
    SELECT 1 FROM ledger AS kept
    WHERE kept.guild_id = line.guild_id AND kept.user_id = line.user_id AND kept.number <= line.number
        AND (kept.at >= :before OR kept.ends_at >= :before OR kept.kind = 'reserve' AND NOT EXISTS (
            SELECT 1 FROM ledger AS outcome
            WHERE outcome.job_id = kept.job_id AND outcome.kind IN ('settle', 'refund')
        ))
) AS foldable
FROM ledger AS line
WHERE kind <> 'carry' AND at < :before AND (at, number) > (:at, :number)
ORDER BY at, number LIMIT :limit
"""

_FOLDED = "SELECT value FROM json_each(:numbers)"
_ACCOUNTS = f"SELECT guild_id, user_id FROM ledger WHERE number IN ({_FOLDED})"
_OLD_CARRY = f"kind = 'carry' AND (guild_id, user_id) IN ({_ACCOUNTS})"

# Of when they were, the day is enough. What an erased person had left is nobody's.
CARRY = f"""
SELECT max(number) AS number, guild_id, user_id, sum(bonus) AS bonus, max(day) AS day, max(host_day) AS host_day,
    max(at) - max(at) % 86400000 AS at
FROM ledger WHERE number IN ({_FOLDED}) OR {_OLD_CARRY}
GROUP BY guild_id, user_id HAVING sum(bonus) <> 0 AND user_id > 0
"""

_PARTINGS = (
    f"UPDATE changes SET folded = 1 WHERE number IN (SELECT change FROM ledger WHERE number IN ({_FOLDED}))",
    f"DELETE FROM boost_moves WHERE line IN ({_FOLDED}) OR lot IN ({_FOLDED})",
    f"DELETE FROM ledger WHERE {_OLD_CARRY}",
    f"DELETE FROM ledger WHERE number IN ({_FOLDED})",
)

# It takes the number of the last line that is folded, and so its place in the history.
_WRITE = """
INSERT INTO ledger (number, guild_id, user_id, kind, bonus, day, host_day, at)
VALUES (:number, :guild_id, :user_id, 'carry', :bonus, :day, :host_day, :at)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How many lines were folded, and the last one looked at; None if no more are old."""

    folded: int
    last: Place | None


async def fold(tx: Transaction, *, before: datetime, limit: int, after: Place = START) -> Step:
    """Look at up to `limit` lines from before a moment, behind the one `after`, and fold those that can be.

    The moment lies at least `calendar.LONGEST_DAYS` back, or what was used of a running month would be lost. A change
    whose lines are folded is marked, so that an undo can say what it leaves.
    """
    at, number = after
    old = await tx.fetch_all(OLD, {"before": to_sql(before), "limit": limit, "at": at, "number": number})
    folded = [row["number"] for row in old if row["foldable"]]
    if folded:
        numbers = {"numbers": json.dumps(folded)}
        carried = [dict(row) for row in await tx.fetch_all(CARRY, numbers)]
        async with unlocked(tx):
            for parting in _PARTINGS:
                await tx.execute(parting, numbers)
            await tx.execute_many(_WRITE, carried)
    return Step(folded=len(folded), last=(old[-1]["at"], old[-1]["number"]) if old else None)
