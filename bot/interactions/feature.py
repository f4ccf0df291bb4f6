"""The shape of a feature: what one file in `features/` declares, and what its functions are given.

A feature file ends in `FEATURE = Feature(...)`. Its commands are added to the command tree, its verbs become buttons
and reactions, and its help lines appear in `/help`: adding a file adds all of them.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import discord
from discord import app_commands

from bot import features
from bot.delivery.host_notices import HostNotices
from bot.delivery.surface import Surface
from bot.errors import BotLacksPermission, JobGone, NotReady, NotYours, ServerOnly
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.seams import Requester
from bot.jobs.word_check import Moderation
from bot.pictures.age_restriction import age_restricted, only_among_adults
from bot.pictures.inspection import Inspection
from bot.pictures.limiter import Limits
from bot.pictures.safety import only_shown
from bot.pictures.signing import Seal
from bot.settings.settings import Settings
from generation.catalogue import Catalogue
from generation.contract import Generator, ModelState
from storage.database import Database
from storage.guilds import settings as guild_settings
from storage.jobs import images
from storage.jobs.job import Job, JobState
from storage.privacy.clock_check import Watch

if TYPE_CHECKING:
    from bot.delivery.delivery import Delivery
    from bot.features.moderation._withheld import Withheld


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Every part of the running bot, built once and handed to whoever needs it."""

    settings: Settings
    database: Database
    catalogue: Catalogue
    default_model: str
    generator: Generator
    dispatcher: Dispatcher
    delivery: Delivery
    moderation: Moderation
    withheld: Withheld
    seal: Seal
    limits: Limits
    inspection: Inspection
    clock: Callable[[], datetime]
    random: random.Random
    notices: HostNotices = field(default_factory=HostNotices)
    clock_watch: Watch = field(default_factory=Watch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a verb's button stands: the surface, the row from 0, and the order within the row.

    A `numbered` button stands once for each picture, its label followed by the number.
    """

    surface: Surface
    row: int
    order: int = 0
    label: str = ""
    emoji: str | None = None
    numbered: bool = False


class Reply(Protocol):
    """Says a sentence to one person alone, with buttons below it where there are any."""

    async def __call__(self, text: str, /, *, view: discord.ui.View | None = None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A person's wish about a job, whether by button or by reaction.

    `index` is the picture meant, from 1, or 0 for all of them. `tell` says a sentence to that person alone.
    `permissions` are that person's in the channel, and `bot_permissions` are ours. `words` stand in the message; None
    where Discord did not send it along. `upload_limit` is what Discord said that a message here may carry, in bytes.
    """

    services: Services
    actor: discord.Member
    channel: discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
    message_id: int
    job: Job
    index: int
    interaction_id: int | None
    permissions: discord.Permissions
    bot_permissions: discord.Permissions
    tell: Reply
    words: str | None = None
    upload_limit: int | None = None

    @property
    def message(self) -> discord.PartialMessage:
        """The message that the button or reaction is on."""
        return discord.PartialMessage(channel=self.channel, id=self.message_id)

    @property
    def requester(self) -> Requester:
        """Who asks, from where, as the dispatcher wants to know it."""
        return requester(self.actor, self.channel, interaction_id=self.interaction_id)

    def only_finished(self) -> None:
        """Raises NotReady while there are no pictures yet."""
        if self.job.state in (JobState.QUEUED, JobState.RUNNING):
            raise NotReady

    def only_among_adults(self, *, directly: bool = False) -> None:
        """Raises AdultOnly where the job's pictures may not be shown: here, or in direct messages."""
        restricted = not directly and age_restricted(self.channel)
        only_among_adults(self.services.catalogue, self.job, restricted=restricted)

    def only_owner_or_moderator(self) -> None:
        """Raises NotYours for everyone else."""
        if self.actor.id != self.job.user_id and not self.permissions.manage_messages:
            raise NotYours


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """Something that can be done with a job.

    `name` is in the id of every button ever sent: never reuse one. `reactions` maps emoji to the picture each means
    (from 1; 0: all of them).
    """

    name: str
    run: Callable[[Ask], Awaitable[None]]
    places: Sequence[Place] = ()
    reactions: Mapping[str, int] = field(default_factory=dict)
    marks: bool = True
    """Whether the button turns blue once it was used."""
    of_case: bool = False
    """Whether it is a moderators' button, under a copy of the job's pictures."""
    leftover: Callable[[Services, discord.Message, discord.Member, Reply], Awaitable[None]] | None = None
    """What it does with a message of whose job nothing is kept any more."""


AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What one file adds to the bot. `help` holds lines of Discord markdown for `/help`.

    `items` are buttons that are about no job. `background` is run from the start to the end.
    """

    commands: Sequence[AnyCommand] = ()
    verbs: Sequence[Verb] = ()
    items: Sequence[type[discord.ui.DynamicItem[Any]]] = ()
    background: Callable[[Services], Coroutine[Any, Any, None]] | None = None
    help: Sequence[str] = ()


def load() -> tuple[Feature, ...]:
    """The features of every module in `features/` and its folders, by name; `_private` modules are passed over."""
    found = pkgutil.walk_packages(features.__path__, prefix=f"{features.__name__}.")
    names = (one.name for one in found if not one.ispkg and not one.name.rpartition(".")[2].startswith("_"))
    return tuple(importlib.import_module(name).FEATURE for name in sorted(names))


def able_to_post(permissions: discord.Permissions, channel: object) -> None:
    """Raises BotLacksPermission where Easel could not post a result. Threads have a permission of their own."""
    speak = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    needed = ("view_channel", speak, "attach_files")
    missing = tuple(name.replace("_", " ").title() for name in needed if not getattr(permissions, name))
    if missing:
        raise BotLacksPermission(missing)


async def shows(ask: Ask, job_id: str | None, index: int) -> None:
    """Raises JobGone unless that picture is still on the disk, and PictureWithheld where nobody may see it."""
    services = ask.services
    path = images.path(services.database.folder, job_id, index) if job_id else None
    async with services.database.reading() as tx:
        rows = await images.of_job(tx, job_id or "")
        server = await guild_settings.settings(tx, ask.actor.guild.id)
    only_shown(rows, index, appeal=server.appeal)
    if path is None or not await asyncio.to_thread(path.exists):
        raise JobGone


def usual_model(services: Services, servers_choice: str | None) -> str:
    """The key of the model that draws when nobody names one: the server's choice, as long as it can be had."""
    states = services.generator.models()
    known = states.get(servers_choice or "")
    if servers_choice is None or known is None or known.state is ModelState.UNUSABLE:
        return services.default_model
    return servers_choice


def requester(
    actor: discord.Member | discord.User, channel: object, *, interaction_id: int | None
) -> Requester:
    """Who asks, from where. Raises ServerOnly outside a server."""
    if not isinstance(actor, discord.Member) or not isinstance(channel, discord.abc.Snowflake):
        raise ServerOnly
    return Requester(
        user_id=actor.id,
        guild_id=actor.guild.id,
        channel_id=channel.id,
        role_ids=tuple(role.id for role in actor.roles),
        joined_at=actor.joined_at,
        interaction_id=interaction_id,
        within=_around(channel),
        age_restricted=age_restricted(channel),
    )


def _around(channel: object) -> tuple[int, ...]:
    """What a channel stands in: a thread's channel, and the category."""
    ids: tuple[int | None, ...]
    if isinstance(channel, discord.Thread):  # whose `category_id` raises where its channel is not known yet
        ids = (channel.parent_id, channel.parent.category_id if channel.parent else None)
    else:
        ids = (getattr(channel, "category_id", None),)
    return tuple(one for one in ids if one is not None)
