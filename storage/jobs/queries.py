"""Questions about jobs that change nothing: who runs and waits, a member's jobs."""

from __future__ import annotations

from storage.database import Row, Transaction
from storage.jobs.job import Job, JobState, as_job
from storage.jobs.server_turns import NOT_PAUSED, merged


async def get(tx: Transaction, job_id: str) -> Job | None:
    """The job of this id."""
    row = await tx.fetch_one("SELECT * FROM jobs WHERE id = ?", (job_id,))
    return None if row is None else as_job(row)


RUNNING = "SELECT * FROM jobs WHERE state = 'running'{filters} ORDER BY turn, number LIMIT :window"
QUEUED = "SELECT * FROM jobs WHERE state = 'queued'{filters} ORDER BY turn, number LIMIT :window"
DRAWN_FOR, PAUSED = (
    f"{merged(servers=servers)} SELECT jobs.* FROM line CROSS JOIN jobs USING (number)"
    for servers in (NOT_PAUSED, f"NOT {NOT_PAUSED}")
)


async def active(
    tx: Transaction, *, guild_id: int | None = None, user_id: int | None = None, limit: int = 100
) -> list[Job]:
    """The running jobs and then the queued ones in the order of their turns, at most `limit`.

    Of all guilds, those that are paused come last. None for a guild or a user means all of them. Somebody's jobs of
    several guilds are in no order among each other.
    """
    wanted = {"guild_id": guild_id, "user_id": user_id}
    filters = "".join(f" AND {name} = :{name}" for name, value in wanted.items() if value is not None)
    found: list[Row] = []
    for sql in (RUNNING, QUEUED) if filters else (RUNNING, DRAWN_FOR, PAUSED):
        values = wanted | {"window": limit - len(found)}
        found += await tx.fetch_all(sql.replace("{filters}", filters), values)
    return [as_job(row) for row in found]


async def busy_guilds(tx: Transaction) -> list[int]:
    """The guilds in which jobs run or wait."""
    rows = await tx.fetch_all(
        "SELECT DISTINCT guild_id FROM jobs WHERE state IN ('queued', 'running') ORDER BY guild_id"
    )
    return [row["guild_id"] for row in rows]


async def count_waiting(tx: Transaction, *, user_id: int | None = None) -> int:
    """How many jobs are queued, of this user or of all."""
    if user_id is None:
        row = await tx.fetch_one("SELECT count(*) FROM jobs WHERE state = 'queued'")
    else:
        row = await tx.fetch_one("SELECT count(*) FROM jobs WHERE state = 'queued' AND user_id = ?", (user_id,))
    return 0 if row is None else int(row[0])


async def count_by_state(tx: Transaction) -> dict[JobState, int]:
    """How many jobs are kept in each state; states without any are left out."""
    rows = await tx.fetch_all("SELECT state, count(*) FROM jobs GROUP BY state")
    return {JobState(row[0]): int(row[1]) for row in rows}


async def recent(tx: Transaction, *, guild_id: int, user_id: int, limit: int) -> list[Job]:
    """A member's latest jobs in any state, newest first."""
    rows = await tx.fetch_all(
        "SELECT * FROM jobs WHERE guild_id = ? AND user_id = ? ORDER BY number DESC LIMIT ?",
        (guild_id, user_id, limit),
    )
    return [as_job(row) for row in rows]


async def any_kept(tx: Transaction) -> bool:
    """Whether the database knows any job at all."""
    return await tx.fetch_one("SELECT 1 FROM jobs LIMIT 1") is not None


async def finished_in(tx: Transaction, channel_id: int) -> bool:
    """Whether a result is being posted in a channel: it is not on record yet by which message."""
    row = await tx.fetch_one("SELECT 1 FROM jobs WHERE state = 'finished' AND channel_id = ?", (channel_id,))
    return row is not None
