"""What the queue costs with ten thousand jobs of two hundred servers in it: SQLite in memory, so without the disk's share."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TypeVar

from benchmarks.rows import Row, median, spread
from benchmarks.virtual_day import InMemory
from generation.contract import Sampling, TextToImage
from storage.files import job_ids
from storage.jobs import lifecycle, queue
from storage.jobs.job import NewJob
from storage.jobs.scheduling import Workers

T = TypeVar("T")

QUICK_ENOUGH = 0.01
"""Seconds that queueing and claiming may take at the median, each."""

PLACE_ENOUGH = 0.05
"""Seconds that a person's place and estimate may take."""

_NOW = datetime(2026, 1, 3, tzinfo=UTC)
_TIMED = ("queue a job", "its place and estimate", "claim the next", "end it")


REQUEST = TextToImage(
    sampling=Sampling(model="easel", prompt="", negative="", width=256, height=256, steps=20, guidance=4.0, seeds=(1,))
)


def run(*, quick: bool) -> list[Row]:
    """See the module."""
    rounds = 30 if quick else 300
    rows = []
    for waiting, servers in ((100, 1), (10_000, 1), (10_000, 200)):
        taken = asyncio.run(_measure(waiting, servers, rounds))
        for what in _TIMED:
            most = PLACE_ENOUGH if what == "its place and estimate" else QUICK_ENOUGH
            rows.append(
                Row(
                    what=f"{waiting:,} jobs of {servers} server{'s' * (servers > 1)} wait: {what}",
                    measured=spread(taken[what]),
                    target=f"p50 ≤ {most * 1000:.0f} ms",
                    met=median(taken[what]) <= most,
                )
            )
    return rows


async def _measure(waiting: int, servers: int, rounds: int) -> dict[str, list[float]]:
    tx, source = InMemory(), random.Random(1)
    taken: dict[str, list[float]] = defaultdict(list)

    async def timed(what: str, work: Awaitable[T]) -> T:
        began = time.perf_counter()
        result = await work
        taken[what].append(time.perf_counter() - began)
        return result

    for number in range(waiting):
        await lifecycle.insert(tx, _new(source, 1 + number % servers), now=_NOW)
    for _ in range(rounds):
        job = await timed(_TIMED[0], lifecycle.insert(tx, _new(source, source.randint(1, servers)), now=_NOW))
        await timed(_TIMED[1], queue.outlook(tx, job.id, now=_NOW, workers=Workers()))
        claimed = await timed(_TIMED[2], queue.claim(tx, now=_NOW, most_running=3))
        assert claimed is not None
        await timed(_TIMED[3], lifecycle.finish(tx, claimed.id, claimed.attempt, seconds=claimed.cost, now=_NOW))
    return taken


def _new(source: random.Random, guild_id: int) -> NewJob:
    return NewJob(
        id=job_ids.new_id(source),
        guild_id=guild_id,
        channel_id=1,
        user_id=source.randint(1, 2_000),
        action="imagine",
        prompt="",
        request=REQUEST,
        model="easel",
        images=1,
        price=1,
        cost=source.choice((1.0, 4.0, 9.0)),
    )
