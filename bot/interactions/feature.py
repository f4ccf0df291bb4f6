"""The shape of a feature: what one file in `features/` declares, and what its functions are given.

A feature file ends in `FEATURE = Feature(...)`. Its commands are added to the command tree, its actions to what can be
drawn, priced and kept for roles, its verbs become buttons and reactions, and its help lines appear in `/help`: adding a
file adds all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import discord
from discord import app_commands

from bot.delivery.button_rows import Place
from bot.errors import JobGone, NotReady, NotYours, Refusal
from bot.interactions.forms import Form
from bot.interactions.requester import requester
from bot.jobs.orders import Draft
from bot.jobs.policy import GuildPolicy
from bot.jobs.requester import Requester
from bot.pictures.age_restriction import age_restricted, only_among_adults
from bot.services import Services
from storage.jobs.job import Job, JobState


class Reply(Protocol):
    """Says a sentence to one person alone, with buttons below it where there are any."""

    async def __call__(self, text: str, /, *, view: discord.ui.View | None = None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one person wants done with a job, whether by button, form or reaction.

    `index` is the picture meant, from 1, or 0 for all of them. `tell` says a sentence to that person alone.
    `permissions` are that person's in the channel, and `bot_permissions` are ours. `words` stand in the message; None
    where Discord did not send it along. `upload_limit` is what Discord said that a message here may carry, in bytes.
    `typed` is what was typed into the verb\'s form, by its fields\' names.
    """

    services: Services
    actor: discord.Member
    channel: discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
    message_id: int
    job: Job
    index: int
    interaction_id: int | None
    policy: GuildPolicy
    permissions: discord.Permissions
    bot_permissions: discord.Permissions
    tell: Reply
    words: str | None = None
    upload_limit: int | None = None
    typed: Mapping[str, str] = field(default_factory=dict)

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
        """Raises AdultOnly if the job's pictures may not be shown: here, or in direct messages."""
        restricted = not directly and age_restricted(self.channel)
        only_among_adults(self.services.catalogue, self.job, restricted=restricted)

    def only_owner_or_moderator(self) -> None:
        """Raises NotYours for everyone else."""
        if self.actor.id != self.job.user_id and not self.permissions.manage_messages:
            raise NotYours


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that people have drawn, declared in its feature's file.

    Admins keep it for roles, make it free, and price it for a model, by its name.
    """

    #: Is stored with jobs, rules and prices, so never reuse one.
    name: str
    #: The draft of what is drawn: `interactions/draw.py` calls it with an `orders.Source`, a command as it likes.
    draft: Callable[..., Draft]
    #: Follows the prompt over its results; `{index}` is the number of the picture that it came from.
    title: str = ""
    #: Its button's name in the line of prices under a result; "" if it has no button there.
    label: str = ""
    #: Whether it waits for the pictures of the job that it comes from.
    needs_picture: bool = False


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
    form: Callable[[Ask], Awaitable[Form]] | None = None
    """What a press opens before it is done: `Ask.typed` holds what was typed. A reaction can open nothing."""
    gone: type[Refusal] = JobGone
    """What is said of a picture of ours whose job was deleted. A reaction says nothing of JobGone."""
    of_case: bool = False
    """Whether its message is a moderators' case, which goes if a moderator presses it after its job was deleted."""


AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What one file adds to the bot. `help` holds lines of Discord markdown for `/help`.

    `forget_person` and `forget_jobs` take out what the feature shows in Discord of people and jobs, before their rows are deleted.
    """

    #: What it draws.
    actions: Sequence[Action] = ()
    #: What it does that is no action, by names for which admins can keep it for roles.
    permissions: Sequence[str] = ()
    commands: Sequence[AnyCommand] = ()
    verbs: Sequence[Verb] = ()
    #: Buttons that are about no job.
    items: Sequence[type[discord.ui.DynamicItem[Any]]] = ()
    #: Runs from the start of the bot to its end.
    background: Callable[[Services], Coroutine[Any, Any, None]] | None = None
    #: Is called for a server that Easel joined, finds itself in, or may speak in by now: at its start, and when channels
    #: or roles change.
    on_server: Callable[[Services, discord.Guild], Awaitable[None]] | None = None
    #: Is called for a delivered job whose pictures the safety check withheld.
    on_withheld: Callable[[Services, Job], Awaitable[None]] | None = None
    #: Forgets a person, by their id.
    forget_person: Callable[[Services, int], Awaitable[None]] | None = None
    #: Forgets jobs, by their ids.
    forget_jobs: Callable[[Services, Sequence[str]], Awaitable[None]] | None = None
    help: Sequence[str] = ()
