"""The one message that shows how a job is getting on: opened once, edited no faster than Discord likes, then gone."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Callable
from typing import Any

import aiohttp
import discord
import structlog

from bot import texts
from generation.contract import Progressed
from storage.jobs import Job

EDIT_EVERY = 1.5
"""Seconds between two edits of one message. Discord allows about five in five seconds for each channel."""

_log = structlog.get_logger(__name__)
Unreachable = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a request to Discord can fail with that is not our bug."""


class ProgressMessage:
    """Edits never pile up: while one is under way, newer states replace the one that waits."""

    def __init__(
        self,
        job: Job,
        *,
        first_line: str,
        view: Callable[[], discord.ui.View],
        seconds: Callable[[], float],
        may_preview: Callable[[], bool] = lambda: True,
    ) -> None:
        """`seconds` is a monotonic clock; `view` makes the buttons, once for each send.

        `may_preview` is asked at each edit, because a channel can be opened to everyone while an adult model draws.
        """
        self._may_preview = may_preview
        self._first_line = first_line
        self._job = job
        self._view = view
        self._seconds = seconds
        self._message: discord.PartialMessage | None = None
        self._opened = asyncio.Event()
        self._opening = False
        self._latest: Progressed | None = None
        self._preview: bytes | None = None
        self._last_edit = float("-inf")
        self._editing: asyncio.Task[None] | None = None
        self._stopped = False
        self._gone = False

    def adopt(self, message: discord.PartialMessage | None) -> None:
        """Use a message that stands already, or none."""
        self._message = message
        self._opened.set()

    async def open(self, channel: discord.PartialMessageable, state: str) -> int | None:
        """Send the message, or edit the one that stands to this state. Returns the id of a message newly sent."""
        if self._opening or self._stopped or self._latest is not None:
            return None
        if self._opened.is_set():
            await self._edit_content(state)
            return None
        self._opening = True
        try:
            # With the nonce, a message that was sent just before a crash is returned and not sent again.
            nonce: Any = f"p-{self._job.id}"
            sent = await channel.send(self._text(state), view=self._view(), silent=True, nonce=nonce)
            self._message = channel.get_partial_message(sent.id)
            return sent.id
        except Unreachable as error:
            _log.warning("no progress message", error=str(error))
            return None
        finally:
            self._opening = False
            self._opened.set()

    def begin(self) -> None:
        """An attempt starts: show from the beginning, also after an earlier one was given up."""
        self._stopped, self._latest, self._preview = self._gone, None, None

    def show(self, progress: Progressed) -> None:
        """Show this state when there is time. Never blocks."""
        first_preview = progress.preview is not None and self._preview is None
        self._latest = progress
        self._preview = progress.preview or self._preview
        idle = self._editing is None or self._editing.done()
        due = first_preview or self._seconds() - self._last_edit >= EDIT_EVERY
        if not self._stopped and idle and due:
            self._last_edit = self._seconds()
            self._editing = asyncio.create_task(self._edit(progress), name=f"progress of {self._job.id}")

    async def end(self) -> None:
        """Edit no more; an edit under way is given up."""
        self._stopped = True
        if self._editing is not None and not self._editing.done():
            self._editing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._editing

    async def remove(self) -> None:
        """Delete the message, if it is still there."""
        await self.end()
        await self._opened.wait()
        if self._message is not None:
            with contextlib.suppress(*Unreachable):
                await self._message.delete()

    async def close_with(self, state: str) -> bool:
        """Leave the message standing with a last state and without buttons. False if there is no message."""
        await self.end()
        await self._opened.wait()
        if self._message is None:
            return False
        try:
            await self._message.edit(content=self._text(state), view=None, attachments=[])
        except Unreachable as error:
            _log.debug("could not close a progress message", error=str(error))
            return False
        return True

    async def _edit(self, progress: Progressed) -> None:
        await self._opened.wait()
        if self._message is None:
            return
        content = self._text(texts.percent(progress.step, progress.steps))
        try:
            if self._preview is None:
                await self._message.edit(content=content)
            elif not self._may_preview():
                await self._message.edit(content=content, attachments=[])
            else:
                preview = discord.File(
                    io.BytesIO(self._preview), "preview.jpg", description="Preview of the picture as it forms"
                )
                await self._message.edit(content=content, attachments=[preview])
        except discord.NotFound:
            self._message, self._stopped, self._gone = None, True, True
        except Unreachable as error:
            self._stopped = getattr(error, "code", 0) == 30046  # too many edits of an old message
            _log.debug("progress not shown", error=str(error))

    async def _edit_content(self, state: str) -> None:
        if self._message is None:
            return
        with contextlib.suppress(*Unreachable):
            await self._message.edit(content=self._text(state))

    def _text(self, state: str) -> str:
        return f"{self._first_line} {state}"
