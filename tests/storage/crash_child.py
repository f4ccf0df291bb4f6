"""Does random steps on a database until it is killed, and prints each one after it was committed."""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from generation.contract import Sampling, TextToImage
from storage.credits import account, calendar
from storage.database import Database, Transaction
from storage.files import job_ids
from storage.jobs import lifecycle, queries, queue
from storage.jobs.job import Job, JobState, NewJob

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


def say(job: Job | None) -> None:
    if job is not None:
        print(job.id, job.state, flush=True)


REQUEST = TextToImage(
    sampling=Sampling(model="easel", prompt="", negative="", width=256, height=256, steps=20, guidance=4.0, seeds=(1,))
)


async def accept(tx: Transaction, source: random.Random) -> str:
    user, price = source.randint(1, 3), source.randint(1, 9)
    job = NewJob(
        id=job_ids.new_id(source),
        guild_id=1,
        channel_id=1,
        user_id=user,
        action="imagine",
        prompt="x" * source.randint(0, 9000),
        request=REQUEST,
        model="toy",
        images=4,
        price=price,
    )
    await account.reserve(
        tx, guild_id=1, user_id=user, job_id=job.id, price=price, allowance=calendar.Rate(1_000_000), now=NOW
    )
    await lifecycle.insert(tx, job, now=NOW)
    return job.id


async def carry_on(tx: Transaction, job: Job, source: random.Random) -> str:
    """A job's next step."""
    if job.state is JobState.FINISHED:
        await lifecycle.deliver(tx, job.id, message_id=source.getrandbits(60), now=NOW)
        await account.settle(tx, job.id, now=NOW)
        return job.id
    step = source.choice(("finish", "finish", "fail", "cancel", "requeue"))
    if step == "finish":
        await lifecycle.finish(tx, job.id, job.attempt, seconds=1, now=NOW)
    elif step == "requeue":
        await lifecycle.requeue(tx, job.id, job.attempt, counts=True)
    else:
        if step == "fail":
            await lifecycle.fail(tx, job.id, job.attempt, reason="internal", now=NOW)
        else:
            await lifecycle.cancel(tx, job.id, by=1, now=NOW)
        await account.refund(tx, job.id, now=NOW)
    return job.id


async def step(tx: Transaction, source: random.Random, held: list[str]) -> str:
    """One random step; `held` are the jobs that are running or finished."""
    if held and source.random() < 0.6:
        job = await queries.get(tx, held.pop(0))
        assert job is not None
        return await carry_on(tx, job, source)
    if source.random() < 0.5:
        claimed = await queue.claim(tx, now=NOW)
        if claimed is not None:
            return claimed.id
    return await accept(tx, source)


async def main(folder: Path, seed: int) -> None:
    source = random.Random(seed)
    database = await Database.open(folder)
    async with database.transaction() as tx:
        requeued = await lifecycle.recover(tx)
        found = await lifecycle.unfinished(tx)
    if requeued:  # in one write: they were one step
        print("\n".join(f"{job.id} {job.state}" for job in requeued), flush=True)
    held = [job.id for job in found.undelivered]
    while True:
        async with database.transaction() as tx:
            done = await queries.get(tx, await step(tx, source, held))
        assert done is not None
        if done.state in (JobState.RUNNING, JobState.FINISHED):
            held.append(done.id)
        say(done)


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
