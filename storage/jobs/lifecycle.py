"""Owns jobs: their states and the messages that show them. Who is next is `queue.py`'s.

`attempt` counts the claims of a job and fences: an update for an attempt that has been given up changes
nothing and says False. `tries` counts the attempts that were the job's own fault, which a restart of the bot
is not.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from generation.contract import to_json
from storage.database import Transaction
from storage.files.job_ids import check_id
from storage.jobs.job import Job, JobState, NewJob, as_job
from storage.jobs.messages import add_message
from storage.jobs.queue import settle
from storage.jobs.server_turns import CLOCK, join
from storage.timestamps import to_sql


class DuplicateInteraction(Exception):
    """This interaction has made its job already: Discord sends an event twice after some resumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """What is owed to people, each in the order of acceptance."""

    running: tuple[Job, ...] = ()
    """A generator has them, or had them when the bot stopped."""
    undelivered: tuple[Job, ...] = ()
    """Finished, perhaps posted: look before posting."""
    unnotified: tuple[Job, ...] = ()
    """Failed or cancelled, and their owner has not been told."""
    progress_open: tuple[Job, ...] = ()
    """Over and told; a progress message may be left in the channel."""


INSERT = f"""
INSERT INTO jobs (
    id, interaction_id, guild_id, channel_id, user_id, action, prompt, request, model, images, price, adult, cost,
    weight, parent_id, parent_index, progress_message_id, progress_open, nonce, created_at, turn, turn_end
)
SELECT
    :id, :interaction_id, :guild_id, :channel_id, :user_id, :action, :prompt, :request, :model, :images,
    :price, :adult, :cost, :weight, :parent_id, :parent_index, :progress_message_id, 1, :nonce, :created_at, start,
    start + :cost / :weight
FROM (SELECT max(
    {CLOCK},
    coalesce((SELECT max(turn_end) FROM jobs
        WHERE guild_id = :guild_id AND user_id = :user_id AND (attempt > 0 OR state = 'queued')), 0.0)
) AS start)
RETURNING *
"""


async def insert(tx: Transaction, job: NewJob, *, now: datetime) -> Job:
    """Queue a job.

    Raises `DuplicateInteraction` when its interaction has one already, ValueError for an id that can't be
    used.
    """
    values = {field.name: getattr(job, field.name) for field in fields(job)}
    values |= {
        "request": to_json(job.request),
        "nonce": f"easel-{check_id(job.id)}",
        "created_at": to_sql(now),
    }
    await join(tx, job.guild_id)
    try:
        row = await tx.fetch_one(INSERT, values)
    except sqlite3.IntegrityError as error:
        if "jobs.interaction_id" in str(error):
            raise DuplicateInteraction(f"interaction {job.interaction_id} has a job already") from error
        raise
    assert row is not None
    return as_job(row)


async def _changed(tx: Transaction, sql: str, parameters: tuple[Any, ...]) -> bool:
    return await tx.fetch_one(f"{sql} RETURNING number", parameters) is not None


async def requeue(tx: Transaction, job_id: str, attempt: int, *, counts: bool) -> bool:
    """Put a running job back at its turn; `counts` says that the attempt was spent on the job itself."""
    return await _changed(
        tx,
        "UPDATE jobs SET state = 'queued', tries = tries + ?, started_at = NULL"
        " WHERE id = ? AND state = 'running' AND attempt = ?",
        (int(counts), job_id, attempt),
    )


async def finish(tx: Transaction, job_id: str, attempt: int, *, seconds: float, now: datetime) -> bool:
    """A running job's pictures are on disk after `seconds` of drawing."""
    await settle(tx, job_id, attempt, seconds=float(seconds), now=now)
    return await _changed(
        tx,
        "UPDATE jobs SET state = 'finished', seconds = ?, finished_at = ?"
        " WHERE id = ? AND state = 'running' AND attempt = ?",
        (float(seconds), to_sql(now), job_id, attempt),
    )


async def fail(tx: Transaction, job_id: str, attempt: int, *, reason: str, now: datetime) -> bool:
    """A running job ends without pictures; `reason` is a `FailureReason`."""
    await settle(tx, job_id, attempt, seconds=None, now=now)
    return await _changed(
        tx,
        "UPDATE jobs SET state = 'failed', failure = ?, finished_at = ?"
        " WHERE id = ? AND state = 'running' AND attempt = ?",
        (str(reason), to_sql(now), job_id, attempt),
    )


async def cancel(tx: Transaction, job_id: str, *, by: int, now: datetime) -> bool:
    """Stop a queued or running job, of whatever attempt; `by` is the person who asked."""
    await settle(tx, job_id, None, seconds=None, now=now)
    return await _changed(
        tx,
        "UPDATE jobs SET state = 'cancelled', cancelled_by = ?, finished_at = ?"
        " WHERE id = ? AND state IN ('queued', 'running')",
        (by, to_sql(now), job_id),
    )


async def deliver(tx: Transaction, job_id: str, *, message_id: int | None, now: datetime) -> bool:
    """A finished job's result is in the channel as this message; None when there was nowhere to post it."""
    delivered = await _changed(
        tx,
        "UPDATE jobs SET state = 'delivered', result_message_id = ?, unposted = ?, delivered_at = ?"
        " WHERE id = ? AND state = 'finished'",
        (message_id, message_id is None, to_sql(now), job_id),
    )
    if delivered and message_id is not None:
        await add_message(tx, message_id, job_id, None)
    return delivered


async def set_progress_message(tx: Transaction, job_id: str, message_id: int | None) -> None:
    """Remember which message shows the job's progress; None for no longer any."""
    await tx.execute("UPDATE jobs SET progress_message_id = ? WHERE id = ?", (message_id, job_id))


async def mark_notified(tx: Transaction, job_id: str) -> None:
    """The owner of a failed or cancelled job has been told. A cancelled one's progress message says so, and stays."""
    await tx.execute(
        "UPDATE jobs SET notified = 1, progress_open = progress_open AND state <> 'cancelled' WHERE id = ?",
        (job_id,),
    )


async def close_progress(tx: Transaction, job_id: str) -> None:
    """Nothing is left to do about a job's progress message."""
    await tx.execute("UPDATE jobs SET progress_open = 0 WHERE id = ?", (job_id,))


async def mark_adult(tx: Transaction, job_id: str) -> None:
    """What a job drew was found to be for adults."""
    await tx.execute("UPDATE jobs SET adult = 1 WHERE id = ?", (job_id,))


async def settle_adult(tx: Transaction, models: Iterable[str]) -> None:
    """Jobs from before `adult` was kept are as their models are now; `models` are those for adults."""
    await tx.execute(
        "UPDATE jobs SET adult = model IN (SELECT value FROM json_each(?)) WHERE adult IS NULL",
        (json.dumps(list(models)),),
    )


async def recover(tx: Transaction) -> tuple[Job, ...]:
    """Queue again what was running when the bot stopped, with turn and tries as before."""
    running = await tx.fetch_all(
        "UPDATE jobs SET state = 'queued', started_at = NULL WHERE state = 'running' RETURNING *"
    )
    return tuple(as_job(row) for row in sorted(running, key=lambda row: int(row["number"])))


# Each part is the condition of an index.
UNFINISHED = """
SELECT * FROM jobs WHERE state = 'running'
UNION ALL SELECT * FROM jobs WHERE state = 'finished'
UNION ALL SELECT * FROM jobs WHERE state IN ('failed', 'cancelled') AND notified = 0
UNION ALL SELECT * FROM jobs WHERE progress_open = 1
    AND (state = 'delivered' OR (state IN ('failed', 'cancelled') AND notified = 1))
ORDER BY number
"""


async def unfinished(tx: Transaction) -> Unfinished:
    """All that is owed to people at this moment, whether or not somebody works on it."""
    found = [as_job(row) for row in await tx.fetch_all(UNFINISHED)]
    told = [job for job in found if job.notified or job.state is JobState.DELIVERED]
    ended = [job for job in found if job.state in (JobState.FAILED, JobState.CANCELLED)]
    return Unfinished(
        running=tuple(job for job in found if job.state is JobState.RUNNING),
        undelivered=tuple(job for job in found if job.state is JobState.FINISHED),
        unnotified=tuple(job for job in ended if not job.notified),
        progress_open=tuple(told),
    )


async def unposted(tx: Transaction, *, guild_id: int, user_id: int) -> list[Job]:
    """A member's results that could be posted nowhere and that they have not seen, the newest first; 100 at most."""
    rows = await tx.fetch_all(
        "SELECT * FROM jobs WHERE unposted = 1 AND guild_id = ? AND user_id = ? ORDER BY number DESC LIMIT 100",
        (guild_id, user_id),
    )
    return [as_job(row) for row in rows]


async def mark_seen(tx: Transaction, job_ids: Iterable[str]) -> None:
    """The owner of results that could be posted nowhere has seen them."""
    await tx.execute(
        "UPDATE jobs SET unposted = 0 WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(job_ids)),),
    )
