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
from bot.delivery.button_rows import button
from bot.errors import BadPrompt, ButtonOutOfDate, JobGone, ServerOnly
from bot.features.moderation import _leftovers as leftovers
from bot.interactions import servers
from bot.interactions.error_handler import acknowledge, answered, tell_privately
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
            await acknowledge(interaction)
            await self._press(interaction, tell)

    async def _press(self, interaction: discord.Interaction[Any], tell: Reply) -> None:
        client = interaction.client
        if not isinstance(interaction.user, discord.Member) or interaction.message is None:
            raise ServerOnly
        verb = client.buttons.verb(self.verb)
        try:
            job, policy = await find(client.services, self.job_id, self.index, asker=interaction.user)
        except JobGone:
            if verb.of_case and interaction.permissions.manage_messages:
                await leftovers.clear_pressed(interaction.message)
            if verb.leftover is None:
                raise
            await verb.leftover(client.services, interaction.message, interaction.user, tell)
            return
        ask = Ask(
            services=client.services,
            actor=interaction.user,
            channel=interaction.channel,  # type: ignore[arg-type]  # never a category, where nothing is posted
            message_id=interaction.message.id,
            job=job,
            index=self.index,
            interaction_id=interaction.id,
            policy=policy,
            permissions=interaction.permissions,
            bot_permissions=interaction.app_permissions,
            tell=tell,
            words=interaction.message.content,
            upload_limit=interaction.filesize_limit,
        )
        await verb.run(ask)
        if verb.marks:
            await _mark_used(interaction.message, self.item.custom_id or "")


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
        """The verb that an emoji stands for and the picture it means (0: all), if any."""
        return self._reactions.get(_bare(emoji))


def _bare(emoji: str) -> str:
    """An emoji without the mark that asks for its coloured form, which some clients leave out."""
    return emoji.replace("\ufe0f", "")


async def find(
    services: Services, job_id: str, index: int, *, asker: discord.Member
) -> tuple[Job, GuildPolicy]:
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
