"""The one error boundary: every failure of a command, button or reaction ends in a sentence and a log line.

A failure that we did not foresee gets a reference that the sentence and the log line share.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.delivery.button_rows import prompt_buttons
from bot.errors import Refusal
from bot.interactions import servers
from bot.services import Services
from bot.texts import refusals
from storage.files import disk
from storage.jobs.lifecycle import DuplicateInteraction
from storage.privacy import erasures

_log = structlog.get_logger(__name__)

_ALREADY_ACKNOWLEDGED = 40060

_NEW = "new"
"""Under this key an interaction notes whether its event is new."""

Tell = Callable[..., Awaitable[None]]
"""Says a sentence to one person alone, with the buttons of `view` below it where one is given."""


def is_new(interaction: discord.Interaction[Any]) -> bool:
    """Whether its event was not taken up before: after a resume, Discord may send it again as another object."""
    if _NEW not in interaction.extras:
        interaction.extras[_NEW] = interaction.client.interactions.is_new(interaction.id)
    return bool(interaction.extras[_NEW])


def only_new(interaction: discord.Interaction[Any]) -> None:
    """Raises DuplicateInteraction for an event that was taken up before. To be called before anything is answered.

    From now on, the end of the bot waits a while for the answer.
    """
    if not is_new(interaction):
        raise DuplicateInteraction(f"interaction {interaction.id} came twice")
    is_answering(interaction.client)


def is_answering(client: Any) -> None:
    """The current task owes a person an answer, for which the end of the bot waits a while."""
    if task := asyncio.current_task():
        client.answering.add(task)
        task.add_done_callback(client.answering.discard)


async def acknowledge(interaction: discord.Interaction[Any], *, thinking: bool = False) -> None:
    """Answer within Discord's three seconds; the words follow. `thinking` shows a private "is thinking" meanwhile.

    This comes before everything that may wait for the database. Afterwards, what was kept against somebody who had
    their data deleted is theirs again: whatever asks the database for something about the person comes after this.
    Raises DuplicateInteraction, and ServerNotAllowed, once Discord has its answer, in servers in which Easel does not work.
    """
    only_new(interaction)
    try:
        await interaction.response.defer(ephemeral=thinking, thinking=thinking)
    except discord.HTTPException as error:
        if error.code != _ALREADY_ACKNOWLEDGED:
            raise
    servers.only_allowed(interaction.client.services.settings, interaction.guild_id)
    await welcome(interaction.client.services, interaction.user.id)


def admit(interaction: discord.Interaction[Any]) -> None:
    """Check a press before its first answer. Raises DuplicateInteraction and ServerNotAllowed."""
    only_new(interaction)
    servers.only_allowed(interaction.client.services.settings, interaction.guild_id)


async def welcome(services: Services, user_id: int) -> None:
    """Give back what is kept under the pseudonym of somebody who was erased, now that they use the bot again."""
    async with services.database.transaction() as tx:
        await erasures.bring_back(tx, user_id)


async def tell_privately(
    interaction: discord.Interaction[Any], text: str, /, *, view: discord.ui.View | None = None
) -> None:
    """Say a sentence to the person alone, whether or not their interaction was acknowledged."""
    buttons = discord.utils.MISSING if view is None else view
    if not interaction.response.is_done():
        try:
            await interaction.response.send_message(text, ephemeral=True, view=buttons)
            return
        except discord.HTTPException as error:
            if error.code != _ALREADY_ACKNOWLEDGED:
                raise
    await interaction.followup.send(text, ephemeral=True, view=buttons)


@asynccontextmanager
async def answered(tell: Tell, *, what: str, services: Services) -> AsyncIterator[None]:
    """Turns whatever the body raises into one sentence through `tell` and one line in the log."""
    try:
        yield
    except Exception as error:  # the boundary: nothing above it could tell the person
        await answer(error, tell, what=what, services=services)


async def answer(error: BaseException, tell: Tell, *, what: str, services: Services) -> None:
    """Say in words what went wrong with `what`."""
    while isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    more: list[str] = []
    below: dict[str, discord.ui.View] = {}
    match error:
        case DuplicateInteraction():
            _log.debug("an event came twice", what=what)
            return
        case Refusal():
            _log.info("refused", what=what, why=type(error).__name__)
            words, *more = refusals.refused(error)
            below = {"view": prompt_buttons(error.offers)} if error.offers else {}
        case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
            words = refusals.COMMAND_OUT_OF_DATE
        case app_commands.AppCommandError():
            _log.info("refused", what=what, why=type(error).__name__)
            words = refusals.BAD_OPTION
        case _ if isinstance(error, Unreachable):
            _log.warning("Discord failed", what=what, error=str(error))
            words = refusals.DISCORD_FAILED
        case _ if disk.is_full(error):
            _log.warning("refused: the disk is full", what=what, error=str(error))
            words = refusals.HOST_DISK_FULL
            services.notices.disk_full(services.database.folder)
        case _:
            reference = secrets.token_hex(4)
            _log.error("unexpected failure", what=what, reference=reference, exc_info=error)
            words = refusals.UNEXPECTED.format(reference)
    try:
        *first, last = words, *more
        for message in first:
            await tell(message)
        await tell(last, **below)
    except Unreachable as unreachable:
        _log.warning("could not tell the person", what=what, error=str(unreachable))
