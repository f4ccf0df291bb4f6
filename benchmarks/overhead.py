"""What the bot and its worker add to a call of diffusers' pipeline, everything included.

The engine and diffusers' pipeline draw the same requests in turn, in one process; the whole bot draws them too, from the
slash command until the result is posted, recorded and settled, and the progress message is gone. What is added is the
difference of the first two, and what a job of the bot spends outside of its worker's drawing.
"""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import Process

from benchmarks.instant_discord import InstantDiscord
from benchmarks.rig import PROMPT, running_bot
from benchmarks.rows import Row, median
from bot.client import EaselClient
from bot.jobs import orders, prompts
from generation.contract import Request, to_json

_SECONDS = 5.0
"""About how long the job that is measured draws: the targets speak of such a one."""


def run(*, quick: bool) -> list[Row]:
    """See the module."""
    return asyncio.run(_measure(pairs=3 if quick else 15))


async def _measure(*, pairs: int) -> list[Row]:
    async with running_bot() as (client, discord):
        raw = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.raw_pipeline",
            str(client.services.settings.models),
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
    await _alone(raw, request)
    await _whole(discord, _prompt(0, 10))
    each = (await _alone(raw, request))[0] / 10
    spec = client.services.catalogue.default
    return max(spec.min_steps, min(spec.max_steps, round(_SECONDS / each)))


async def _compare(client: EaselClient, discord: InstantDiscord, raw: Process, *, steps: int, pairs: int) -> list[Row]:
    alone: list[tuple[float, float]] = []
    whole: list[float] = []
    for seed in range(1, pairs + 1):
        prompt = _prompt(seed, steps)
        alone.append(await _alone(raw, _request(client, prompt)))
        whole.append(await _whole(discord, prompt))
    call = median([theirs for theirs, _ in alone])
    inside = median([ours - theirs for theirs, ours in alone])
    outside = median([total - drawn for total, drawn in zip(whole, await _drawing(client, pairs), strict=True)])
    added = inside + outside
    return [
        Row(
            what=f"Added to a raw pipeline call of {call:.1f} s, {steps} steps (median of {pairs} pairs)",
            measured=f"{added * 1000:+.0f} ms, {added / call:+.1%}",
            target="≤ 50 ms, ≤ 1 %",
            met=added <= 0.05 and added <= 0.01 * call,
        ),
        Row(
            what="of it: in drawing, with progress, previews, cancellation and files",
            measured=f"{inside * 1000:+.0f} ms, {inside / call:+.1%}",
        ),
        Row(
            what="of it: outside of drawing (queue, pipe, files, database, posting)",
            measured=f"{outside * 1000:.0f} ms, {outside / call:.1%}",
        ),
    ]


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


async def _alone(raw: Process, request: Request) -> tuple[float, float]:
    """Seconds that diffusers took, and the engine."""
    assert raw.stdin is not None
    assert raw.stdout is not None
    raw.stdin.write(to_json(request).encode() + b"\n")
    await raw.stdin.drain()
    theirs, ours = (await raw.stdout.readline()).split()
    return float(theirs), float(ours)


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
