"""Posts what a job brings: progress, grids, single pictures and failures, and what to do when Discord says no."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import discord
import structlog

from bot.connection.retry import Undeliverable, Unreachable, persistently
from bot.delivery import deletion
from bot.delivery.button_rows import ButtonRows, Surface, cancels
from bot.delivery.price_line import PriceLine
from bot.delivery.progress import ProgressMessage
from bot.delivery.receipts import Receipts
from bot.delivery.sending import Post, Run, Sender, only
from bot.delivery.writing import Writing
from bot.pictures import files
from bot.pictures.age_restriction import age_restricted, is_adult, may_show
from bot.pictures.safety import standing
from bot.pictures.signing import Seal, unsigned
from bot.settings.settings import Settings
from bot.texts import results
from bot.texts.escaping import file_stem
from generation.builtin.vocabulary import unknown_words
from generation.catalogue import Catalogue
from generation.contract import FailureReason
from storage.credits.balance import free_actions
from storage.database import Database
from storage.jobs import images, lifecycle, messages, queries
from storage.jobs.job import Job, JobState

_CLOCKS_DIFFER = timedelta(minutes=5)
"""How far this machine's clock may be from Discord's."""

_log = structlog.get_logger(__name__)


class Delivery:
    """Everything that Easel posts about jobs."""

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        catalogue: Catalogue,
        *,
        buttons: ButtonRows,
        titles: Mapping[str, str],
        price_line: PriceLine,
        settings: Settings,
        writing: Writing,
        seal: Seal = unsigned,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._database = database
        self._catalogue = catalogue
        self._buttons = buttons
        self._titles = titles
        self.price_line = price_line
        self._sender = Sender(client, seal, orphaned=self._orphaned, on_record=self._on_record)
        self._writing = writing
        self._settings = settings
        self._seconds = seconds
        self.receipts = Receipts()
        self._progress: dict[str, ProgressMessage] = {}
        self._retired: deque[str] = deque(maxlen=1000)
        """The latest jobs whose progress message was closed or removed."""

    # ---------------------------------------------------------------- progress

    def progress(self, job: Job) -> ProgressMessage:
        """The job's progress message, which may have been sent before a restart, or not at all."""
        if job.id not in self._progress:
            standing = job.progress_message_id
            self._new_progress(job).adopt(
                None if standing is None else self._channel(job).get_partial_message(standing)
            )
        return self._progress[job.id]

    async def announce(self, job: Job, *, ahead: int, seconds: float | None) -> None:
        """Open the job's progress message, or say its new place in it."""
        if job.id in self._retired:
            return  # its end came before this
        new = job.progress_message_id is None and job.id not in self._progress
        progress = self._new_progress(job) if new else self.progress(job)
        sent = await progress.open(self._channel(job), results.waiting(ahead, seconds))
        if sent is not None:
            async with self._database.transaction() as tx:
                await lifecycle.set_progress_message(tx, job.id, sent)

    def _new_progress(self, job: Job) -> ProgressMessage:
        self._progress[job.id] = ProgressMessage(
            job,
            first_line=self._first_line(job),
            view=lambda: self._buttons.view(Surface.PROGRESS, job),
            seconds=self._seconds,
            look=lambda: self._lost_progress(job),
            may_preview=lambda: may_show(self._catalogue, job, self._client.get_channel(job.channel_id)),
        )
        return self._progress[job.id]

    async def retire(self, job: Job) -> bool:
        """Take the job's progress message away; False if that is to be tried again later."""
        gone = await self.progress(job).remove()
        self._forget_progress(job)
        await self.receipts.take_back(job.id)
        return gone

    def _forget_progress(self, job: Job) -> None:
        self._progress.pop(job.id, None)
        self._retired.append(job.id)

    async def _lost_progress(self, job: Job) -> discord.PartialMessage | None:
        """The progress message whose posting was never answered, known by its button. Raises what `Unreachable` names."""
        began = job.interaction_id or discord.utils.time_snowflake(job.created_at - _CLOCKS_DIFFER)
        channel = self._channel(job)
        async for message in self.recent(channel, since=began):
            if cancels(message, job.id):
                return channel.get_partial_message(message.id)
        return None

    # ----------------------------------------------------------------- results

    async def among_adults(self, job: Job) -> bool:
        """Whether the job's channel is age-restricted; False if Discord tells nothing."""
        return age_restricted(await self.known_channel(job.channel_id))

    async def post_result(self, job: Job, *, look_first: bool) -> int | None:
        """Post the grid and return the message's id; None if Discord takes it nowhere.

        `look_first` looks whether an earlier run of the bot posted it already.
        """
        parent = await self._parent(job)
        try:
            grid = await asyncio.to_thread(images.read, self._database.folder, job.id, 0)
        except images.ImageGone:
            _log.warning("the pictures of a finished job are gone")
            return None
        covered, words = await standing(self._database, job)
        post = Post(
            content=self._content(job, words),
            picture=grid,
            stem=file_stem(job.prompt),
            job_id=job.id,
            marker=job.id,
            alt=results.alt_text(job.prompt, index=0, count=job.images),
            view=lambda: self._buttons.view(Surface.GRID, job, hidden=covered),
            nonce=job.nonce,
            mention=job.user_id,
            reply_to=parent.result_message_id if parent else None,
            since=job.progress_message_id,
        )
        message = await self._post(job, post, look_first=look_first)
        return message.id if message else None

    async def renew_result(self, job: Job, grid: bytes | None = None) -> None:
        """Change the words and the buttons of a posted result after moderators decided, and its picture to a new `grid`.

        Where Discord refuses, they stay.
        """
        if job.result_message_id is None:
            return
        covered, words = await standing(self._database, job)
        content = await self._priced(self._content(job, words), job)
        channel = self._channel(job)
        shown: dict[str, Any] = {}
        view = self._buttons.view(Surface.GRID, job, hidden=covered)
        message = channel.get_partial_message(job.result_message_id)

        async def edit(picture: bytes | None) -> None:
            if picture is not None:
                alt = results.alt_text(job.prompt, index=0, count=job.images)
                name = f"{file_stem(job.prompt)}_{job.id}.jpg"
                shown["attachments"] = [files.attachment(picture, name, alt)]
            await message.edit(content=content, view=view, **shown)

        try:
            if grid is None:
                await edit(None)
            else:
                small = await self._sender.fitting(grid, files.upload_limit(channel))
                await self._sender.offer(small, edit)
        except Unreachable as error:
            _log.warning("a result could not be renewed", error=str(error))

    async def _parent(self, job: Job) -> Job | None:
        if job.parent_id is None:
            return None
        async with self._database.reading() as tx:
            return await queries.get(tx, job.parent_id)

    async def post_single(
        self,
        job: Job,
        index: int,
        *,
        channel_id: int,
        asked_by: int,
        reply_to: int | None,
        interaction_id: int | None = None,
        anew: bool = False,
        limit: int | None = None,
        note: str = "",
        look_first: bool = False,
    ) -> int | None:
        """Post picture `index` (from 1) at full size, with a `note` under its words. Raises images.ImageGone, also where
        it went while Discord did not answer. `interaction_id` is the press that asked for it. With `anew`, another press
        brings another message. `limit` is what Discord said that the channel takes, in bytes.

        `look_first` looks whether it was posted already, behind the message that it replies to.
        """
        picture = await asyncio.to_thread(images.read, self._database.folder, job.id, index)
        async with self._database.reading() as tx:
            rows = {image.index: image for image in await images.of_job(tx, job.id)}
        seed = rows[index].seed if index in rows else None
        post = Post(
            content=f"{results.title(job.prompt, asked_by, what=f'Image #{index}')}\n"
            + results.details(model=self._model_name(job), seed=seed or 0, seconds=None)
            + (f"\n{note}" if note else ""),
            picture=picture,
            stem=file_stem(job.prompt),
            job_id=job.id,
            marker=f"{job.id}_{index}",
            alt=results.alt_text(job.prompt, index=index, count=job.images),
            view=lambda: self._buttons.view(Surface.SINGLE, job, index=index),
            nonce=f"u-{interaction_id or secrets.token_hex(8)}",
            anew=anew,
            mention=asked_by,
            reply_to=reply_to,
            since=max(filter(None, (reply_to, interaction_id)), default=None),
            limit=limit,
        )
        message = await self._post(job, post, look_first=look_first, channel_id=channel_id, owner_id=asked_by)
        if message is None:
            return None
        posted = message
        if not await self._writing.until_done(lambda: self._record(posted.id, job, index, asked_by)):
            await self._take_back(posted)
            raise images.ImageGone(f"job {job.id} is no longer there")
        return posted.id

    async def _record(self, message_id: int, job: Job, index: int, asked_by: int) -> bool:
        """Note what a message shows; False if its job was deleted meanwhile."""
        async with self._database.transaction() as tx:
            kept = await queries.get(tx, job.id) is not None
            if kept:
                await messages.add_message(tx, message_id, job.id, index, asked_by=asked_by)
        return kept

    async def _on_record(self, message_id: int) -> bool:
        async with self._database.reading() as tx:
            return await messages.message(tx, message_id) is not None

    async def _orphaned(self, message: discord.Message, post: Post) -> None:
        """A message came through although nobody waited for it any more: take it back where its job was deleted."""
        async with self._database.reading() as tx:
            kept = await queries.get(tx, post.job_id) is not None
        if not kept:
            await self._take_back(message)

    async def _take_back(self, message: discord.Message) -> None:
        _log.info("a picture was posted whose job was deleted meanwhile; it is taken back")
        await self.remove_post(message.channel.id, message.id)

    async def post_failure(self, job: Job) -> bool:
        """Tell the owner how a failed or cancelled job ended; False if that is to be tried again later.

        A cancelled job's progress message says so. Of a failed one, a message of its own tells.
        """
        if job.state is JobState.CANCELLED:
            words = results.cancelled(job.price, by_owner=job.cancelled_by == job.user_id)
            told = await self.progress(job).close_with(words)
            self._forget_progress(job)
            await self.receipts.take_back(job.id)
            return told
        reason = FailureReason(job.failure) if job.failure else FailureReason.INTERNAL
        content = f"{self._first_line(job)}\n{results.failure(reason, price=job.price)}"
        nonce = cast(Any, job.nonce)
        try:
            await persistently(
                lambda: self._channel(job).send(content, allowed_mentions=only(job.user_id), nonce=nonce)
            )
        except Undeliverable as error:
            _log.warning("nobody could be told of a failure", error=str(error))
        return True

    async def offer(self, picture: bytes, send: Callable[[bytes], Awaitable[None]], *, run: Run) -> None:
        """Send a picture directly to somebody, smaller where Discord does not take as much; `run` takes what blocks to a
        thread. Raises what `Unreachable` names.
        """
        small = await self._sender.fitting(picture, files.UPLOAD_LIMIT, run=run)
        await self._sender.offer(small, send, run=run)

    # ----------------------------------------------------------------- removal

    async def remove_post(self, channel_id: int, message_id: int) -> bool:
        """Delete a message of ours; False if Discord doesn't let us."""
        return await deletion.remove(self._client, channel_id, message_id)

    def partial_post(self, channel_id: int, message_id: int) -> discord.PartialMessage:
        """A message of ours, to be changed."""
        return self._client.get_partial_messageable(channel_id).get_partial_message(message_id)

    def recent(self, channel: discord.abc.Messageable, *, since: int | None) -> AsyncIterator[discord.Message]:
        """Our own latest messages, the newest first, down to the id `since`. Raises what `Unreachable` names."""
        return self._sender.recent(channel, since=since)

    async def fetch_post(self, channel_id: int, message_id: int) -> discord.Message | None:
        """A message of ours as it is now; None if Discord does not tell."""
        try:
            return await self.partial_post(channel_id, message_id).fetch()
        except Unreachable as error:
            _log.info("a message could not be read", channel=channel_id, error=str(error))
            return None

    # ------------------------------------------------------------------- sends

    async def _post(
        self,
        job: Job,
        post: Post,
        *,
        look_first: bool,
        channel_id: int | None = None,
        owner_id: int | None = None,
    ) -> discord.Message | None:
        channel = self._channel(job, channel_id)
        adult = is_adult(self._catalogue, job)
        try:
            priced = replace(post, content=await self._priced(post.content, job))
            return await self._sender.send(
                channel, priced, look_first=look_first, may=self._only_adults(channel) if adult else None
            )
        except Undeliverable as refused:
            if adult:
                _log.error("a result for adults could not be posted", error=str(refused))
                return None
            _log.warning("the channel takes no result; trying a direct message", error=str(refused))
        try:
            letters = await persistently(lambda: self._letters_of(owner_id or job.user_id))
            letter = replace(post, view=lambda: discord.ui.View(timeout=None), reply_to=None)
            return await self._sender.send(letters, letter, look_first=look_first)
        except Undeliverable as refused:
            _log.error("a result could not be posted anywhere; its pictures are kept", error=str(refused))
            return None

    def _only_adults(self, channel: discord.PartialMessageable) -> Callable[[], Awaitable[None]]:
        """Raises Undeliverable, when called, where the channel is open to everyone by then."""

        async def check() -> None:
            if not age_restricted(await self.known_channel(channel.id)):
                raise Undeliverable("the channel is open to everyone")

        return check

    async def known_channel(self, channel_id: int) -> object:
        """What Discord knows of a channel; None if it tells nothing."""
        try:
            return self._client.get_channel(channel_id) or await persistently(
                lambda: self._client.fetch_channel(channel_id)
            )
        except (Undeliverable, discord.InvalidData) as error:
            _log.warning("the channel of a result is unknown", error=str(error))
            return None

    async def _priced(self, words: str, job: Job) -> str:
        """A message's words, with what its buttons cost."""
        async with self._database.reading() as tx:
            free = await free_actions(tx, job.guild_id, self._settings.host_credits)
        return self.price_line.under(words, job, free=free)

    async def _letters_of(self, user_id: int) -> discord.DMChannel:
        return await (await self._client.fetch_user(user_id)).create_dm()

    def _channel(self, job: Job, channel_id: int | None = None) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(channel_id or job.channel_id, guild_id=job.guild_id)

    def _first_line(self, job: Job) -> str:
        what = self._titles.get(job.action, "").format(index=job.parent_index)
        return results.title(job.prompt, job.user_id, what=what)

    def _content(self, job: Job, standing: Sequence[str]) -> str:
        """The words of a result, with how its pictures stand at present."""
        return "\n".join([self._first_line(job), self._details(job), *self._not_drawn(job), *standing])

    def _not_drawn(self, job: Job) -> Iterator[str]:
        """What a model of few words could not draw, as a line."""
        spec = self._catalogue.get(job.model)
        if spec is not None and spec.vocabulary and (unknown := unknown_words(job.request.sampling.prompt)):
            yield results.not_drawn(spec.name, [] if job.request.sampling.private else unknown)

    def _details(self, job: Job) -> str:
        seed = job.request.sampling.seeds[0]
        return results.details(model=self._model_name(job), seed=seed, seconds=job.seconds)

    def _model_name(self, job: Job) -> str:
        return self._catalogue[job.model].name if job.model in self._catalogue else job.model
