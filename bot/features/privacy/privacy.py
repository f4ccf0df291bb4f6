"""`/privacy show|export|delete`: what is kept of a person, a copy of it, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import re
from datetime import timedelta
from functools import partial
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.features.privacy import _archive as archive
from bot.features.privacy import _erasure as erasure
from bot.features.privacy import _retention as retention
from bot.features.privacy import _rewriting as rewriting
from bot.interactions.error_handler import acknowledge, answered, only_new, tell_privately
from bot.interactions.feature import Feature
from bot.services import Services
from bot.texts import privacy as text_privacy
from storage.errors import StorageError
from storage.privacy import personal_data
from storage.privacy.erasures import Erasure

_PARTS = 10
"""ZIPs that one command sends: they have to arrive while Discord accepts answers to it, which is 15 minutes."""

_PART = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES - 2**16
"""Bytes of one ZIP at most: what Discord takes everywhere, and room for the rest of the message."""

_PATIENCE = 600.0
"""Seconds that an answer waits for the database to be rewritten; Discord takes it for 15 minutes."""

_EVERY = 3600.0
"""Seconds between two looks for what is too old to be kept."""

_log = structlog.get_logger(__name__)

privacy = app_commands.Group(
    name="privacy",
    description="What Easel keeps of you: see it, get a copy, delete it",
    allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
)


@privacy.command(name="show", description="What Easel keeps of you, and for how long")
async def show(interaction: discord.Interaction[Any]) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    async with services.database.reading() as tx:
        counts = await personal_data.counts(tx, interaction.user.id)
        pictures = await personal_data.rows(tx, interaction.user.id, "images")
    megabytes = sum(picture["bytes"] for picture in pictures) / 1e6
    await interaction.followup.send(
        text_privacy.show(counts, megabytes, services.settings),
        ephemeral=True,
    )


# ----------------------------------------------------------------------------------------------------------- export


@privacy.command(name="export", description="A ZIP of everything that Easel keeps of you, with your pictures")
@app_commands.describe(part="From which part on, where there are more than Discord takes at once")
async def export(interaction: discord.Interaction[Any], part: app_commands.Range[int, 1, 10_000] = 1) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    async with services.limits.exports.place(interaction.user.id):
        await _send_parts(interaction, services, part)


async def _send_parts(interaction: discord.Interaction[Any], services: Services, part: int) -> None:
    limit = services.limits.exports
    async with services.database.reading() as tx:
        tables = {table: await personal_data.rows(tx, interaction.user.id, table) for table in personal_data.tables()}
    found = await limit.run(archive.entries, services.database.folder, tables)
    parts = archive.parts(found, _PART)
    if part > len(parts):
        await interaction.followup.send(text_privacy.NO_SUCH_PART.format(part, len(parts)), ephemeral=True)
        return
    last = min(len(parts), part + _PARTS - 1)
    for number in range(part, last + 1):
        words = text_privacy.part(number, of=len(parts), last=last)
        with await limit.run(archive.write, parts[number - 1], _PART, services.seal) as file:
            name = f"easel-{number}.zip" if len(parts) > 1 else "easel.zip"
            await interaction.followup.send(words, file=discord.File(file, name), ephemeral=True)


# ----------------------------------------------------------------------------------------------------------- delete


class Answer(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"easel-privacy:(?P<answer>[a-z_]+)"):
    """A button under the question of `/privacy delete`. Whoever presses it means themselves, so its id says no name."""

    def __init__(self, answer: str, *, label: str = "?", style: discord.ButtonStyle = discord.ButtonStyle.grey) -> None:
        self.answer = answer
        super().__init__(
            discord.ui.Button(label=label, style=style, custom_id=f"easel-privacy:{answer}"),
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Answer:
        return cls(match["answer"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        tell = partial(tell_privately, interaction)
        async with answered(tell, what=f"button {self.answer}", services=interaction.client.services):
            only_new(interaction)
            await _act(interaction, self.answer)


async def _act(interaction: discord.Interaction[Any], answer: str) -> None:
    if answer == "keep":
        await interaction.response.edit_message(content=text_privacy.KEPT, view=None)
        return
    await interaction.response.edit_message(content=text_privacy.DELETING, view=None)
    asked = Erasure(user_id=interaction.user.id, posts=answer == "delete_posts")
    services: Services = interaction.client.services
    await erasure.erase(services, asked)
    due_at = await rewriting.rewrite_soon(services, patience=_PATIENCE)
    if due_at is not None:
        due_at += timedelta(seconds=_EVERY)  # the background sees to it at its next look
    words = text_privacy.deleted(due_at)
    try:
        await interaction.followup.send(words, ephemeral=True)
    except discord.HTTPException:  # an interaction takes answers for 15 minutes only
        with contextlib.suppress(*Unreachable):
            await interaction.user.send(words)


def _question() -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(Answer("delete", label=text_privacy.DELETE, style=discord.ButtonStyle.danger))
    view.add_item(Answer("delete_posts", label=text_privacy.DELETE_WITH_POSTS, style=discord.ButtonStyle.danger))
    view.add_item(Answer("keep", label=text_privacy.KEEP))
    return view


@privacy.command(name="delete", description="Delete everything that Easel keeps of you; it asks first")
async def delete(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.send_message(text_privacy.CONFIRM, view=_question(), ephemeral=True)


# ------------------------------------------------------------------------------------------------------- background


async def tidy(services: Services) -> None:
    """Finish what was begun before a restart, and forget what is old, for as long as the bot lives."""
    while True:
        for step in (erasure.resume, retention.prune):
            try:
                await step(services)
            except (StorageError, OSError):  # which keeps the other from nothing
                _log.exception("old data could not be deleted; trying again later", again_in=_EVERY)
        await asyncio.sleep(_EVERY)


FEATURE = Feature(
    commands=(privacy,),
    items=(Answer,),
    background=tidy,
    help=("**/privacy** shows what is kept of you, sends you a copy, and deletes it.",),
)
