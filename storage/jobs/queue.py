"""Owns the order of the waiting jobs: turns, who is next, and when each is likely to be done.

`scheduling.py` says what the order is, and `server_turns.py` how servers share. A job gets its `turn` and `turn_end`, among
its server's jobs, when it is queued, from an expected cost. When it ends and the real cost is known, its owner's later
turns there move, but not to before the virtual clock. The clocks never go back: each claim brings them to the turn of
the first in line, and each end of a job adds what its seconds are worth. All of it is in columns, so that a restart
changes nothing. A job that was cancelled before it began takes up no turn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.database import Row, Transaction
from storage.jobs import server_turns
from storage.jobs.job import Job, as_job
from storage.jobs.scheduling import (
    AGEING,
    NONE_WARM,
    USUAL_LOAD,
    WINDOW,
    Waiting,
    Workers,
    choose,
    foresee,
    sharers,
)
from storage.jobs.server_turns import BEGINS, CLOCK, NOT_PAUSED, merged
from storage.jobs.timings import LEAST
from storage.timestamps import to_sql

# ----------------------------------------------------------------------------------------------------------- claiming

MAY_BE_DRAWN = """user_id NOT IN (
    SELECT user_id FROM jobs WHERE state = 'running' GROUP BY user_id HAVING count(*) >= :most_running
) AND (most_running IS NULL OR most_running > (
    SELECT count(*) FROM jobs AS drawn
    WHERE drawn.state = 'running' AND drawn.user_id = jobs.user_id AND drawn.guild_id = jobs.guild_id
))"""

FIRST = f"""
{merged(servers=NOT_PAUSED, jobs=MAY_BE_DRAWN)}
SELECT jobs.id, jobs.guild_id, user_id, jobs.model, jobs.turn, weight, jobs.cost, delayed, server_turn, server_weight,
    coalesce(loads.seconds, :usual_load) AS load,
    EXISTS (SELECT 1 FROM paces WHERE paces.model = jobs.model) AS known
FROM line CROSS JOIN jobs USING (number) LEFT JOIN loads ON loads.model = jobs.model
"""

FIRST_OF_SERVER = f"""
SELECT user_id, turn, weight FROM jobs
WHERE state = 'queued' AND guild_id = :guild_id AND {MAY_BE_DRAWN}
ORDER BY turn, number LIMIT :window
"""

CLAIM = """
UPDATE jobs SET state = 'running', attempt = attempt + 1, started_at = :now, load = :load,
    sharers = :sharers, servers = :servers, charged = :charged
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
    shares = await _charge(tx, chosen, line, most_running)
    row = await tx.fetch_one(CLAIM, {"now": to_sql(now), "id": chosen.id, "load": load} | shares)
    return None if row is None else as_job(row)


async def claimable(tx: Transaction, *, most_running: int | None = None) -> bool:
    """Whether `claim` would find a job now."""
    return bool(await _first(tx, most_running))


async def _charge(
    tx: Transaction, chosen: Waiting, line: Sequence[Waiting], most_running: int | None
) -> dict[str, float]:
    """Bring the clocks to the first in line, and move the turn of the chosen one's server."""
    own = await tx.fetch_all(FIRST_OF_SERVER, _limits(most_running) | {"guild_id": chosen.guild_id})
    servers = await tx.fetch_one(server_turns.SHARERS)
    assert servers is not None
    charged = chosen.seconds / chosen.server_weight
    begins = next(job.server_turn for job in line if job.guild_id == chosen.guild_id)
    turns = {"turn": begins, "first": own[0]["turn"], "server_first": line[0].server_turn}
    await tx.execute(server_turns.CHARGE, {"guild_id": chosen.guild_id, "charged": charged} | turns)
    people = {row["user_id"]: float(row["weight"]) for row in own}
    return {"charged": charged, "sharers": sharers(people), "servers": servers["servers"]}


def _limits(most_running: int | None = None) -> dict[str, int]:
    return {"most_running": most_running or 2**31, "window": WINDOW}


async def _first(tx: Transaction, most_running: int | None = None) -> list[Row]:
    return await tx.fetch_all(FIRST, _limits(most_running) | {"usual_load": USUAL_LOAD})


def _waiting(row: Row) -> Waiting:
    return Waiting(
        id=row["id"],
        guild_id=row["guild_id"],
        user_id=row["user_id"],
        model=row["model"],
        turn=row["turn"],
        server_turn=row["server_turn"],
        server_weight=row["server_weight"],
        seconds=row["cost"],
        load=row["load"],
        delayed=row["delayed"],
    )


# ----------------------------------------------------------------------------------------------------------- settling

ENDS = f"""
SELECT number, guild_id, user_id, turn, turn_end, weight, sharers, servers, charged, state, max({LEAST},
    coalesce(:seconds, CASE state
        WHEN 'running' THEN min((:now - started_at) / 1000.0, (turn_end - turn) * weight)
        ELSE 0 END)) AS took
FROM jobs WHERE id = :id AND state IN ('queued', 'running') AND attempt = coalesce(:attempt, attempt)
"""

SETTLE = f"""
WITH later AS (
    SELECT number, turn FROM jobs
    WHERE state = 'queued' AND guild_id = :guild_id AND user_id = :user_id AND turn > :turn
), moved AS (
    SELECT max(:change, min(0.0, {CLOCK} - (SELECT min(turn) FROM later))) AS shift
)
UPDATE jobs SET
    turn = turn + iif(number = :number, 0.0, shift),
    turn_end = turn_end + iif(number = :number, :change, shift)
FROM moved
WHERE number = :number OR number IN (SELECT number FROM later)
"""


async def settle(tx: Transaction, job_id: str, attempt: int | None, *, seconds: float | None, now: datetime) -> None:
    """Before a job ends: charge its owner and its server the seconds that it drew, and move their later turns.

    None for `seconds` takes those since it was claimed, at most what was expected; None for `attempt` means any.
    """
    values = {"id": job_id, "attempt": attempt, "seconds": seconds, "now": to_sql(now)}
    ended = await tx.fetch_one(ENDS, values)
    if ended is None:
        return
    owner = {name: ended[name] for name in ("number", "guild_id", "user_id", "turn")}
    change = ended["turn"] + ended["took"] / ended["weight"] - ended["turn_end"]
    await tx.execute(SETTLE, owner | {"change": change})
    if ended["sharers"] is not None:
        await tx.execute(server_turns.SETTLE, _shares(ended))


def _shares(ended: Row) -> dict[str, float]:
    """What the end of a job that was claimed once is worth to its server and to the clocks."""
    took, running = ended["took"], ended["state"] == "running"
    return {
        "guild_id": ended["guild_id"],
        "took": took if running else 0.0,
        "charged": ended["charged"] if running else 0.0,
        "share": AGEING * took / ended["sharers"],
        "all_share": AGEING * took / max(ended["servers"] or 0.0, LEAST),
    }


# ---------------------------------------------------------------------------------------------------------- foreseeing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How many jobs are before one, and seconds until its pictures are there: None while its pace is unknown."""

    ahead: int
    seconds: float | None


OWN_AHEAD = f"""
WITH ahead AS (
    SELECT count(*) AS jobs, total(ahead.cost) AS work FROM jobs AS me CROSS JOIN jobs AS ahead USING (guild_id)
    WHERE me.id = :job_id AND ahead.state = 'queued' AND (ahead.turn, ahead.number) < (me.turn, me.number)
)
SELECT me.number, me.guild_id, me.cost, jobs, work, {BEGINS} + work / server.weight AS server_turn,
    (SELECT count(*) FROM jobs WHERE state = 'running') AS running
FROM jobs AS me CROSS JOIN server_turns AS server USING (guild_id) CROSS JOIN ahead
WHERE me.id = :job_id AND me.state = 'queued'
"""

# Of most servers all jobs are before this one, or none. Only those of the others are counted up one by one.
OTHERS_AHEAD = f"""
WITH server AS MATERIALIZED (
    SELECT guild_id, server.weight, {BEGINS} AS begins, count(*) AS jobs, total(cost) AS work
    FROM server_turns AS server CROSS JOIN jobs USING (guild_id)
    WHERE waiting > 0 AND guild_id <> :guild_id AND {NOT_PAUSED} AND state = 'queued'
    GROUP BY guild_id
), line AS (
    SELECT number, guild_id, cost, total(cost) OVER (
        PARTITION BY guild_id ORDER BY turn, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS before
    FROM jobs WHERE state = 'queued' AND guild_id IN (
        SELECT guild_id FROM server WHERE begins <= :server_turn AND begins + work / weight > :server_turn
    )
)
SELECT total(jobs) AS jobs, total(work) AS work FROM (
    SELECT jobs, work FROM server WHERE begins + work / weight <= :server_turn
    UNION ALL
    SELECT count(*), total(cost) FROM line CROSS JOIN server USING (guild_id)
    WHERE (begins + before / weight, number) < (:server_turn, :number)
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ahead:
    """The jobs before one, with those that run; the seconds of those that wait, and its own."""

    jobs: int
    seconds: float
    own: float


async def _ahead(tx: Transaction, job_id: str) -> _Ahead | None:
    """What is before a job; None when it doesn't wait."""
    mine = await tx.fetch_one(OWN_AHEAD, {"job_id": job_id})
    if mine is None:
        return None
    place = {name: mine[name] for name in ("guild_id", "number", "server_turn")}
    others = await tx.fetch_one(OTHERS_AHEAD, place)
    assert others is not None
    return _Ahead(
        jobs=mine["running"] + mine["jobs"] + int(others["jobs"]),
        seconds=mine["work"] + others["work"],
        own=mine["cost"],
    )


RUNNING = """
SELECT id, cost + load AS takes, (:now - started_at) / 1000.0 AS gone,
    EXISTS (SELECT 1 FROM paces WHERE paces.model = jobs.model) AS known
FROM jobs WHERE state = 'running'
"""


async def position(tx: Transaction, job_id: str) -> int:
    """How many jobs are before this one: those running and the queued ones ahead. 0 when it doesn't wait."""
    ahead = await _ahead(tx, job_id)
    return 0 if ahead is None else ahead.jobs


async def outlook(tx: Transaction, job_id: str, *, now: datetime, workers: Workers) -> Outlook:
    """What a waiting job has to expect, if nobody comes before it."""
    ahead = await _ahead(tx, job_id)
    if ahead is None:
        return Outlook(ahead=0, seconds=None)
    running, first = await _running(tx, now), await _first(tx)
    done = _foreseen(running, first, workers)
    seconds = done.get(job_id)
    if seconds is None and len(done) == len(running) + len(first) == len(running) + WINDOW:
        # Beyond the first few, which are played through, the line is taken to go on like them.
        drawn = sum(one["cost"] for one in first)
        seconds = max(done.values()) * (ahead.seconds + ahead.own) / drawn
    return Outlook(ahead=ahead.jobs, seconds=seconds)


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
