"""Tells the host, once, of what only the host can mend: a full disk.

It goes to the log, and as a direct message to those who run the bot. Whoever writes says `disk_full` or `disk_works`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.texts import refusals

_REST = 86_400.0
"""Seconds between two direct messages, where a disk is full again and again."""

_log = structlog.get_logger(__name__)

Tell = Callable[[str], Coroutine[Any, Any, None]]


class HostNotices:
    """What the host was told and is not told again. `tell` sends words to those who run the bot."""

    def __init__(self, tell: Tell | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._monotonic = monotonic
        self._full = False
        self._told_at: float | None = None
        self._telling: asyncio.Task[None] | None = None

    def disk_full(self, folder: Path) -> None:
        """The disk that holds the data folder took no more. Repeated until `disk_works`, it says nothing more.

        Nobody waits for the message to the host.
        """
        if self._full:
            return
        self._full = True
        _log.error(
            "the disk is full: nothing can be kept",
            folder=str(folder),
            advice=refusals.MAKE_ROOM.format(folder),
        )
        now = self._monotonic()
        if self._tell is None or (self._told_at is not None and now - self._told_at < _REST):
            return
        self._told_at = now
        self._telling = asyncio.create_task(self._tell(refusals.DISK_FULL_LETTER), name="a word to the host")

    def disk_works(self) -> None:
        """A picture was written again: small rows may still fit where pictures don't."""
        if self._full:
            self._full = False
            _log.info("the disk takes files again")


async def tell_hosts(client: discord.Client, owners: frozenset[int], words: str) -> None:
    """Send a direct message to EASEL_OWNERS, or to the application's owner where none are set.

    Whoever takes no messages gets none.
    """
    application = client.application
    if not owners and application is not None:
        owners = frozenset({application.owner.id})
        if application.team is not None and application.team.owner_id is not None:
            owners = frozenset({application.team.owner_id})
    for user_id in sorted(owners):
        with contextlib.suppress(*Unreachable):
            await (await client.fetch_user(user_id)).send(words)
