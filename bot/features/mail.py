"""✉️: the full-size pictures, with seed and job id, to the person who reacted."""

from __future__ import annotations

import secrets
from typing import Any

import discord

from bot.connection.retry import patiently
from bot.errors import DirectMessagesClosed, JobGone
from bot.interactions.feature import Ask, Feature, Verb
from bot.pictures import files
from bot.pictures.safety import only_shown
from bot.texts import member, results
from bot.texts.escaping import file_stem
from storage.jobs import images


async def mail(ask: Ask) -> None:
    ask.only_finished()
    ask.only_among_adults(directly=True)
    ask.policy.only_allowed(ask.requester, "mail", posts=False)
    async with ask.services.database.reading() as tx:
        rows = await images.of_job(tx, ask.job.id)
    wanted = [row for row in rows if row.index and ask.index in (0, row.index)]
    async with ask.services.limits.letters.place(ask.actor.id):
        for row in wanted:
            if row.finding is images.Finding.SAFE:
                await _send(ask, row)
    for row in wanted:
        only_shown(rows, row.index, appeal=ask.policy.settings.appeal)
    if not wanted:
        raise JobGone


async def _send(ask: Ask, row: images.Image) -> None:
    on_threads = ask.services.limits.letters.run
    try:
        data = await on_threads(images.read, ask.services.database.folder, row.job_id, row.index)
    except images.ImageGone:
        raise JobGone from None
    alt = results.alt_text(ask.job.prompt, index=row.index, count=ask.job.images)
    words = member.mailed(ask.job.prompt, index=row.index, seed=row.seed or 0, job_id=row.job_id)

    nonce: Any = secrets.token_hex(8)

    async def send(picture: bytes) -> None:
        suffix = "jpg" if files.content_type(picture) == "image/jpeg" else "png"
        name = f"{file_stem(ask.job.prompt)}_{row.job_id}_{row.index}.{suffix}"
        await patiently(lambda: ask.actor.send(words, file=files.attachment(picture, name, alt), nonce=nonce))

    try:
        await ask.services.delivery.offer(data, send, run=on_threads)
    except discord.Forbidden:
        raise DirectMessagesClosed from None


FEATURE = Feature(
    permissions=("mail",),
    verbs=(Verb(name="mail", run=mail, reactions={"✉️": 0, "📩": 0}),),
    help=("✉️ sends you the full-size pictures with their seeds as a direct message.",),
)
