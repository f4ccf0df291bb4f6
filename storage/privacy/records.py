"""Owns the ages at which what is recorded of people, apart from jobs and credits, is forgotten, some rows at a time.

What still holds stays: a gift that members may still take, and a case that nobody has decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from storage.credits.calendar import LONGEST_DAYS
from storage.database import Transaction
from storage.timestamps import to_sql

_REFUSALS = """
DELETE FROM refusals WHERE number IN (SELECT number FROM refusals WHERE at < :before LIMIT :limit) RETURNING 1
"""
_TIMEOUTS = """
DELETE FROM timeouts WHERE (guild_id, user_id) IN (
    SELECT guild_id, user_id FROM timeouts WHERE until < :before LIMIT :limit
) RETURNING 1
"""
_REPORTS = """
DELETE FROM reports WHERE (job_id, reporter_id) IN (
    SELECT job_id, reporter_id FROM reports WHERE at < :before AND NOT EXISTS (
        SELECT 1 FROM cases WHERE cases.job_id = reports.job_id AND kind = 'report'
            AND (verdict IS NULL OR closed_at >= :before)
    ) LIMIT :limit
) RETURNING 1
"""
# The case stays with its job: who deletes their data may want its message gone, too.
_JUDGES = """
UPDATE cases SET judge_id = NULL WHERE (job_id, kind) IN (
    SELECT job_id, kind FROM cases WHERE judge_id IS NOT NULL AND closed_at < :before LIMIT :limit
) RETURNING 1
"""

# The first ones first, so that none is left without the one that took it back.
_SETTINGS = """
DELETE FROM changes WHERE number IN (
    SELECT number FROM changes WHERE kind = 'setting' AND at < :before ORDER BY number LIMIT :limit
) RETURNING 1
"""
# A change goes with the one that took it back, or it would count again.
_OVER = """
kind <> 'setting' AND part_of IS NULL AND undoes IS NULL AND at < :before
AND NOT EXISTS (SELECT 1 FROM changes AS undo WHERE undo.undoes = made.number AND undo.at >= :before)
AND (
    subject_kind = 'user' OR kind NOT IN ('grant', 'reset') OR ends_at < :before
    OR kind = 'reset' AND at < :period_before
    OR EXISTS (SELECT 1 FROM changes AS undo WHERE undo.undoes = made.number)
)
"""
_TAKEN = f"""
DELETE FROM gifts_taken WHERE (change_number, user_id) IN (
    SELECT change_number, user_id FROM gifts_taken
    JOIN changes AS made ON made.number = change_number WHERE {_OVER} LIMIT :limit
) RETURNING 1
"""
_OF_CREDITS = f"""
WITH gone AS MATERIALIZED (
    SELECT number FROM changes AS made
    WHERE {_OVER} AND NOT EXISTS (SELECT 1 FROM gifts_taken WHERE change_number = made.number) LIMIT :limit
)
DELETE FROM changes WHERE number IN (SELECT number FROM gone) OR undoes IN (SELECT number FROM gone) RETURNING 1
"""
# After the import that they are part of, so that an undo finds all of it or nothing.
_PARTS = """
DELETE FROM changes WHERE number IN (
    SELECT number FROM changes AS part WHERE part_of IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM changes AS whole WHERE whole.number = part.part_of) LIMIT :limit
) RETURNING 1
"""

_USERS = """
DELETE FROM users WHERE user_id IN (SELECT user_id FROM users WHERE last_seen < :before LIMIT :limit) RETURNING 1
"""


async def forget_moderation(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Forget refusals, timeouts that ended, reports that were decided, and who decided, all before a moment.

    As the others here, it looks at up to `limit` rows of each kind and returns how many were forgotten.
    """
    values = {"before": to_sql(before), "limit": limit}
    return await _run(tx, (_REFUSALS, _TIMEOUTS, _REPORTS, _JUDGES), values)


async def forget_changes(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Forget what admins changed before a moment. An undo goes with what it took back, and an import as a whole.

    A boost for all is kept from its end on, and a reset for all from when its month must be over.
    """
    values = {"before": to_sql(before), "limit": limit}
    gifts = {**values, "period_before": to_sql(before - timedelta(days=LONGEST_DAYS))}
    count = await _run(tx, (_SETTINGS,), values)
    count += await _run(tx, (_TAKEN, _OF_CREDITS), gifts)
    return count + await _run(tx, (_PARTS,), {"limit": limit})


async def forget_users(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Forget when people were first and last seen who were not seen since a moment. Nothing else hangs on it."""
    return await _run(tx, (_USERS,), {"before": to_sql(before), "limit": limit})


async def _run(tx: Transaction, statements: tuple[str, ...], values: Mapping[str, int]) -> int:
    return sum([len(await tx.fetch_all(statement, values)) for statement in statements])
