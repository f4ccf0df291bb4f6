"""Buttons that outlive restarts: the id carries a verb, a job and a picture's number, and the database the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Any

import discord
import structlog

from bot.connection.retry import Unreachable
from bot.connection.snowflakes import INDEX
from bot.delivery.button_rows import button, custom_id
from bot.errors import BadPrompt, ButtonOutOfDate, JobGone, ServerOnly
from bot.interactions import forms, servers
from bot.interactions.error_handler import acknowledge, admit, answered, tell_privately, welcome
from bot.interactions.feature import Ask, Reply, Verb
from bot.jobs.policy import GuildPolicy
from bot.jobs.policy import load as load_policy
from bot.services import Services
from storage.jobs import queries
from storage.jobs.job import Job

_log = structlog.get_logger(__name__)


class JobButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=rf"easel:(?P<verb>[a-z_]+):(?P<job>[a-z0-9]+):(?P<index>{INDEX})",
):
    """One button under a message about a job."""

    def __init__(self, verb: str, job_id: str, index: int, **looks: Any) -> None:
        self.verb, self.job_id, self.index = verb, job_id, index
        super().__init__(button(verb, job_id, index, **looks or {"label": "?"}))

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        _item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> JobButton:
        return cls(match["verb"], match["job"], int(match["index"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        tell = partial(tell_privately, interaction)
        async with answered(tell, what=f"button {self.verb}", services=interaction.client.services):
            admit(interaction)
            verb = interaction.client.buttons.verb(self.verb)
            if verb.form is None:
                await acknowledge(interaction)
                await _run(verb, interaction, self.job_id, self.index, tell)
                return
            form = await forms.within_time(self._form(verb, interaction, tell))
            await forms.show(interaction, form, self.verb, self.job_id, self.index)

    async def _form(self, verb: Verb, interaction: discord.Interaction[Any], tell: Reply) -> forms.Form:
        assert verb.form is not None
        await welcome(interaction.client.services, interaction.user.id)
        return await verb.form(await _ask(verb, interaction, self.job_id, self.index, tell))


async def submitted(interaction: discord.Interaction[Any]) -> None:
    """Do what a form was opened for, if one of ours was submitted."""
    found = forms.read_id(interaction)
    if found is None:
        return
    name, job_id, index = found
    tell = partial(tell_privately, interaction)
    async with answered(tell, what=f"form {name}", services=interaction.client.services):
        await acknowledge(interaction)
        await _run(interaction.client.buttons.verb(name), interaction, job_id, index, tell)


async def _run(verb: Verb, interaction: discord.Interaction[Any], job_id: str, index: int, tell: Reply) -> None:
    await verb.run(await _ask(verb, interaction, job_id, index, tell))
    if verb.marks and interaction.message is not None:
        await _mark_used(interaction.message, custom_id(verb.name, job_id, index))


async def _ask(verb: Verb, interaction: discord.Interaction[Any], job_id: str, index: int, tell: Reply) -> Ask:
    """Who asks for what. Raises ServerOnly and what `find` raises."""
    services, message = interaction.client.services, interaction.message
    if not isinstance(interaction.user, discord.Member) or message is None:
        raise ServerOnly
    try:
        job, policy = await find(services, job_id, index, asker=interaction.user)
    except JobGone:
        if verb.of_case and interaction.permissions.manage_messages:
            await services.delivery.remove_post(message.channel.id, message.id)
        raise verb.gone from None
    return Ask(
        services=services,
        actor=interaction.user,
        channel=interaction.channel,  # type: ignore[arg-type]  # never a category, where nothing is posted
        message_id=message.id,
        job=job,
        index=index,
        interaction_id=interaction.id,
        policy=policy,
        permissions=interaction.permissions,
        bot_permissions=interaction.app_permissions,
        tell=tell,
        words=message.content,
        upload_limit=interaction.filesize_limit,
        typed=forms.typed(interaction),
    )


class Buttons:
    """Every verb that buttons and reactions know."""

    def __init__(self, verbs: Iterable[Verb]) -> None:
        self._verbs: dict[str, Verb] = {}
        self._reactions: dict[str, tuple[Verb, int]] = {}
        for verb in verbs:
            if verb.name in self._verbs:
                raise ValueError(f"two features claim the verb {verb.name}")
            self._verbs[verb.name] = verb
            for emoji, index in verb.reactions.items():
                if _bare(emoji) in self._reactions:
                    raise ValueError(f"two verbs claim the reaction {emoji}")
                self._reactions[_bare(emoji)] = (verb, index)

    def __iter__(self) -> Any:
        return iter(self._verbs.values())

    def verb(self, name: str) -> Verb:
        """The verb of that name. Raises ButtonOutOfDate."""
        if name not in self._verbs:
            raise ButtonOutOfDate
        return self._verbs[name]

    def reaction(self, emoji: str) -> tuple[Verb, int] | None:
        """The verb of an emoji and the picture it means (0: all), if any."""
        return self._reactions.get(_bare(emoji))


def _bare(emoji: str) -> str:
    """An emoji without the mark that asks for its coloured form, which some clients leave out."""
    return emoji.replace("\ufe0f", "")


async def find(services: Services, job_id: str, index: int, *, asker: discord.Member) -> tuple[Job, GuildPolicy]:
    """The job, with a picture of that number (0: any), and what holds for who asks.

    Raises JobGone, also for a job of another server, Banned for who may not use the bot, or ServerNotAllowed where
    nobody may.
    """
    servers.only_allowed(services.settings, asker.guild.id)
    async with services.database.reading() as tx:
        policy = await load_policy(
            tx,
            guild_id=asker.guild.id,
            user_id=asker.id,
            settings=services.settings,
            now=services.clock(),
        )
        job = await queries.get(tx, job_id)
    policy.only_welcome()
    if job is None or job.guild_id != asker.guild.id:
        raise JobGone
    if index > job.images:
        raise BadPrompt(f"There is no picture {index} here: the grid has {job.images}.")
    return job, policy


async def _mark_used(message: discord.Message, pressed: str) -> None:
    """Colour the pressed button, as people know it from Midjourney. Purely for show: failures don't matter."""
    view = discord.ui.View.from_message(message, timeout=None)
    for item in view.walk_children():
        if isinstance(item, discord.ui.Button) and item.custom_id == pressed:
            item.style = discord.ButtonStyle.primary
    view.stop()  # discord.py would keep an unfinished one for ever; ours are found by their ids
    await _edit(message, view=view)


async def _edit(message: discord.Message, **changes: Any) -> None:
    """Change a message; that it doesn't work is no matter."""
    try:
        await message.edit(**changes)
    except Unreachable as error:
        _log.debug("could not change a message with buttons", error=str(error))
