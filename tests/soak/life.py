"""The bot in a process of its own: `python -m tests.soak.life <data folder> <address of the stand-in> <seed>`.

It is `bot.app.run` with a light generator and with discord.py pointed at the stand-in. Once a moment it says on its
output, as a line of JSON, how many jobs there are in each state and how many are owed something.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot import app, logs
from bot.client import EaselClient
from bot.settings.settings import Settings
from tests.soak.painter import Painter

SAY_EVERY = 0.25
"""Seconds between two lines."""
TOKEN = "soak"
_OWED = (
    "SELECT count(*) AS owed FROM jobs "
    "WHERE state IN ('queued', 'running', 'finished') OR (state IN ('failed', 'cancelled') AND notified = 0)"
)


def say(kind: str, **values: Any) -> None:
    print(json.dumps({"kind": kind, **values}), flush=True)


async def report(client: EaselClient) -> None:
    """Tell of the jobs for as long as the bot lives."""
    while True:
        async with client.services.database.reading() as tx:
            rows = await tx.fetch_all("SELECT state, count(*) AS jobs FROM jobs GROUP BY state")
            owed = await tx.fetch_one(_OWED)
        assert owed is not None
        say(
            "jobs",
            states={row["state"]: row["jobs"] for row in rows},
            owed=owed["owed"],
            blocks=sys.getallocatedblocks(),
        )
        await asyncio.sleep(SAY_EVERY)


async def live(folder: Path, address: str, seed: str) -> int:
    Route.BASE = f"http://{address}/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws://{address}/gateway")
    really_opened = app.opened

    @asynccontextmanager
    async def opened(settings: Settings, **_: Any) -> AsyncIterator[EaselClient]:
        def painter(_: Settings, models: Any) -> Painter:
            return Painter(tuple(models), random.Random(seed))

        async with really_opened(settings, make_generator=painter, rng=random.Random(seed)) as client:
            reporting = asyncio.create_task(report(client), name="report")
            try:
                yield client
            finally:
                reporting.cancel()
                await asyncio.gather(reporting, return_exceptions=True)

    app.opened = opened  # type: ignore[assignment]
    settings = Settings(data=folder, discord_token=TOKEN, daily_credits=1_000_000, max_waiting=1000, device="cpu")
    status = await app.run(settings)
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    say("ended", tasks=sorted(task.get_name() for task in left if task is not None))
    return status


def main() -> int:
    folder, address, seed = sys.argv[1:]
    logs.configure("info", "json", token=None)
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(live(Path(folder), address, seed))
    return 130


if __name__ == "__main__":
    sys.exit(main())
