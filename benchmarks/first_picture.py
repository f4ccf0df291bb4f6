"""From the start of the program to the first grid in the playground's page, as a newcomer sees it in a browser."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.rig import PROMPT
from benchmarks.rows import Row, median
from tests.bot.playground.driver import PlaygroundPage, find_chromium, open_page

_LONGEST = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """Seconds from the start of the program to each of these."""

    address: float
    page: float
    sent: float
    picture: float


def run(*, quick: bool) -> list[Row]:
    """See the module."""
    target = "≤ 15 s from the start"
    if find_chromium() is None:
        return [Row(what="First picture in the playground", measured="no Chromium here", target=target)]
    visits = [asyncio.run(_visit()) for _ in range(1 if quick else 5)]
    first = median([one.picture for one in visits])
    drawn = median([one.picture - one.sent for one in visits])
    return [
        Row(
            what="First picture in the playground, 4 images, from the start of the process",
            measured=f"{first:.1f} s (address {median([one.address for one in visits]):.1f} s, "
            f"page in the browser {median([one.page for one in visits]):.1f} s)",
            target=target,
            met=first <= 15,
        ),
        Row(what="the same, from the moment that the command is sent", measured=f"{drawn:.1f} s"),
    ]


async def _visit() -> _Visit:
    began = time.perf_counter()
    async with asyncio.timeout(_LONGEST), _playground() as url:
        address = time.perf_counter()
        async with open_page(url) as page:
            page.page.set_default_timeout(_LONGEST * 1000)
            opened = time.perf_counter()
            await page.type_slash("imagine", prompt=PROMPT)
            sent = time.perf_counter()
            await page.send()
            await _first_grid(page)
            moments = (address, opened, sent, time.perf_counter())
    return _Visit(
        address=moments[0] - began,
        page=moments[1] - began,
        sent=moments[2] - began,
        picture=moments[3] - began,
    )


async def _first_grid(page: PlaygroundPage) -> None:
    """Wait for a message with the buttons of a result, and until its pictures are drawn."""
    result = page.messages.filter(has=page.page.get_by_role("button", name="U1", exact=True))
    await result.first.wait_for()
    await page.pictures(result.first)


@asynccontextmanager
async def _playground() -> AsyncIterator[str]:
    """`python -m bot run` without a token, which is what `./easel run` hands over to; its address."""
    with tempfile.TemporaryDirectory(prefix="easel-benchmark-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "run",
            env=os.environ | {"DISCORD_TOKEN": "", "EASEL_DATA": folder, "EASEL_PLAYGROUND_PORT": "0"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                if (text := line.decode().strip()).startswith("http"):
                    yield text
                    break
        finally:
            process.terminate()
            await process.wait()
