"""Owns the order of the waiting jobs: turns, who is next, and when each is likely to be done.

`turns.py` says what the order is. A job's `turn` and `turn_end` are dealt out when it is queued, from an expected
cost, and its owner's later turns move when it ends and the real one is known, but not to before the virtual clock.
The clock never goes back: each claim keeps in `clock` the turn of the first in line, and each end of a job what its
seconds add, so that a restart changes nothing. A job that was cancelled before it began takes up no turn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.changes import EVERYWHERE
from storage.clock import to_sql
from storage.database import Row, Transaction
from storage.job import Job, as_job
from storage.paces import LEAST
from storage.turns import AGEING, NONE_WARM, USUAL_LOAD, WINDOW, Waiting, Workers, choose, foresee, sharers

CLOCK = "coalesce((SELECT max(clock) FROM jobs WHERE clock IS NOT NULL), 0.0)"
"""The virtual clock."""


# ----------------------------------------------------------------------------------------------------------- claiming

FIRST = """
SELECT jobs.id, user_id, jobs.model, turn, weight, cost, delayed, coalesce(loads.seconds, :usual_load) AS load,
    EXISTS (SELECT 1 FROM paces WHERE paces.model = jobs.model) AS known
FROM jobs LEFT JOIN loads ON loads.model = jobs.model
WHERE state = 'queued' AND user_id NOT IN (
    SELECT user_id FROM jobs WHERE state = 'running' GROUP BY user_id HAVING count(*) >= :most_running
) AND NOT EXISTS (
    SELECT 1 FROM pauses WHERE halt = 'paused' AND pauses.guild_id IN (:everywhere, jobs.guild_id)
) AND (most_running IS NULL OR most_running > (
    SELECT count(*) FROM jobs AS drawn
    WHERE drawn.state = 'running' AND drawn.user_id = jobs.user_id AND drawn.guild_id = jobs.guild_id
))
ORDER BY turn, number LIMIT :window
"""

CLAIM = f"""
UPDATE jobs SET state = 'running', attempt = attempt + 1, started_at = :now, load = :load,
    clock = max(:first, {CLOCK}), sharers = :sharers
WHERE id = :id AND state = 'queued'
RETURNING *
"""

PASS_OVER = """
UPDATE jobs SET delayed = delayed + :seconds WHERE id IN (SELECT value FROM json_each(:ids))
"""


async def claim(
    tx: Transaction, *, now: datetime, workers: Workers = NONE_WARM, most_running: int | None = None
) -> Job | None:
    """Take the next queued job, which is running from now on; None when nobody waits.

    People with `most_running` running jobs are not among those who wait; None means no limit. Nor are jobs of paused
    guilds, and those whose owner has as many running in their guild as its admins allow.
    """
    line = [_waiting(row) for row in await _first(tx, most_running)]
    if not line:
        return None
    place = choose(line, workers.warm)
    chosen, takes = line[place], line[place].takes(workers.warm)
    if place:
        passed = json.dumps([job.id for job in line[:place]])
        await tx.execute(PASS_OVER, {"seconds": takes, "ids": passed})
    load = 0.0 if chosen.model in workers.warm else chosen.load
    clock = {"first": line[0].turn, "sharers": sharers(line)}
    row = await tx.fetch_one(CLAIM, {"now": to_sql(now), "id": chosen.id, "load": load} | clock)
    return None if row is None else as_job(row)


async def claimable(tx: Transaction, *, most_running: int | None = None) -> bool:
    """Whether `claim` would find a job now."""
    return bool(await _first(tx, most_running))


async def _first(tx: Transaction, most_running: int | None = None) -> list[Row]:
    values = {"most_running": most_running or 2**31, "everywhere": EVERYWHERE}
    return await tx.fetch_all(FIRST, values | {"window": WINDOW, "usual_load": USUAL_LOAD})


def _waiting(row: Row) -> Waiting:
    return Waiting(
        id=row["id"],
        user_id=row["user_id"],
        model=row["model"],
        turn=row["turn"],
        weight=row["weight"],
        seconds=row["cost"],
        load=row["load"],
        delayed=row["delayed"],
    )


# ----------------------------------------------------------------------------------------------------------- settling

SETTLE = f"""
WITH ended AS (
    SELECT number, user_id, turn, turn_end, weight, sharers, max({LEAST}, coalesce(:seconds, CASE state
        WHEN 'running' THEN min((:now - started_at) / 1000.0, (turn_end - turn) * weight)
        ELSE 0 END)) AS took
    FROM jobs WHERE id = :id AND state IN ('queued', 'running') AND attempt = coalesce(:attempt, attempt)
), later AS (
    SELECT jobs.number, jobs.turn FROM jobs, ended
    WHERE jobs.state = 'queued' AND jobs.user_id = ended.user_id AND jobs.turn > ended.turn
), moved AS (
    SELECT number AS ended, change, max(change, min(0.0, showed - (SELECT min(turn) FROM later))) AS shift,
        showed + {AGEING} * took / sharers AS shows
    FROM (SELECT *, turn + took / weight - turn_end AS change, {CLOCK} AS showed FROM ended)
)
UPDATE jobs SET
    turn = turn + iif(number = ended, 0.0, shift),
    turn_end = turn_end + iif(number = ended, change, shift),
    clock = iif(number = ended, shows, clock)
FROM moved
WHERE number IN (SELECT number FROM ended UNION ALL SELECT number FROM later)
"""


async def settle(
    tx: Transaction, job_id: str, attempt: int | None, *, seconds: float | None, now: datetime
) -> None:
    """Before a job ends: charge its owner the seconds that it drew, and move their later turns by the difference.

    None for `seconds` takes those since it was claimed, at most what was expected; None for `attempt` means any.
    """
    values = {"id": job_id, "attempt": attempt, "seconds": seconds, "now": to_sql(now)}
    await tx.execute(SETTLE, values)


# ---------------------------------------------------------------------------------------------------------- foreseeing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How many jobs are before one, and seconds until its pictures are there: None while its pace is unknown."""

    ahead: int
    seconds: float | None


AHEAD = """
SELECT (SELECT count(*) FROM jobs WHERE state = 'running') + (
    SELECT count(*) FROM jobs AS ahead
    WHERE ahead.state = 'queued' AND (ahead.turn, ahead.number) < (me.turn, me.number)
) AS jobs, (
    SELECT total(cost) FROM jobs AS ahead
    WHERE ahead.state = 'queued' AND (ahead.turn, ahead.number) < (me.turn, me.number)
) AS seconds, cost
FROM jobs AS me WHERE me.id = :job_id AND me.state = 'queued'
"""

RUNNING = """
SELECT id, cost + load AS takes, (:now - started_at) / 1000.0 AS gone,
    EXISTS (SELECT 1 FROM paces WHERE paces.model = jobs.model) AS known
FROM jobs WHERE state = 'running'
"""


async def position(tx: Transaction, job_id: str) -> int:
    """How many jobs are before this one: those running and the queued ones ahead. 0 when it doesn't wait."""
    row = await tx.fetch_one(AHEAD, {"job_id": job_id})
    return 0 if row is None else int(row["jobs"])


async def outlook(tx: Transaction, job_id: str, *, now: datetime, workers: Workers) -> Outlook:
    """What a waiting job has to expect, if nobody comes before it."""
    row = await tx.fetch_one(AHEAD, {"job_id": job_id})
    if row is None:
        return Outlook(ahead=0, seconds=None)
    running, first = await _running(tx, now), await _first(tx)
    done = _foreseen(running, first, workers)
    seconds = done.get(job_id)
    if seconds is None and len(done) == len(running) + len(first) == len(running) + WINDOW:
        # Beyond the first few, which are played through, the line is taken to go on like them.
        drawn = sum(one["cost"] for one in first)
        seconds = max(done.values()) * (row["seconds"] + row["cost"]) / drawn
    return Outlook(ahead=int(row["jobs"]), seconds=seconds)


async def outlooks(tx: Transaction, *, now: datetime, workers: Workers) -> dict[str, float]:
    """Seconds until the running and the first waiting jobs are done, by id; none behind a model of unknown pace."""
    return _foreseen(await _running(tx, now), await _first(tx), workers)


async def _running(tx: Transaction, now: datetime) -> list[Row]:
    return await tx.fetch_all(RUNNING, {"now": to_sql(now)})


def _foreseen(running: Sequence[Row], first: Sequence[Row], workers: Workers) -> dict[str, float]:
    known = {row["id"]: max(row["takes"] - row["gone"], row["takes"] / 20) for row in running if row["known"]}
    if len(known) < len(running):
        return known
    busy = sorted(known.values())[: workers.capacity] + [0.0] * max(0, workers.capacity - len(known))
    sure = next((place for place, row in enumerate(first) if not row["known"]), len(first))
    return known | foresee([_waiting(row) for row in first[:sure]], warm=workers.warm, busy=busy)
