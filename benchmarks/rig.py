"""The whole bot as its entry point builds it, on a data folder of its own and in a Discord that answers at once."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.instant_discord import InstantDiscord
from bot import logs
from bot.app import freeze_memory, local_generator, opened
from bot.client import EaselClient
from bot.settings.settings import Settings
from generation.catalogue import Catalogue
from generation.contract import Generator

PROMPT = "a red house by the sea at sunset"
PLENTY = 1_000_000
"""Credits, and places in line, that no benchmark uses up."""
PATIENCE = 1800.0
"""Seconds after which a benchmark that waits for what never comes is given up."""


@asynccontextmanager
async def running_bot(
    make_generator: Callable[[Settings, Catalogue], Generator] = local_generator,
    *,
    disk: Path | None = None,
) -> AsyncIterator[tuple[EaselClient, InstantDiscord]]:
    """The bot, connected. The data folder is made in `disk`: None for the usual place of temporary files."""
    logs.configure("info", "json", out=_Nowhere())
    with tempfile.TemporaryDirectory(prefix="easel-benchmark-", dir=disk) as folder:
        settings = Settings(data=Path(folder), daily_credits=PLENTY, max_waiting=PLENTY)
        async with opened(settings, make_generator=make_generator) as client, asyncio.timeout(PATIENCE):
            discord = InstantDiscord(client)
            await discord.connect()
            freeze_memory()
            yield client, discord


class _Nowhere(io.StringIO):
    """Takes the log, of which every line is made as in production, and drops it."""

    def write(self, text: str, /) -> int:
        return len(text)
