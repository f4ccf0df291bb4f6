"""The Discord client: it loads the features, keeps commands in step with Discord, and hands events to their code."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.connection.duplicates import RecentEvents
from bot.connection.retry import pauses
from bot.connection.transport import Transport
from bot.connection.waiting import Wait, plain_wait
from bot.features import load
from bot.health import heartbeat
from bot.health.checks import Health
from bot.interactions import buttons, error_handler, servers, unposted
from bot.interactions.feature import Feature
from bot.interactions.reactions import react, reaction_key
from bot.services import Services
from bot.settings.settings import StartupError
from storage.jobs.job import Job

WATCH_SECONDS, RECONCILE_SECONDS = 15.0, 60.0

REACTION_SECONDS = 60.0
"""For so long after a break of the connection, a person's same reaction under a message is the same event."""
_ANSWER_SECONDS, _POST_SECONDS, _REQUEST_SECONDS = 10.0, 10.0, 5.0
"""How long commands that are being answered, results that are being posted, and requests under way hold up the end."""
_TOKEN_REFUSED = "Discord no longer accepts DISCORD_TOKEN: it was reset. Put the new one into .env and start again."
BEGIN_AGAIN_SECONDS = 60.0
"""How long after its failure work in the background is begun again."""

_log = structlog.get_logger(__name__)


def intents() -> discord.Intents:
    """What Easel listens to: servers and reactions. None of it is privileged."""
    return discord.Intents(guilds=True, guild_reactions=True)


class Tree(app_commands.CommandTree[Any]):
    """The command tree, with our error boundary. What comes twice is dropped before anything is answered."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        choices = interaction.type is discord.InteractionType.autocomplete
        return (choices or error_handler.is_new(interaction)) and await servers.check_command(interaction)

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        name = interaction.command.qualified_name if interaction.command else "an unknown command"
        tell = partial(error_handler.tell_privately, interaction)
        await error_handler.answer(error, tell, what=f"/{name}", services=interaction.client.services)


class EaselClient(discord.Client):
    """Easel on Discord. `services` and `health` are set before it connects."""

    services: Services
    health: Health

    def __init__(self, wait: Wait = plain_wait, features: Sequence[Feature] | None = None) -> None:
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # Easel never speaks
        super().__init__(
            intents=intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        self.features = load() if features is None else tuple(features)
        self.actions = {action.name: action for one in self.features for action in one.actions}
        self.permissions = (*self.actions, *(name for one in self.features for name in one.permissions))
        self.buttons = buttons.Buttons(verb for one in self.features for verb in one.verbs)
        self.tree = Tree(self)
        self.interactions = RecentEvents()
        self.reactions = RecentEvents(span=REACTION_SECONDS)
        self._wait = wait
        self._running: asyncio.Task[None] | None = None
        self._background: list[asyncio.Task[None]] = []
        self.failure = ""
        """Why the bot can't go on, in one sentence; empty while it can."""
        self.on_failure: Callable[[], None] = lambda: None
        self._closing: asyncio.Task[None] | None = None
        self.answering: set[asyncio.Task[Any]] = set()
        """The tasks of interactions that were acknowledged and are being answered."""
        self.transport = Transport(on_token_refused=lambda: self.end_with(_TOKEN_REFUSED), wait=wait)
        for command in dict.fromkeys(command for one in self.features for command in one.commands):
            self.tree.add_command(command)

    async def tell_of_withheld(self, job: Job) -> None:
        """Hand a delivered job whose pictures were withheld to the features that want it."""
        for one in self.features:
            if one.on_withheld is not None:
                await one.on_withheld(self.services, job)

    async def login(self, token: str) -> None:
        self.transport.install(self)
        self._background.append(self._spawn_every(heartbeat.SECONDS, self._beat))
        await super().login(token)
        self.transport.starting = False

    async def connect(self, *, reconnect: bool = True) -> None:
        """Stay connected to the gateway. discord.py 2.7.1 raises AttributeError if the first connection fails, since
        it asks one that was never made for its session.
        """
        for pause in pauses():
            try:
                await super().connect(reconnect=reconnect)
                return
            except AttributeError:
                if getattr(self, "ws", None) is not None or self.is_closed():
                    raise
            _log.warning("Discord's gateway can't be reached; asking again", pause=pause)
            await asyncio.sleep(pause)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(buttons.JobButton, *(item for one in self.features for item in one.items))
        await self._sync_commands()
        await self._recover()
        await servers.cancel_others(self.services, by=self.application_id or 0)
        self._running = asyncio.create_task(self.services.dispatcher.run(), name="dispatcher")
        self._running.add_done_callback(self._essential_ended)
        self._background += [
            self._spawn_every(RECONCILE_SECONDS, self.services.dispatcher.reconcile),
            self._spawn_every(WATCH_SECONDS, self._watch_requests),
        ]
        self._start_background()

    def end_with(self, failure: str) -> None:
        """End the bot by itself, for a reason in one sentence, with a status that says so."""
        if self.failure or self._closing is not None:
            return
        self.failure = failure
        _log.critical("the bot ends", why=failure)
        self._begin_to_close()
        self.on_failure()

    async def _recover(self) -> None:
        """Take up what an earlier run left. Raises StartupError where files keep it from that: not Discord's fault."""
        try:
            await self.services.dispatcher.recover()
        except OSError as error:
            folder = self.services.settings.data
            raise StartupError(f"What the last run left in {folder} can't be taken up: {error}.") from error

    async def close(self) -> None:
        """End what is being done, in bounded time. All who ask wait for the one end."""
        await asyncio.shield(self._begin_to_close())

    def _begin_to_close(self) -> asyncio.Task[None]:
        if self._closing is None or self._closing.cancelled():
            self._closing = asyncio.create_task(self._close(), name="close")
        return self._closing

    async def _close(self) -> None:
        self.services.dispatcher.claim_no_more()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._end_answers()
        await self.services.dispatcher.drain(patience=0 if self.failure else _POST_SECONDS)
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self.transport.settle(patience=_REQUEST_SECONDS)
        await super().close()

    async def _end_answers(self) -> None:
        """Let people have their answers, as long as that doesn't take too long."""
        if self.answering:
            _, late = await asyncio.wait(self.answering, timeout=_ANSWER_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _start_background(self) -> None:
        for one in self.features:
            if one.background is not None:
                name = one.background.__qualname__
                self._background.append(asyncio.create_task(self._keep_on(one.background, name), name=name))

    async def _keep_on(self, work: Callable[[Services], Awaitable[None]], name: str) -> None:
        """Begin work in the background again whenever it fails."""
        while True:
            try:
                return await work(self.services)
            except Exception:
                _log.exception("work in the background failed", task=name, again_in=BEGIN_AGAIN_SECONDS)
                self.health.task_failed(name)
            await asyncio.sleep(BEGIN_AGAIN_SECONDS)

    def _essential_ended(self, task: asyncio.Task[None]) -> None:
        """Nothing gets on without it, and what made it end may be anything: the bot ends too."""
        if self._closing is not None or task.cancelled():  # whoever cancels it ends the whole loop
            return
        error = task.exception()
        _log.critical("a part that the bot can't do without stopped", part=task.get_name(), exc_info=error)
        self.end_with(f"A part that Easel can't do without stopped ({task.get_name()}): {error!r}.")

    # ------------------------------------------------------------------ events

    async def on_ready(self) -> None:
        servers.name_others(self.services, self.guilds)
        for guild in self.guilds:
            await self._tell_of_server(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await servers.joined(self.services, guild)
        await self._tell_of_server(guild)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        await self._tell_of_server(guild)

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        await self._tell_of_server(channel.guild)

    async def on_guild_channel_update(self, _: discord.abc.GuildChannel, channel: discord.abc.GuildChannel) -> None:
        await self._tell_of_server(channel.guild)

    async def on_guild_role_update(self, _: discord.Role, role: discord.Role) -> None:
        await self._tell_of_server(role.guild)

    async def _tell_of_server(self, guild: discord.Guild) -> None:
        """Hand a server to the features that want it."""
        for one in self.features:
            if one.on_server is not None:
                await one.on_server(self.services, guild)

    async def on_app_command_completion(self, interaction: discord.Interaction[Any], command: object) -> None:
        if getattr(command, "name", "") != "info":
            await unposted.remind(interaction)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        if interaction.type is discord.InteractionType.modal_submit:
            await buttons.submitted(interaction)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        channel = self.get_channel(payload.channel_id)
        if isinstance(channel, (discord.TextChannel, discord.Thread, discord.VoiceChannel, discord.StageChannel)):
            await react(self, payload, channel)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        self.reactions.is_over(reaction_key(payload))

    async def on_disconnect(self) -> None:
        self.reactions.connection_broke()

    # ---------------------------------------------------------------- commands

    async def _sync_commands(self) -> None:
        """Send the commands to Discord when they changed, or when Discord does not have them."""
        described = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        fingerprint = hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()
        key = f"commands {self.application_id}"
        async with self.services.database.transaction() as tx:
            known = await tx.get_value(key)
        if known == fingerprint and len(await self.tree.fetch_commands()) == len(described):
            return
        await self.tree.sync()
        async with self.services.database.transaction() as tx:
            await tx.put_value(key, fingerprint)
        _log.info("commands sent to Discord", count=len(described))

    # ---------------------------------------------------------- at fixed times

    def _spawn_every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Do something now and again after each pause. `discord.ext.tasks` would go by the clock, which may be put."""

        async def repeat() -> None:
            while True:
                await work()
                await self._wait(asyncio.sleep(seconds), reason="it is not time yet")

        task = asyncio.create_task(repeat(), name=work.__qualname__)
        task.add_done_callback(self._essential_ended)
        return task

    async def _watch_requests(self) -> None:
        self.transport.look()

    async def _beat(self) -> None:
        await self.health.beat(self.services.settings.heartbeat)
