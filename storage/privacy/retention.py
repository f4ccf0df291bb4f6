"""Owns the ages at which jobs lose their pictures, and are forgotten with their prompts, a few at a time.

Pieces of deleted rows, and of people's who were erased, stay in the files until the database is rewritten, and
everybody's orders wait meanwhile. So that is put off until the last rewriting was long enough ago, and noted, so that
no restart forgets it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.database import Transaction
from storage.timestamps import from_sql, to_sql

_PIECES, _REWRITTEN = "pieces of forgotten jobs", "database rewritten"
_NONE = "none"
_REST = 3600
"""Seconds between two rewritings of the database, for each second that the first took."""

# A job that somebody's waiting variation starts from is left for the next round.
OLD = """
SELECT number, id FROM jobs
WHERE number > :after AND created_at < :before AND state IN ('delivered', 'failed', 'cancelled')
    AND NOT EXISTS (
        SELECT 1 FROM jobs AS child WHERE child.parent_id = jobs.id AND child.state IN ('queued', 'running')
    )
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
    await tx.execute("DELETE FROM images WHERE job_id IN (SELECT value FROM json_each(?))", (json.dumps(job_ids),))


async def forget_jobs(tx: Transaction, job_ids: Sequence[str]) -> None:
    """Delete these jobs, with their prompts, pictures and messages. Their lines in the ledger stay."""
    await tx.execute("DELETE FROM jobs WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(job_ids),))


async def note_pieces(tx: Transaction) -> None:
    """Pieces of what is deleted in this transaction stay in the files."""
    await tx.put_value(_PIECES, secrets.token_hex(8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Pieces of deleted rows that are in the files, and from when on the database may be rewritten without them."""

    mark: str
    due_at: datetime


async def pieces(tx: Transaction, *, now: datetime) -> Pieces | None:
    """What a rewriting of the database would take out of the files; None if nothing is in them.

    A rewriting of the future holds up no other: the clock was put back since.
    """
    mark = await tx.get_value(_PIECES)
    if mark in (None, _NONE):
        return None
    at, _, seconds = (await tx.get_value(_REWRITTEN) or "0 0").partition(" ")
    last = from_sql(int(at))
    return Pieces(mark=mark, due_at=last + timedelta(seconds=float(seconds) * _REST) if last <= now else now)


async def note_rewriting(tx: Transaction, gone: Pieces, *, seconds: float, now: datetime, whole: bool = True) -> None:
    """The database was rewritten without these pieces, which took `seconds`. Later ones are still noted.

    So are these where it was not done `whole`; the next rewriting waits as after any.
    """
    if whole and await tx.get_value(_PIECES) == gone.mark:
        await tx.put_value(_PIECES, _NONE)
    await tx.put_value(_REWRITTEN, f"{to_sql(now)} {seconds:.3f}")
