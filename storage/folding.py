"""Owns the end of the ledger's old lines: those of an account become one that carries their bonus forward.

What a member has is the same before and after. Only the first lines of an account are folded, up to the first one that
still counts: one that is young enough to be kept, a reservation without an outcome, or a boost that has not ended for
as long. Where no bonus is left of them, no line is.
"""

from __future__ import annotations

import json
from datetime import datetime

from storage.clock import to_sql
from storage.database import Transaction
from storage.ledger import unlocked

FOLDABLE = """
SELECT number FROM ledger AS line
WHERE kind <> 'carry' AND at < :before AND NOT EXISTS (
    SELECT 1 FROM ledger AS kept
    WHERE kept.guild_id = line.guild_id AND kept.user_id = line.user_id AND kept.number <= line.number
        AND (kept.at >= :before OR kept.ends_at >= :before OR kept.kind = 'reserve' AND NOT EXISTS (
            SELECT 1 FROM ledger AS outcome
            WHERE outcome.job_id = kept.job_id AND outcome.kind IN ('settle', 'refund')
        ))
)
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
    f"UPDATE quota_changes SET folded = 1 WHERE number IN (SELECT change FROM ledger WHERE number IN ({_FOLDED}))",
    f"DELETE FROM boost_moves WHERE line IN ({_FOLDED}) OR lot IN ({_FOLDED})",
    f"DELETE FROM ledger WHERE {_OLD_CARRY}",
    f"DELETE FROM ledger WHERE number IN ({_FOLDED})",
)

# It takes the number of the last line that is folded, and so its place in the history.
_WRITE = """
INSERT INTO ledger (number, guild_id, user_id, kind, bonus, day, host_day, at)
VALUES (:number, :guild_id, :user_id, 'carry', :bonus, :day, :host_day, :at)
"""


async def fold(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Fold up to `limit` lines from before a moment; how many were folded.

    The moment lies at least `periods.LONGEST_DAYS` back, or what was used of a running month would be lost. A change
    whose lines are folded is marked, so that an undo can say what it leaves.
    """
    rows = await tx.fetch_all(FOLDABLE, {"before": to_sql(before), "limit": limit})
    if not rows:
        return 0
    numbers = {"numbers": json.dumps([row["number"] for row in rows])}
    carried = [dict(row) for row in await tx.fetch_all(CARRY, numbers)]
    async with unlocked(tx):
        for parting in _PARTINGS:
            await tx.execute(parting, numbers)
        await tx.execute_many(_WRITE, carried)
    return len(rows)
