"""A bot that starts as `python -m bot run` does, on a Discord that answers at once, and then waits to be looked at.

It prints one line of JSON: when its modules were imported and when it was ready, on the clock that all processes
share, and whether torch was imported. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from bot import logs
from bot.cli import main as cli


def main(folder: Path) -> None:
    """Start, say so, and wait."""
    settings = cli.load_settings()
    logs.configure(settings.log_level, "json")
    asyncio.run(_start(folder))


async def _start(folder: Path) -> None:
    from bot import app
    from bot.settings.settings import Settings

    imported = time.monotonic()
    async with app.opened(Settings(data=folder)) as client:
        from benchmarks.instant_discord import InstantDiscord

        await InstantDiscord(client).connect()
        facts = {"imported": imported, "ready": time.monotonic(), "torch": "torch" in sys.modules}
        print(json.dumps(facts), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
