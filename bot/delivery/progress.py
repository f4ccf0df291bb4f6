"""The one message that shows how a job is getting on: opened once, edited no faster than Discord likes, then gone."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable
from typing import Any

import discord
import structlog

from bot.connection.retry import Unreachable, asked_once, verdict
from bot.texts import results
from generation.contract import Progressed
from storage.jobs.job import Job

EDIT_EVERY = 1.5
"""Seconds between two edits of one message. Discord allows about five in five seconds for each channel."""

_log = structlog.get_logger(__name__)
_MANY_EDITS = 30046
"""Discord refuses further edits of an old message."""


class ProgressMessage:
    """Edits never pile up: while one is under way, newer states replace the one that waits."""

    def __init__(
        self,
        job: Job,
        *,
        first_line: str,
        view: Callable[[], discord.ui.View],
        seconds: Callable[[], float],
        look: Callable[[], Awaitable[discord.PartialMessage | None]],
        may_preview: Callable[[], bool] = lambda: True,
    ) -> None:
        """`seconds` is a monotonic clock; `view` makes the buttons, once for each send.

        `look` finds the message in the channel where its id is not known: the answer to its posting was lost.
        `may_preview` is asked at each edit, because a channel can be opened to everyone while an adult model draws.
        """
        self._look = look
        self._may_preview = may_preview
        self._first_line = first_line
        self._job = job
        self._view = view
        self._seconds = seconds
        self._message: discord.PartialMessage | None = None
        self._opening: asyncio.Task[int | None] | None = None
        self._adopted = False
        self._latest: Progressed | None = None
        self._preview: bytes | None = None
        self._last_edit = float("-inf")
        self._editing: asyncio.Task[None] | None = None
        self._stopped = False
        self._gone = False
        self._refused = False

    def adopt(self, message: discord.PartialMessage | None) -> None:
        """Use a message from before, or none."""
        self._message, self._adopted = message, True

    async def open(self, channel: discord.PartialMessageable, state: str) -> int | None:
        """Send the message, or edit the one that is there to this state. Returns the id of a message newly sent."""
        if self._stopped or self._latest is not None:
            return None
        if self._adopted or self._opening is not None:
            if self._is_open and (self._editing is None or self._editing.done()):
                self._editing = asyncio.create_task(self._edit_content(state), name=f"place of {self._job.id}")
                await asyncio.shield(self._editing)
            return None
        self._opening = asyncio.create_task(self._send(channel, state), name=f"opening of {self._job.id}")
        return await asyncio.shield(self._opening)

    async def _send(self, channel: discord.PartialMessageable, state: str) -> int | None:
        try:
            # With the nonce, a message that was sent just before a crash is returned and not sent again.
            nonce: Any = f"p-{self._job.id}"
            sent = await channel.send(self._text(state), view=self._view(), silent=True, nonce=nonce)
        except Unreachable as error:
            self._refused = verdict(error) != "again"
            _log.warning("no progress message", error=str(error))
            return None
        self._message = channel.get_partial_message(sent.id)
        return sent.id

    @property
    def _is_open(self) -> bool:
        return self._adopted or (self._opening is not None and self._opening.done())

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
        if self._is_open and not self._stopped and idle and due:
            self._last_edit = self._seconds()
            self._editing = asyncio.create_task(self._edit(progress), name=f"progress of {self._job.id}")

    def end(self) -> None:
        """Begin no more edits. One under way ends by itself."""
        self._stopped = True

    async def remove(self) -> bool:
        """Delete the message. Returns False if it may still be there, to be tried again later."""
        self.end()
        try:
            if (message := await self._known()) is not None:
                with contextlib.suppress(discord.NotFound):
                    await message.delete()
        except Unreachable as error:
            _log.info("a progress message could not be deleted", error=str(error))
            return verdict(error) != "again"
        return True

    async def close_with(self, state: str) -> bool:
        """Leave the message with a last state and no buttons. Returns False if that is to be tried again later."""
        self.end()
        if self._editing is not None:  # its state would come after the last one
            await asyncio.shield(self._editing)
        try:
            if (message := await self._known()) is not None:
                await message.edit(content=self._text(state), view=None, attachments=[])
        except Unreachable as error:
            _log.info("a progress message could not be closed", error=str(error))
            return verdict(error) != "again"
        return True

    async def _known(self) -> discord.PartialMessage | None:
        """The message, once it is opened; None if there is none. Raises what `Unreachable` names."""
        if self._opening is not None:
            await asyncio.shield(self._opening)
        if self._message is None and not self._gone and not self._refused:
            self._message = await self._look()
        return self._message

    async def _edit(self, progress: Progressed) -> None:
        if self._message is None:
            return
        try:
            with asked_once():  # the next state comes soon
                await self._message.edit(**self._shown(progress))
        except discord.NotFound:
            self._message, self._stopped, self._gone = None, True, True
        except Unreachable as error:
            self._stopped = self._stopped or getattr(error, "code", 0) == _MANY_EDITS
            _log.debug("progress not shown", error=str(error))

    def _shown(self, progress: Progressed) -> dict[str, Any]:
        shown: dict[str, Any] = {"content": self._text(results.percent(progress.step, progress.steps))}
        if self._preview is None:
            return shown
        if not self._may_preview():
            return shown | {"attachments": []}
        alt = "Preview of the picture as it forms"
        return shown | {"attachments": [discord.File(io.BytesIO(self._preview), "preview.jpg", description=alt)]}

    async def _edit_content(self, state: str) -> None:
        if self._message is None:
            return
        with contextlib.suppress(*Unreachable), asked_once():
            await self._message.edit(content=self._text(state))

    def _text(self, state: str) -> str:
        return f"{self._first_line} {state}"
