"""Jobs per second through the whole bot when drawing takes no time, and what a long line costs those who join it."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.instant_discord import CHANNEL, FIRST_USER, GUILD, InstantDiscord
from benchmarks.instant_generator import InstantGenerator
from benchmarks.rig import PLENTY, PROMPT, running_bot
from benchmarks.rows import Row, median, percentile, spread
from bot.client import EaselClient
from bot.jobs import orders, prompts
from storage.credits import account, calendar
from storage.database import Transaction
from storage.files import job_ids
from storage.jobs import lifecycle
from storage.jobs.job import NewJob

MEMBERS = 200
AT_ONCE = 50
"""Slash commands under way at a time, as a busy server would have them."""
MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory: what the disk costs is the difference."""
FLAT = 2.0
"""How much larger a 99th percentile may be at the longest line than at the shortest, to be called flat."""


def run(*, quick: bool) -> list[Row]:
    """See the module."""
    count, samples = (200, 100) if quick else (2000, 500)
    rate, computing = asyncio.run(_rate(count))
    rows = [
        Row(
            what=f"{count:,} jobs through the whole bot, instant generator",
            measured=f"{rate:.0f} jobs/s, {computing * 1000:.1f} ms of processor time each",
            target="≥ 100 jobs/s",
            met=rate >= 100,
        ),
        Row(what="one fsync of 4 KiB on the disk of that data", measured=f"{_sync_seconds() * 1000:.2f} ms"),
    ]
    if MEMORY.is_dir():
        rate, computing = asyncio.run(_rate(count, disk=MEMORY))
        rows.append(
            Row(
                what="the same jobs with the data in memory",
                measured=f"{rate:.0f} jobs/s, {computing * 1000:.1f} ms of processor time each",
            )
        )
    return rows + _lines((10, 1000) if quick else (10, 1000, 10_000), samples)


def _lines(depths: tuple[int, ...], samples: int) -> list[Row]:
    """With the data in memory where that can be: the disk's own whims would hide what a longer line costs."""
    disk = MEMORY if MEMORY.is_dir() else None
    rows: list[Row] = []
    limit = 0.0
    for depth in depths:
        waits, drained = asyncio.run(_join(depth, samples, disk))
        p99 = percentile(waits, 99)
        limit = limit or FLAT * p99
        rows.append(
            Row(
                what=f"/imagine to its place in line, {depth:,} waiting; then jobs/s from that line",
                measured=f"{spread(waits)}; {drained:.0f} jobs/s",
                target=f"p99 flat (≤ {FLAT:g}× that of {depths[0]} waiting)",
                met=p99 <= limit,
            )
        )
    return rows


async def _rate(count: int, *, disk: Path | None = None) -> tuple[float, float]:
    """Jobs per second, and this process's seconds of computing for each.

    Commands come `AT_ONCE` at a time; it ends when the last job's progress message is gone.
    """
    async with running_bot(lambda *_: InstantGenerator(), disk=disk) as (_, discord):
        await _warm_up(discord)
        room = asyncio.Semaphore(AT_ONCE)

        async def ask(user: int) -> None:
            async with room:
                await discord.slash("imagine", user=user % MEMBERS, prompt=PROMPT).answered

        began, computed = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for user in range(count):
                group.create_task(ask(user))
            for _ in range(count):
                last = await discord.log.retired.get()
        return count / (last - began), (time.process_time() - computed) / count


async def _warm_up(discord: InstantDiscord) -> None:
    for user in range(10):
        discord.slash("imagine", user=user, prompt=PROMPT)
    for _ in range(10):
        await discord.log.retired.get()


async def _join(depth: int, samples: int, disk: Path | None) -> tuple[list[float], float]:
    """Seconds to join a line of this length, one member after the other, and the line's jobs per second after that."""
    generator = InstantGenerator(held=True)
    async with running_bot(lambda *_: generator, disk=disk) as (client, discord):
        await _fill(client, depth)
        waits = []
        for user in range(samples):
            asked = discord.slash("imagine", user=user % MEMBERS, prompt=PROMPT)
            waits.append(await asked.answered - asked.at)
        began = time.perf_counter()
        generator.release()
        count = min(depth, samples)
        for _ in range(count):
            last = await discord.log.results.get()
        return waits, count / (last - began)


async def _fill(client: EaselClient, depth: int) -> None:
    """Put `depth` jobs of many members in line, with their reservations."""
    services = client.services
    draft = orders.imagine(
        prompts.parse(PROMPT),
        catalogue=services.catalogue,
        default_model=services.default_model,
        images=services.settings.images,
        random=services.random,
    )
    async with services.database.transaction() as tx:
        for number in range(depth):
            await _queue(tx, client, orders.order("imagine", draft), FIRST_USER + number % MEMBERS)


async def _queue(tx: Transaction, client: EaselClient, order: orders.Order, user_id: int) -> None:
    now = datetime.now(UTC)
    new = NewJob(
        id=job_ids.new_id(client.services.random),
        interaction_id=None,
        guild_id=GUILD,
        channel_id=CHANNEL,
        user_id=user_id,
        action=order.action,
        prompt=order.prompt,
        request=order.request,
        model=order.request.sampling.model,
        images=len(order.request.sampling.seeds),
        price=order.price,
        parent_id=None,
        parent_index=None,
    )
    job = await lifecycle.insert(tx, new, now=now)
    await account.reserve(
        tx,
        guild_id=GUILD,
        user_id=user_id,
        job_id=job.id,
        price=job.price,
        allowance=calendar.Rate(PLENTY),
        now=now,
    )


def _sync_seconds() -> float:
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(100):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return median(taken)
