"""`/report`, "Report picture" and 🚩: a picture goes before the moderators, who remove or keep it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import discord
import structlog
from discord import app_commands

from bot import cases, leftover_reports, moderation_pages
from bot.admin import admin, opened
from bot.boundary import acknowledge
from bot.errors import BadLink, NotModerator, ServerOnly
from bot.feature import Ask, Feature, Place, Studio, Verb, able_to_post
from bot.patience import Unreachable
from bot.surface import Surface
from storage import guilds, jobs
from storage.errors import StorageError
from storage.reports import Verdict

_LINK = re.compile(
    r"https?://(?:\w+\.)?discord(?:app)?\.com/channels/([0-9]{1,20})/([0-9]{1,20})/([0-9]{1,20})"
)

_EVERY = 600.0
"""Seconds between two looks for reports that are not posted yet."""

_log = structlog.get_logger(__name__)


async def flag(ask: Ask) -> None:
    await ask.tell(await cases.report(ask.studio, ask.job, ask.actor))


@app_commands.command(name="report", description="Show a picture to this server's moderators")
@app_commands.describe(link="The link of its message: open the message's menu and choose Copy Message Link")
@app_commands.guild_only()
async def report(interaction: discord.Interaction[Any], link: str) -> None:
    await acknowledge(interaction, thinking=True)
    found = _LINK.search(link)
    guild = interaction.guild
    if found is None or guild is None or int(found[1]) != guild.id:
        raise BadLink
    channel = guild.get_channel_or_thread(int(found[2]))
    member = interaction.user
    if (
        channel is None
        or not isinstance(member, discord.Member)
        or not channel.permissions_for(member).view_channel
    ):
        raise BadLink
    await _report(interaction, int(found[3]), partial(_fetched, channel, int(found[3])))


async def _fetched(channel: object, message_id: int) -> discord.Message:
    """Raises BadLink where there is no such message, or Discord does not tell."""
    if not isinstance(channel, discord.abc.Messageable):
        raise BadLink
    try:
        return await channel.fetch_message(message_id)
    except Unreachable:
        raise BadLink from None


@app_commands.context_menu(name="Report picture")
@app_commands.guild_only()
async def report_picture(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await acknowledge(interaction, thinking=True)

    async def as_it_is() -> discord.Message:
        return message

    await _report(interaction, message.id, as_it_is)


async def _report(
    interaction: discord.Interaction[Any], message_id: int, whole: Callable[[], Awaitable[discord.Message]]
) -> None:
    if not isinstance(interaction.user, discord.Member):
        raise ServerOnly
    studio = interaction.client.studio
    async with studio.database.reading() as tx:
        job = await jobs.by_message(tx, message_id)
    if job is None:
        words = await leftover_reports.report(studio, await whole(), interaction.user)
    elif job.guild_id == interaction.guild_id:
        words = await cases.report(studio, job, interaction.user)
    else:
        raise BadLink
    await interaction.followup.send(words, ephemeral=True)


async def decide(ask: Ask, *, verdict: Verdict) -> None:
    """What a moderator's button does; whoever may manage messages in their channel is one."""
    if not ask.permissions.manage_messages:
        raise NotModerator
    if not await cases.decide(ask.studio, ask.job, verdict, ask.actor, ask.message):
        await ask.tell(moderation_pages.DECIDED_BEFORE)


@admin.command(name="moderators", description="Choose the channel that reported pictures go to")
@app_commands.describe(channel="Where; leave out to take no reports")
async def moderators(
    interaction: discord.Interaction[Any], channel: discord.TextChannel | None = None
) -> None:
    desk = await opened(interaction)
    if channel is not None:
        able_to_post(channel.permissions_for(channel.guild.me), channel)
    async with desk.changing() as record:
        old = (await guilds.settings(record.tx, desk.guild_id)).moderators_channel_id
        await guilds.set_moderators_channel(record.tx, desk.guild_id, channel.id if channel else None)
        await record.note(
            "moderators' channel",
            old=f"<#{old}>" if old else None,
            new=f"<#{channel.id}>" if channel else None,
        )
    await desk.tell(moderation_pages.moderators_are(channel.id if channel else None))


async def show_what_waits(studio: Studio) -> None:
    """Post the reports that a stop, or Discord, kept from the moderators' channel, for as long as the bot lives."""
    while True:
        try:
            await cases.resume(studio)
        except StorageError:
            _log.exception("reports could not be posted; trying again later", again_in=_EVERY)
        await asyncio.sleep(_EVERY)


FEATURE = Feature(
    commands=(report, report_picture, admin),
    verbs=(
        Verb(
            name="report",
            run=flag,
            places=(
                Place(surface=Surface.GRID, row=1, order=9, emoji="🚩"),
                Place(surface=Surface.SINGLE, row=4, order=9, emoji="🚩"),
            ),
            reactions={"🚩": 0},
            marks=False,
            leftover=leftover_reports.report,
        ),
        Verb(name=cases.REMOVE, run=partial(decide, verdict=Verdict.REMOVED), marks=False, of_case=True),
        Verb(name=cases.KEEP, run=partial(decide, verdict=Verdict.KEPT), marks=False, of_case=True),
    ),
    background=show_what_waits,
    help=(
        "🚩, **/report** or **Report picture** in a message's menu shows a picture to the moderators; "
        "**/admin moderators** (admins) chooses their channel.",
    ),
)
