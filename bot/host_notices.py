"""Tells the host, once, of what only the host can mend: a full disk.

It goes to the log, and as a direct message to those who run the bot. Whoever writes says `disk_full` or `disk_works`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import discord
import structlog

from bot import texts
from bot.patience import Unreachable

_REST = 86_400.0
"""Seconds between two direct messages, where a disk is full again and again."""

_log = structlog.get_logger(__name__)

Tell = Callable[[str], Awaitable[None]]


class HostNotices:
    """What the host was told and is not told again. `tell` sends words to those who run the bot."""

    def __init__(self, tell: Tell | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._monotonic = monotonic
        self._full = False
        self._told_at: float | None = None

    async def disk_full(self, folder: Path) -> None:
        """The disk that holds the data folder took no more. Repeated until `disk_works`, it says nothing more."""
        if self._full:
            return
        self._full = True
        _log.error(
            "the disk is full: nothing can be kept", folder=str(folder), advice=texts.MAKE_ROOM.format(folder)
        )
        now = self._monotonic()
        if self._tell is None or (self._told_at is not None and now - self._told_at < _REST):
            return
        self._told_at = now
        await self._tell(texts.DISK_FULL_LETTER)

    def disk_works(self) -> None:
        """Something was written again."""
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
