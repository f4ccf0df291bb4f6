"""How long a slash command waits for its acknowledgement, 100 at once, while the real worker draws."""

from __future__ import annotations

import asyncio

from benchmarks.instant_discord import InstantDiscord
from benchmarks.rig import PROMPT, running_bot
from benchmarks.rows import Row, percentile, spread

AT_ONCE = 100


def run(*, quick: bool) -> list[Row]:
    """See the module."""
    return asyncio.run(_measure(bursts=3 if quick else 20))


async def _measure(*, bursts: int) -> list[Row]:
    waits: list[float] = []
    answers: list[float] = []
    async with running_bot() as (_, discord):
        discord.slash("imagine", prompt=PROMPT)
        await discord.log.results.get()
        for _ in range(bursts):
            acknowledged, answered = await _burst(discord)
            waits += acknowledged
            answers += answered
    p99 = percentile(waits, 99)
    return [
        Row(
            what=f"/imagine to acknowledgement, {AT_ONCE} at once while a picture is drawn ({2 * bursts} times)",
            measured=spread(waits),
            target="p99 ≤ 50 ms, none over 1 s",
            met=p99 <= 0.05 and max(waits) <= 1,
        ),
        Row(what="the same, to the words that say the job's place in line", measured=spread(answers)),
    ]


async def _burst(discord: InstantDiscord) -> tuple[list[float], list[float]]:
    """Seconds to the acknowledgement and to the words of each; all count from the moment the first one came.

    A second wave comes while the jobs of the first are on their way into the queue.
    """
    acknowledged: list[float] = []
    answered: list[asyncio.Task[float]] = []
    for _ in range(2):
        asked = [discord.slash("imagine", user=user, prompt=PROMPT) for user in range(AT_ONCE)]
        acknowledged += [await one.acknowledged - asked[0].at for one in asked]
        answered += [asyncio.create_task(_seconds(one.answered, asked[0].at)) for one in asked]
    return acknowledged, await asyncio.gather(*answered)


async def _seconds(moment: asyncio.Future[float], since: float) -> float:
    return await moment - since
