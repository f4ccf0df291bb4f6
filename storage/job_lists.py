"""Questions about jobs that change nothing: who runs and waits, a member's jobs."""

from __future__ import annotations

from storage.database import Transaction
from storage.job import Job, as_job


async def get(tx: Transaction, job_id: str) -> Job | None:
    """The job of this id."""
    row = await tx.fetch_one("SELECT * FROM jobs WHERE id = ?", (job_id,))
    return None if row is None else as_job(row)


async def active(
    tx: Transaction, *, guild_id: int | None = None, user_id: int | None = None, limit: int = 100
) -> list[Job]:
    """The running jobs and then the queued ones in the order of their turns, at most `limit`.

    None for a guild or a user means all of them.
    """
    wanted = {"guild_id": guild_id, "user_id": user_id}
    filters = "".join(f" AND {name} = :{name}" for name, value in wanted.items() if value is not None)
    jobs: list[Job] = []
    for state in ("running", "queued"):
        rows = await tx.fetch_all(
            f"SELECT * FROM jobs WHERE state = '{state}'{filters} ORDER BY turn, number LIMIT :limit",
            wanted | {"limit": limit - len(jobs)},
        )
        jobs += [as_job(row) for row in rows]
    return jobs


async def channels(tx: Transaction, guild_id: int | None) -> list[tuple[int, int]]:
    """The guilds and channels in which jobs run or wait; None for a guild means all of them."""
    rows = await tx.fetch_all(
        "SELECT DISTINCT guild_id, channel_id FROM jobs WHERE state IN ('queued', 'running')"
        " AND guild_id = coalesce(?, guild_id) ORDER BY guild_id, channel_id",
        (guild_id,),
    )
    return [(row["guild_id"], row["channel_id"]) for row in rows]


async def count_waiting(tx: Transaction, *, user_id: int | None = None) -> int:
    """How many jobs are queued, of this user or of all."""
    if user_id is None:
        row = await tx.fetch_one("SELECT count(*) FROM jobs WHERE state = 'queued'")
    else:
        row = await tx.fetch_one(
            "SELECT count(*) FROM jobs WHERE state = 'queued' AND user_id = ?", (user_id,)
        )
    return 0 if row is None else int(row[0])


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
