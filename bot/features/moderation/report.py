"""`/report`, "Report picture" and 🚩: a picture goes before the moderators, who remove or keep it.

🚩 asks for a reason or once more, so that a slip of the finger reports nobody. No case says who reported; moderators can ask.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.connection.snowflakes import ID
from bot.delivery.button_rows import Place, Surface
from bot.errors import BadLink, NothingKept, ServerOnly
from bot.features.moderation import _case_messages as case_messages
from bot.features.moderation import _reported as reported
from bot.interactions.error_handler import acknowledge, answered, tell_privately
from bot.interactions.feature import Ask, Feature, Reply, Verb
from bot.interactions.forms import Field, Form
from bot.services import Services
from bot.texts import moderation
from storage.errors import StorageError
from storage.jobs import messages
from storage.moderation import cases as moderation_cases
from storage.moderation.cases import Verdict

_LINK = re.compile(rf"https?://(?:\w+\.)?discord(?:app)?\.com/channels/({ID})/({ID})/({ID})")

_FORM = Form(
    title=moderation.REPORT_TITLE,
    fields=(Field(name="reason", label=moderation.WHY, placeholder=moderation.WHO_READS),),
)

_EVERY = 600.0
"""Seconds between two looks for reports that are not posted yet."""

_log = structlog.get_logger(__name__)


class Sure(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=rf"easel-report:(?P<guild>{ID}):(?P<channel>{ID}):(?P<message>{ID})",
):
    """The button under the question that 🚩 leads to. It reports the message that its id names, from a direct message too."""

    def __init__(self, guild_id: int, channel_id: int, message_id: int) -> None:
        self.guild_id, self.channel_id, self.message_id = guild_id, channel_id, message_id
        custom_id = f"easel-report:{guild_id}:{channel_id}:{message_id}"
        danger = discord.ButtonStyle.danger
        super().__init__(discord.ui.Button(label=moderation.REPORT, style=danger, custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Sure:
        return cls(int(match["guild"]), int(match["channel"]), int(match["message"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        async with answered(
            partial(tell_privately, interaction), what="button report", services=interaction.client.services
        ):
            await acknowledge(interaction)
            member = await _member(interaction, self.guild_id)
            channel = _visible(member, self.channel_id)
            whole = partial(_fetched, channel, self.message_id)
            words = await _report(interaction.client.services, member, self.message_id, whole)
            await interaction.edit_original_response(content=words, view=None)


class OutOfDate(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"easel-leftover:.+"):
    """A button of earlier versions, under the report of a picture whose job was deleted."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: discord.ui.Item[Any], _match: re.Match[str], /
    ) -> OutOfDate:
        assert isinstance(item, discord.ui.Button)
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        tell = partial(tell_privately, interaction)
        async with answered(tell, what="button of a leftover", services=interaction.client.services):
            await acknowledge(interaction)
            raise NothingKept


async def _member(interaction: discord.Interaction[Any], guild_id: int) -> discord.Member:
    """The person in that server, from wherever they press. Raises ServerOnly if they are in it no more."""
    if isinstance(interaction.user, discord.Member) and interaction.guild_id == guild_id:
        return interaction.user
    guild: discord.Guild | None = interaction.client.get_guild(guild_id)
    if guild is None:
        raise ServerOnly
    try:
        return await guild.fetch_member(interaction.user.id)
    except discord.NotFound:
        raise ServerOnly from None


async def ask_why(ask: Ask) -> Form:
    """The form that 🚩 opens. Raises what is known to be in the way already."""
    await reported.open_to(ask.services, ask.job, ask.actor)
    return _FORM


async def flag(ask: Ask) -> None:
    """Report what the form was about. A reaction can open none, so that it leads to a question first."""
    if ask.interaction_id is not None:
        reason = ask.typed.get("reason", "")
        await ask.tell(await reported.report(ask.services, ask.job, ask.actor, reason=reason))
        return
    await reported.open_to(ask.services, ask.job, ask.actor)
    await _ask(ask.actor.guild.id, ask.message, ask.tell)


async def _ask(guild_id: int, message: discord.Message | discord.PartialMessage, tell: Reply) -> None:
    view = discord.ui.View(timeout=None)
    view.add_item(Sure(guild_id, message.channel.id, message.id))
    await tell(moderation.sure(guild_id, message.channel.id, message.id), view=view)


@app_commands.command(name="report", description="Show a picture to this server's moderators")
@app_commands.describe(link="The link of its message: open the message's menu and choose Copy Message Link")
@app_commands.guild_only()
async def report(interaction: discord.Interaction[Any], link: str) -> None:
    await acknowledge(interaction, thinking=True)
    found = _LINK.search(link)
    guild = interaction.guild
    if found is None or guild is None or int(found[1]) != guild.id:
        raise BadLink
    member = _in_server(interaction)
    channel = _visible(member, int(found[2]))
    whole = partial(_fetched, channel, int(found[3]))
    words = await _report(interaction.client.services, member, int(found[3]), whole)
    await interaction.followup.send(words, ephemeral=True)


def _in_server(interaction: discord.Interaction[Any]) -> discord.Member:
    """Raises ServerOnly."""
    if not isinstance(interaction.user, discord.Member):
        raise ServerOnly
    return interaction.user


def _visible(member: discord.Member, channel_id: int) -> object:
    """The channel of that id. Raises BadLink if the person sees none."""
    channel = member.guild.get_channel_or_thread(channel_id)
    if channel is None or not channel.permissions_for(member).view_channel:
        raise BadLink
    return channel


async def _fetched(channel: object, message_id: int) -> discord.Message:
    """Raises BadLink if there is no such message, or Discord does not tell."""
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

    words = await _report(interaction.client.services, _in_server(interaction), message.id, as_it_is)
    await interaction.followup.send(words, ephemeral=True)


async def _report(
    services: Services,
    reporter: discord.Member,
    message_id: int,
    whole: Callable[[], Awaitable[discord.Message]],
) -> str:
    """Report the picture of a message; the words for the person who reported it."""
    async with services.database.reading() as tx:
        job = await messages.by_message(tx, message_id)
    if job is None:
        message = await whole()
        ours = message.guild is not None and message.author.id == message.guild.me.id
        raise NothingKept if ours and message.attachments else BadLink
    if job.guild_id != reporter.guild.id:
        raise BadLink
    return await reported.report(services, job, reporter)


async def decide(ask: Ask, *, verdict: Verdict) -> None:
    """What a moderator's button does; whoever may manage messages in their channel is one."""
    case_messages.only_moderators(ask)
    if not await reported.decide(ask.services, ask.job, verdict, ask.actor, ask.message):
        await ask.tell(moderation.DECIDED_BEFORE)


async def name_reporters(ask: Ask) -> None:
    """Say to a moderator alone who reported."""
    case_messages.only_moderators(ask)
    async with ask.services.database.reading() as tx:
        by = await moderation_cases.reporters(tx, ask.job.id)
    await ask.tell(moderation.reported_by(by))


async def show_what_waits(services: Services) -> None:
    """Post the reports that a stop, or Discord, kept from the moderators' channel, for as long as the bot lives."""
    while True:
        try:
            await reported.resume(services)
        except StorageError:
            _log.exception("reports could not be posted; trying again later", again_in=_EVERY)
        await asyncio.sleep(_EVERY)


FEATURE = Feature(
    commands=(report, report_picture),
    verbs=(
        Verb(
            name="report",
            run=flag,
            form=ask_why,
            gone=NothingKept,
            places=(
                Place(surface=Surface.GRID, row=1, order=9, emoji="🚩"),
                Place(surface=Surface.SINGLE, row=0, order=10, emoji="🚩"),
            ),
            reactions={"🚩": 0},
            marks=False,
        ),
        Verb(name=reported.REMOVE, run=partial(decide, verdict=Verdict.REMOVED), marks=False, of_case=True),
        Verb(name=reported.KEEP, run=partial(decide, verdict=Verdict.KEPT), marks=False, of_case=True),
        Verb(name=reported.REPORTERS, run=name_reporters, marks=False, of_case=True),
    ),
    items=(Sure, OutOfDate),
    background=show_what_waits,
    forget_person=case_messages.forget_person,
    forget_jobs=case_messages.forget_jobs,
    help=(
        "🚩, **/report** or **Report picture** in a message's menu shows a picture to the moderators, who alone can see "
        "who reported it; "
        "**/admin moderators** (admins) chooses their channel.",
    ),
)
