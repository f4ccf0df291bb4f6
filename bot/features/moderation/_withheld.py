"""Pictures that the safety check withheld, on their way through the moderators: shown to them, then posted or deleted.

Every step is recorded before it is taken and may be taken twice, so that a restart goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import discord
import structlog

from bot.connection.retry import Undeliverable, Unreachable, persistently
from bot.delivery.delivery import Delivery
from bot.errors import AdultOnly, JobGone
from bot.features.moderation import _verdicts as verdicts
from bot.interactions.buttons import JobButton
from bot.pictures import files as picture_files
from bot.pictures import safety
from bot.pictures.age_restriction import age_restricted
from bot.pictures.signing import Seal
from bot.texts import common, moderation
from storage.database import Database
from storage.guilds import settings as guild_settings
from storage.jobs import images, queries
from storage.jobs.images import Finding
from storage.jobs.job import Job
from storage.moderation import cases
from storage.moderation.cases import Kind, Verdict

APPROVE, REFUSE, SHOW = "mod_approve", "mod_refuse", "mod_show"
"""The verbs of the buttons under a case."""

_LARGEST = 2 * 2**20
"""Bytes of one picture in a case: four of them fit into what Discord takes everywhere."""
_LOOK_BACK = 1000
"""How many messages since the result are looked through for a case that a crash left unrecorded."""

_log = structlog.get_logger(__name__)


class Withheld:
    """Brings withheld pictures before a server's moderators, and carries out what they decide."""

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        delivery: Delivery,
        *,
        clock: Callable[[], datetime],
        seal: Seal,
    ) -> None:
        self._client = client
        self._database = database
        self._delivery = delivery
        self._clock = clock
        self._seal = seal
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def _turn(self, job: Job) -> asyncio.Lock:
        """Held by whoever does something about a job's withheld pictures."""
        return self._turns.setdefault(job.id, asyncio.Lock())

    async def resume(self) -> None:
        """Go on with what a restart interrupted."""
        async with self._database.reading() as tx:
            unposted = await cases.unposted(tx)
            approved = {job_id for job_id, _ in await images.awaiting(tx, Finding.APPROVED)}
            refused = {job_id for job_id, _ in await images.awaiting(tx, Finding.REFUSED)}
        for job_id in refused:
            await self._delete_files(job_id)
        steps: tuple[tuple[Sequence[str], Callable[[Job], Awaitable[None]]], ...] = (
            (sorted(approved), self.post_approved),
            (unposted, self.bring),
        )
        for job_ids, step in steps:
            for job_id in job_ids:
                async with self._database.reading() as tx:
                    job = await queries.get(tx, job_id)
                if job is not None:
                    await step(job)

    # ------------------------------------------------------------------ the case

    async def bring(self, job: Job) -> None:
        """Bring what was withheld of a delivered job before the moderators, if anything was.

        Where no channel of theirs takes it, nobody could ever approve it, so it is deleted.
        """
        async with self._turn(job):
            async with self._database.reading() as tx:
                case = await cases.case(tx, job.id, Kind.CHECK)
                server = await guild_settings.settings(tx, job.guild_id)
                current = await queries.get(tx, job.id)
            numbers = await self._numbers(job)
            if case is None or current is None or case.message_id is not None or case.verdict is not None:
                return
            if not numbers:
                await self._close(job, Verdict.REMOVED, judge_id=None)
                return
            channel = None
            if server.moderators_channel_id is not None:
                channel = await self._delivery.known_channel(server.moderators_channel_id)
            try:
                if not isinstance(channel, discord.TextChannel):
                    raise Undeliverable("there is no moderators' channel any more")
                message_id = await self._post(current, channel, numbers)
            except (Undeliverable, JobGone) as error:
                _log.warning("withheld pictures could come before no moderators", error=str(error))
                await self._close(job, Verdict.REMOVED, judge_id=None)
                return
            async with self._database.transaction() as tx:
                known = await cases.posted(
                    tx, job.id, Kind.CHECK, channel_id=channel.id, message_id=message_id
                )
            if not known:
                _log.info("a case was posted whose job was deleted meanwhile; it is taken back")
                await self._delivery.remove_post(channel.id, message_id)

    async def _post(self, job: Job, channel: discord.TextChannel, numbers: Sequence[int]) -> int:
        """Post the case once, and return its message's id. Raises Undeliverable, or JobGone."""
        shown = age_restricted(channel)
        words = moderation.withheld_case(job, numbers, shown=shown)

        async def send() -> int:
            if standing := await self._find(job, channel):
                return standing
            nonce: Any = f"case-{job.id}"
            files = await self._files(job, numbers) if shown else []
            return (await channel.send(words, files=files, view=_buttons(job, shown=shown), nonce=nonce)).id

        return await persistently(send)

    async def _find(self, job: Job, channel: discord.TextChannel) -> int | None:
        """The case's message, which may stand there from before a crash or a lost answer."""
        me, result = self._client.user, job.result_message_id
        since = discord.Object(result) if result else None
        try:
            async for message in channel.history(limit=_LOOK_BACK, after=since):
                ours = me is not None and message.author.id == me.id
                if ours and moderation.is_withheld_case(message.content, job):
                    return message.id
        except discord.Forbidden as error:
            _log.debug("may not look for an earlier case", error=str(error))
        return None

    async def _numbers(self, job: Job) -> list[int]:
        async with self._database.reading() as tx:
            rows = await images.of_job(tx, job.id)
        return [row.index for row in rows if row.finding is Finding.WITHHELD]

    async def _files(self, job: Job, numbers: Sequence[int]) -> list[discord.File]:
        """The pictures as spoilers. Raises JobGone where they are no longer kept."""
        return [await asyncio.to_thread(self._spoiler, job, number) for number in numbers]

    def _spoiler(self, job: Job, number: int) -> discord.File:
        try:
            data = images.read(self._database.folder, job.id, number)
        except images.ImageGone:
            raise JobGone from None
        if len(data) > _LARGEST:
            data = picture_files.shrink(data, _LARGEST, self._seal)
        suffix = "jpg" if picture_files.content_type(data) == "image/jpeg" else "png"
        alt = common.alt_text(job.prompt, index=number, count=job.images)
        return picture_files.attachment(data, f"SPOILER_{job.id}_{number}.{suffix}", alt)

    # -------------------------------------------------------------- what moderators do

    async def show(self, job: Job, channel: object, message: discord.PartialMessage) -> None:
        """Show the pictures in a case that was posted while its channel was open to everyone.

        Raises AdultOnly as long as it is, and JobGone where they are no longer kept.
        """
        if not age_restricted(channel):
            raise AdultOnly
        async with self._turn(job):
            numbers = await self._numbers(job)
            if not numbers:
                raise JobGone
            words, files = moderation.withheld_case(job, numbers), await self._files(job, numbers)
            await message.edit(content=words, attachments=files, view=_buttons(job, shown=True))

    async def decide(
        self, job: Job, verdict: Verdict, *, judge_id: int, message: discord.PartialMessage
    ) -> bool:
        """Decide a case, say so in its message, and carry it out; False where somebody else had decided it before.

        Raises JobGone where the pictures are no longer kept: the case is over, and its copy of them goes.
        """
        async with self._turn(job):
            numbers = await self._numbers(job)
            async with self._database.reading() as tx:
                case = await cases.case(tx, job.id, Kind.CHECK)
            if case is None or case.verdict is not None:
                return False
            if not numbers:
                await self._close(job, Verdict.REMOVED, judge_id=None)
                await _mark(message, moderation.withheld_case(job, []), keep=False)
                raise JobGone
            await self._close(job, verdict, judge_id=judge_id)
            words = moderation.withheld_case(job, numbers, verdict=verdict, judge_id=judge_id)
            await _mark(message, words, keep=verdict is Verdict.KEPT)
        if verdict is Verdict.KEPT:
            await self.post_approved(job)
        else:
            await self._delivery.renew_result(job)
        return True

    async def _close(self, job: Job, verdict: Verdict, *, judge_id: int | None) -> None:
        now, change = self._clock(), None
        async with self._database.transaction() as tx:
            closed = await cases.close(tx, job.id, verdict, Kind.CHECK, judge_id=judge_id, now=now)
            if judge_id is not None and not closed:
                raise JobGone  # its person was erased meanwhile
            finding = Finding.APPROVED if verdict is Verdict.KEPT else Finding.REFUSED
            await images.judge(tx, job.id, finding)
            if judge_id is not None:
                change = await verdicts.note(tx, job, Kind.CHECK, verdict, judge_id=judge_id, now=now)
        if verdict is Verdict.REMOVED:
            await self._delete_files(job.id)
        if change is not None:
            await verdicts.post(self._database, self._client.get_channel, change)

    async def _delete_files(self, job_id: str) -> None:
        """The files of refused pictures go; only then does the database say so."""
        async with self._database.reading() as tx:
            rows = await images.of_job(tx, job_id)
        for row in rows:
            if row.finding is Finding.REFUSED:
                await asyncio.to_thread(images.remove_one, self._database.folder, job_id, row.index)
        async with self._database.transaction() as tx:
            await images.mark_removed(tx, job_id)

    async def post_approved(self, job: Job) -> None:
        """Post what moderators let pass to the person who asked for it, in the job's channel, once."""
        async with self._turn(job):
            async with self._database.reading() as tx:
                rows = await images.of_job(tx, job.id)
            for row in rows:
                if row.finding is Finding.APPROVED:
                    await self._post_picture(job, row.index)
            await self._delivery.renew_result(job, await self._uncover(job))
            async with self._database.transaction() as tx:
                await images.judge(tx, job.id, Finding.SAFE, of=Finding.APPROVED)

    async def _uncover(self, job: Job) -> bytes | None:
        """The job's grid with all its pictures, kept in place of the covered one; None where they are gone."""
        folder = self._database.folder
        try:
            grid = await asyncio.to_thread(safety.uncovered, folder, job, self._seal)
        except images.ImageGone:
            return None
        files = await asyncio.to_thread(images.write, folder, job.id, {images.file_name(0): grid})
        async with self._database.transaction() as tx:
            kept = await images.rewrite(tx, job.id, 0, files[images.file_name(0)])
        if kept:
            return grid
        await asyncio.to_thread(images.remove, folder, job.id)  # the job was deleted meanwhile
        return None

    async def _post_picture(self, job: Job, index: int) -> None:
        try:
            posted = await self._delivery.post_single(
                job,
                index,
                channel_id=job.channel_id,
                asked_by=job.user_id,
                reply_to=job.result_message_id,
                note=common.LET_PASS,
                look_first=True,
            )
        except images.ImageGone:
            _log.warning("an approved picture is gone")
            return
        if posted is None:
            _log.warning("an approved picture could be posted nowhere; its button gives it out")


async def _mark(message: discord.PartialMessage, words: str, *, keep: bool) -> None:
    """Say in a case's message what became of it, and `keep` its pictures there or not."""
    shown: dict[str, Any] = {} if keep else {"attachments": []}
    try:
        await message.edit(content=words, view=None, **shown)
    except Unreachable as error:
        _log.warning("a decided case could not be marked as such", error=str(error))


def _buttons(job: Job, *, shown: bool) -> discord.ui.View:
    """Nobody approves what they have not seen."""
    view = discord.ui.View(timeout=None)
    if shown:
        view.add_item(JobButton(APPROVE, job.id, 0, label="Approve", emoji="✅"))
    else:
        view.add_item(JobButton(SHOW, job.id, 0, label="Show", emoji="👁️"))
    view.add_item(JobButton(REFUSE, job.id, 0, label="Refuse", emoji="🗑️"))
    return view
