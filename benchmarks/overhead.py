"""What the bot and its worker add to a call of diffusers' pipeline, everything included.

The same request is drawn in turns by diffusers alone, in a process of its own, and through the whole bot: from the
slash command until the result is posted, recorded and settled, and the progress message is gone. The worker's loop
may also be quicker than diffusers'; so the time that a job spends outside of drawing is a row of its own.
"""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import Process

import psutil  # type: ignore[import-untyped]

from benchmarks.instant_discord import InstantDiscord
from benchmarks.rig import PROMPT, running_bot
from benchmarks.rows import Row, median
from bot.client import EaselClient
from bot.jobs import orders, prompts
from generation.contract import Request, to_json
from generation.local import LocalGenerator

_SECONDS = 5.0
"""About how long the job that is measured draws: the targets speak of such a one."""


def run(*, quick: bool) -> list[Row]:
    """See the module."""
    return asyncio.run(_measure(pairs=3 if quick else 15))


async def _measure(*, pairs: int) -> list[Row]:
    async with running_bot() as (client, discord):
        folder = client.services.catalogue.default.folder
        raw = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.raw_pipeline",
            str(folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            steps = await _warm_up(client, discord, raw)
            return await _compare(client, discord, raw, steps=steps, pairs=pairs)
        finally:
            raw.kill()
            await raw.wait()


async def _warm_up(client: EaselClient, discord: InstantDiscord, raw: Process) -> int:
    """Load both, and choose the number of steps that makes a job of about `_SECONDS`."""
    request = _request(client, _prompt(0, 10))
    await _raw(raw, request)
    await _whole(discord, _prompt(0, 10))
    each = await _raw(raw, request) / 10
    spec = client.services.catalogue.default
    return max(spec.min_steps, min(spec.max_steps, round(_SECONDS / each)))


async def _compare(client: EaselClient, discord: InstantDiscord, raw: Process, *, steps: int, pairs: int) -> list[Row]:
    alone: list[float] = []
    whole: list[float] = []
    generator = client.services.generator
    assert isinstance(generator, LocalGenerator)
    before = _computed(raw.pid), _computed(generator.pid) + _computed(None)
    for seed in range(1, pairs + 1):
        prompt = _prompt(seed, steps)
        if seed % 2:
            alone.append(await _raw(raw, _request(client, prompt)))
        whole.append(await _whole(discord, prompt))
        if not seed % 2:
            alone.append(await _raw(raw, _request(client, prompt)))
    theirs = (_computed(raw.pid) - before[0]) / pairs
    ours = (_computed(generator.pid) + _computed(None) - before[1]) / pairs
    added = median([one - other for one, other in zip(whole, alone, strict=True)])
    share = median([(one - other) / other for one, other in zip(whole, alone, strict=True)])
    outside = [total - inside for total, inside in zip(whole, await _drawing(client, pairs), strict=True)]
    return [
        Row(
            what=f"Added to a raw pipeline call of {median(alone):.1f} s, {steps} steps (median of {pairs} pairs)",
            measured=f"{added * 1000:+.0f} ms, {share:+.1%}",
            target="≤ 50 ms, ≤ 1 %",
            met=added <= 0.05 and share <= 0.01,
        ),
        Row(
            what="of a job: outside of drawing and encoding (queue, pipe, files, database, posting)",
            measured=f"{median(outside) * 1000:.0f} ms, {median(outside) / median(whole):.1%}",
        ),
        Row(
            what="processor time for each job, bot and worker, against the raw call's process",
            measured=f"{ours:.2f} s against {theirs:.2f} s, {ours / theirs - 1:+.1%}",
        ),
    ]


def _computed(pid: int | None) -> float:
    """Seconds that a process, or this one, has computed: busy neighbours lengthen these less than the clock's."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _prompt(seed: int, steps: int) -> str:
    return f"{PROMPT} --seed {seed} --steps {steps}"


def _request(client: EaselClient, prompt: str) -> Request:
    services = client.services
    return orders.imagine(
        prompts.parse(prompt),
        catalogue=services.catalogue,
        default_model=services.default_model,
        images=services.settings.images,
        random=services.random,
    ).request


async def _raw(raw: Process, request: Request) -> float:
    """Seconds that diffusers took by its own clock."""
    assert raw.stdin is not None
    assert raw.stdout is not None
    raw.stdin.write(to_json(request).encode() + b"\n")
    await raw.stdin.drain()
    return float(await raw.stdout.readline())


async def _whole(discord: InstantDiscord, prompt: str) -> float:
    """Seconds from the command to the end of everything."""
    began = time.perf_counter()
    discord.slash("imagine", prompt=prompt)
    return await discord.log.retired.get() - began


async def _drawing(client: EaselClient, count: int) -> list[float]:
    """What the worker says that it took for each of the last jobs, oldest first."""
    async with client.services.database.reading() as tx:
        rows = await tx.fetch_all(
            "SELECT seconds FROM jobs WHERE seconds IS NOT NULL ORDER BY number DESC LIMIT ?", (count,)
        )
    return [float(row["seconds"]) for row in reversed(rows)]
