"""✉️: the full-size pictures, with seed and job id, to the person who reacted."""

from __future__ import annotations

import secrets
from typing import Any

import discord

from bot import access, pages, pictures, texts
from bot.errors import DirectMessagesClosed, JobGone
from bot.feature import Ask, Feature, Verb
from bot.inert import file_stem
from bot.patience import patiently
from bot.safety import only_shown
from storage.guilds import settings as guild_settings
from storage.jobs import images


async def mail(ask: Ask) -> None:
    ask.only_finished()
    ask.only_among_adults(directly=True)
    async with ask.studio.database.reading() as tx:
        await access.only_allowed(tx, ask.requester, "mail", posts=False)
        rows = await images.of_job(tx, ask.job.id)
        server = await guild_settings.settings(tx, ask.actor.guild.id)
    wanted = [row for row in rows if row.index and ask.index in (0, row.index)]
    async with ask.studio.limits.letters.place(ask.actor.id):
        for row in wanted:
            if row.finding is images.Finding.SAFE:
                await _send(ask, row)
    for row in wanted:
        only_shown(rows, row.index, appeal=server.appeal)
    if not wanted:
        raise JobGone


async def _send(ask: Ask, row: images.Image) -> None:
    on_threads = ask.studio.limits.letters.run
    try:
        data = await on_threads(images.read, ask.studio.database.folder, row.job_id, row.index)
    except images.ImageGone:
        raise JobGone from None
    alt = texts.alt_text(ask.job.prompt, index=row.index, count=ask.job.images)
    words = pages.mailed(ask.job.prompt, index=row.index, seed=row.seed or 0, job_id=row.job_id)

    nonce: Any = secrets.token_hex(8)

    async def send(picture: bytes) -> None:
        suffix = "jpg" if pictures.content_type(picture) == "image/jpeg" else "png"
        name = f"{file_stem(ask.job.prompt)}_{row.job_id}_{row.index}.{suffix}"
        await patiently(
            lambda: ask.actor.send(words, file=pictures.attachment(picture, name, alt), nonce=nonce)
        )

    try:
        await ask.studio.delivery.offer(data, send, run=on_threads)
    except discord.Forbidden:
        raise DirectMessagesClosed from None


FEATURE = Feature(
    verbs=(Verb(name="mail", run=mail, reactions={"✉️": 0, "📩": 0}),),
    help=("✉️ sends you the full-size pictures with their seeds as a direct message.",),
)
