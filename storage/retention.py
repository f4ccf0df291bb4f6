"""Owns the ages at which jobs lose their pictures, and are forgotten with their prompts, a few at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.clock import to_sql
from storage.database import Transaction
from storage.line import CLOCK

# A job that somebody's waiting variation starts from is left for the next round.
OLD = """
SELECT number, id FROM jobs
WHERE number > :after AND created_at < :before AND state IN ('delivered', 'failed', 'cancelled')
    AND NOT EXISTS (SELECT 1 FROM jobs AS child WHERE child.parent_id = jobs.id AND child.state IN ('queued', 'running'))
ORDER BY number LIMIT :limit
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some jobs that are over, and the number of the last, behind which the next batch begins."""

    ids: Sequence[str]
    last: int


async def old_jobs(tx: Transaction, *, before: datetime, after: int, limit: int) -> Batch:
    """The first jobs from before a moment, with numbers above `after`."""
    rows = await tx.fetch_all(OLD, {"after": after, "before": to_sql(before), "limit": limit})
    return Batch(ids=[row["id"] for row in rows], last=rows[-1]["number"] if rows else after)


async def forget_pictures(tx: Transaction, job_ids: Sequence[str]) -> None:
    """Delete the rows of these jobs' pictures."""
    await tx.execute(
        "DELETE FROM images WHERE job_id IN (SELECT value FROM json_each(?))", (json.dumps(job_ids),)
    )


# The queue's clock is read off the jobs: it must not fall back, or whoever waits would be passed by newcomers.
KEEP_CLOCK = f"""
UPDATE jobs SET clock = {CLOCK}
WHERE number = (SELECT max(number) FROM jobs WHERE id NOT IN (SELECT value FROM json_each(?)))
"""


async def forget_jobs(tx: Transaction, job_ids: Sequence[str]) -> None:
    """Delete these jobs, with their prompts, pictures and messages. Their lines in the ledger stay."""
    await tx.execute(KEEP_CLOCK, (json.dumps(job_ids),))
    await tx.execute("DELETE FROM jobs WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(job_ids),))
