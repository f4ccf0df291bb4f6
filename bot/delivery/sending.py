"""Sends a message with a picture until it is in its channel, once.

Each message carries a nonce, by which Discord knows it again for some minutes. After that, or after an answer was lost,
the channel's recent messages are looked through before anything is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import discord
import structlog

from bot.connection.retry import Undeliverable, Unreachable, asked_once, asked_to_wait, pauses, verdict
from bot.pictures import files
from bot.pictures.signing import Seal
from storage.errors import StorageError

_LOOK_BACK = 1000
"""How many messages a look goes through at most: ten requests. It ends sooner, where the job begins."""

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")
Run = Callable[..., Awaitable[Any]]
"""Calls a function with its arguments on a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message with one picture, before it is sent."""

    content: str
    job_id: str
    picture: bytes
    stem: str
    #: The part of its file's name that tells it from all others.
    marker: str
    alt: str
    view: Callable[[], discord.ui.View]
    nonce: str | None
    mention: int | None
    reply_to: int | None
    #: A message that is certainly older, if one is known: a look for this post ends there.
    since: int | None
    #: What Discord said that the channel takes, in bytes.
    limit: int | None = None
    #: The same picture was asked for again, so that a message on record is another one.
    anew: bool = False

    def filename(self, content_type: str) -> str:
        return f"{self.stem}_{self.marker}.{'jpg' if content_type == 'image/jpeg' else 'png'}"


class Sender:
    """Sends as the client's bot; what it makes smaller, it signs anew with the seal."""

    def __init__(
        self,
        client: discord.Client,
        seal: Seal,
        *,
        orphaned: Callable[[discord.Message, Post], Coroutine[Any, Any, None]],
        on_record: Callable[[int], Awaitable[bool]],
    ) -> None:
        """`orphaned` gets a message that came through after whoever sent it was cancelled. `on_record` says whether it
        is known what a message shows.
        """
        self._on_record = on_record
        self._client = client
        self._seal = seal
        self._orphaned = orphaned
        self._late: set[asyncio.Task[None]] = set()

    async def send(
        self,
        channel: discord.abc.Messageable,
        post: Post,
        *,
        look_first: bool,
        may: Callable[[], Awaitable[None]] | None = None,
    ) -> discord.Message:
        """Send until the message is there once. `may` is asked before each try, and raises Undeliverable.

        Raises Undeliverable when Discord refuses for good.
        """
        picture = await self.fitting(post.picture, files.upload_limit(channel, post.limit))
        look = look_first
        for pause in pauses():
            try:
                if look and (earlier := await self._find(channel, post)):
                    return earlier
                if may is not None:
                    await may()
                with asked_once():
                    return await self._outlive(self.offer(picture, lambda smaller: _send(channel, post, smaller)), post)
            except Unreachable as error:
                if verdict(error) != "again":
                    raise Undeliverable(str(error)) from error
                _log.info("Discord did not take a result; trying again", error=str(error), pause=pause)
                await asyncio.sleep(max(pause, asked_to_wait(error)))
            look = True
        raise AssertionError("pauses have no end")

    async def _outlive(self, sending: Coroutine[Any, Any, discord.Message], post: Post) -> discord.Message:
        """What is sent. It goes on where this is cancelled, as requests do, and is then looked at when it comes through."""
        task = asyncio.create_task(sending, name=f"sending {post.marker}")
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            late = asyncio.create_task(self._look_at_late(task, post), name=f"late {post.marker}")
            self._late.add(late)
            late.add_done_callback(self._late.discard)
            raise

    async def _look_at_late(self, sending: asyncio.Task[discord.Message], post: Post) -> None:
        try:
            await self._orphaned(await sending, post)
        except (*Unreachable, StorageError) as error:
            _log.info("nobody knows what became of a message", error=str(error))

    async def fitting(self, picture: bytes, limit: int, *, run: Run = asyncio.to_thread) -> bytes:
        """The picture, or a smaller one of at most `limit` bytes. `run` takes what blocks to a thread."""
        if len(picture) <= limit:
            return picture
        smaller: bytes = await run(files.shrink, picture, limit, self._seal)
        return smaller

    async def offer(
        self, picture: bytes, send: Callable[[bytes], Awaitable[_T]], *, run: Run = asyncio.to_thread
    ) -> _T:
        """Send a picture, half as large each time Discord calls it too large. Raises what `Unreachable` names."""
        while True:
            try:
                return await send(picture)
            except discord.HTTPException as error:
                if verdict(error) != "too large":
                    raise
                smaller: bytes = await run(files.shrink, picture, len(picture) // 2, self._seal)
                if len(smaller) >= len(picture):
                    raise
            picture = smaller

    async def recent(self, channel: discord.abc.Messageable, *, since: int | None) -> AsyncIterator[discord.Message]:
        """Our own latest messages, the newest first, down to the id `since`; none if the channel's are not for us.

        Raises what `Unreachable` names where Discord does not answer: to send without having looked could be twice.
        """
        me = self._client.user
        try:
            async for message in channel.history(limit=_LOOK_BACK):
                if since is not None and message.id <= since:
                    return
                if me and message.author.id == me.id:
                    yield message
        except (discord.Forbidden, discord.NotFound) as error:
            _log.debug("may not look for an earlier message", error=str(error))

    async def _find(self, channel: discord.abc.Messageable, post: Post) -> discord.Message | None:
        """A recent message of ours that carries this very picture for this very person."""
        endings = tuple(post.filename(kind) for kind in ("image/jpeg", "image/png"))
        whose = "" if post.mention is None else f"<@{post.mention}>"
        async for message in self.recent(channel, since=post.since):
            carries = any(attachment.filename.endswith(endings) for attachment in message.attachments)
            if carries and whose in message.content and not (post.anew and await self._on_record(message.id)):
                return message
        return None


async def _send(channel: discord.abc.Messageable, post: Post, picture: bytes) -> discord.Message:
    reference = None
    if post.reply_to is not None and isinstance(channel, discord.PartialMessageable):
        reference = discord.MessageReference(message_id=post.reply_to, channel_id=channel.id, fail_if_not_exists=False)
    return await channel.send(
        post.content,
        file=files.attachment(picture, post.filename(files.content_type(picture)), post.alt),
        view=post.view(),
        nonce=post.nonce,  # type: ignore[arg-type]
        reference=reference,  # type: ignore[arg-type]
        allowed_mentions=only(post.mention),
    )


def only(user_id: int | None) -> discord.AllowedMentions:
    """Mentions that ping this person and nobody else."""
    users = [discord.Object(user_id)] if user_id else False
    return discord.AllowedMentions(everyone=False, roles=False, replied_user=False, users=users)
