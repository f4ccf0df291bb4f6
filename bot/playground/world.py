"""The Discord that the playground's bot lives in: a server, two channels, three people, and the real time.

SimCord is made for tests: it carries out one operation, waits until everything that the bot does has come to rest, and
refuses a second operation meanwhile. So whoever acts here, the clock, the page or a person, takes a turn first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import discord
import structlog

GUILD = "Easel playground"
CHANNEL = "studio"
LOUNGE = "lounge"
"""A second channel, age-restricted, of which the page shows what the bot says there: for rules about channels, and for
moderators."""

TOPIC = "Type / to see the commands. Reply +⭐ to a message to react, +Report picture to use its menu."
PEOPLE = ("Ada", "Ben", "Cleo")
"""Whom the page can be viewed as. The first manages the server and runs the bot; the last has the role VIP."""

DIRECT = "-# Direct message"
"""Stands above the copy of a direct message."""
_LOUNGE = "-# <#{}>"
"""Stands above the copy of a message in the lounge."""

TICK_SECONDS = 0.25
"""How often the world's clock follows the real one."""

_EPHEMERAL = discord.MessageFlags(ephemeral=True).value
_COMPONENTS_V2 = discord.MessageFlags(components_v2=True).value
_SUBCOMMANDS = (
    discord.AppCommandOptionType.subcommand.value,
    discord.AppCommandOptionType.subcommand_group.value,
)

_log = structlog.get_logger(__name__)


class World:
    """`env` is SimCord's environment, which must not have started yet."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self._copies: dict[int, int] = {}
        self.turn = asyncio.Lock()
        """Held by whoever acts."""
        # SimCord calls an action failed when the bot met an error in it, answered or not. Discord doesn't know.
        env._capture_errors = lambda: None
        env._record_error = _report
        env.backend.bot_user.name = "Easel"
        guild = env.create_guild(GUILD)
        powers = discord.Permissions(manage_guild=True, manage_messages=True)
        admin = guild.create_role("Admin", permissions=powers, color=0xE0A030)
        users = [env.create_user(name.lower(), global_name=name) for name in PEOPLE]
        self.people = [guild.add_member(user, roles=[admin] if user is users[0] else []) for user in users]
        self.channel = guild.create_text_channel(CHANNEL, topic=TOPIC)
        self.lounge = guild.create_text_channel(LOUNGE)
        vip = guild.create_role("VIP", color=0x9B59B6)
        env.backend.add_member_role(guild.id, users[-1].id, vip.id)
        # Only now, because ids tell the time: made at SimCord's first moment, these are the same at every start, so that
        # what the bot remembers of the people and the channel is still true.
        env.backend.advance_clock(self._behind())
        env.backend.subscribers += [self._show_direct_message, self._show_lounge, self._name_command]

    def hand_over(self, client: discord.Client) -> None:
        """Make the first of the people the one who runs the bot, as a newcomer does. The client must be ready."""
        application: Any = client.application
        application.owner = discord.Object(self.people[0].id, type=discord.User)
        lounge = client.get_channel(self.lounge.id)
        assert isinstance(lounge, discord.TextChannel)
        lounge.nsfw = True  # SimCord knows of no such channels

    async def live(self) -> None:
        """Keep the clock level with the real one, for ever."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            async with self.turn:
                with patience():
                    await self.env.advance_time(self._behind())

    def _behind(self) -> float:
        """Seconds since the clock was level."""
        now: datetime = self.env.now()
        return max(0.0, (datetime.now(UTC) - now).total_seconds())

    @property
    def changed(self) -> bool:
        """Whether anything happened since `forget`."""
        happened = self.env.backend.transcript
        return any(kind != "HTTP" or not name.startswith("GET ") for kind, name, _ in happened)

    def forget(self) -> None:
        """Let go of the record that SimCord keeps for tests, and of pictures that no message shows any more."""
        backend = self.env.backend
        backend.transcript.clear()
        backend.http_requests.clear()
        messages = [message for channel in backend.messages.values() for message in channel.values()]
        shown = {attachment["url"] for message in messages for attachment in message.attachments}
        stored = backend.cdn._blobs
        for url in [url for url in stored if "/attachments/" in url and url not in shown]:
            del stored[url]

    def _show_direct_message(self, event: str, payload: Mapping[str, Any]) -> None:
        """Copy what the bot tells one person into the channel, for that person's eyes: the page shows one channel."""
        backend = self.env.backend
        if event != "MESSAGE_CREATE" or payload.get("guild_id") is not None:
            return
        message = backend.get_message(int(payload["channel_id"]), int(payload["id"]))
        reader = next((p for p in self.people if backend.dm_channels.get(p.id) == message.channel_id), None)
        if reader is None or message.author_id != backend.bot_user.id:
            return
        user = {"id": str(reader.id), "username": reader.name}
        metadata = {"id": str(message.id), "type": 3, "user": user}
        self._copy(message, DIRECT, flags=message.flags | _EPHEMERAL, interaction_metadata=metadata)

    def _show_lounge(self, event: str, payload: Mapping[str, Any]) -> None:
        """Copy what the bot says in the lounge into the channel; when it changes or deletes it, the copy follows."""
        if not event.startswith("MESSAGE_") or payload.get("channel_id") != str(self.lounge.id):
            return
        backend, number = self.env.backend, int(payload.get("id", 0))
        if event == "MESSAGE_CREATE":
            message = backend.get_message(self.lounge.id, number)
            self._copies[number] = self._copy(message, _LOUNGE.format(self.lounge.id), flags=message.flags).id
        shown = backend.messages[self.channel.id].get(self._copies.get(number))
        if event == "MESSAGE_UPDATE" and shown is not None:
            message = backend.get_message(self.lounge.id, number)
            shown.content = _headed(message, _LOUNGE.format(self.lounge.id))
            shown.components, shown.attachments = message.components, message.attachments
        elif event == "MESSAGE_DELETE" and shown is not None:
            backend.delete_message(self.channel.id, shown.id)

    def _copy(self, message: Any, heading: str, **more: Any) -> Any:
        return self.env.backend.create_message(
            self.channel.id,
            message.author_id,
            _headed(message, heading),
            embeds=message.embeds,
            components=message.components,
            attachments=message.attachments,
            broadcast=False,
            **more,
        )

    def _name_command(self, event: str, payload: Mapping[str, Any]) -> None:
        """Head an answer with the whole command, as Discord does: SimCord names the group alone."""
        names, data = [], payload.get("data", {}) if event == "INTERACTION_CREATE" else {}
        while "name" in data:
            names.append(data["name"])
            data = next((o for o in data.get("options", ()) if o.get("type") in _SUBCOMMANDS), {})
        if names:
            self.env.backend.interactions[int(payload["id"])].command_name = " ".join(names)


def _headed(message: Any, heading: str) -> str:
    """The words of a copy."""
    words: str = message.content
    return words if message.flags & _COMPONENTS_V2 else f"{heading}\n{words}"


def _report(error: BaseException) -> None:
    """An error that nobody awaited: SimCord takes it before asyncio can log it."""
    _log.error("unhandled error in the bot", exc_info=error)


@contextmanager
def patience() -> Iterator[None]:
    """Go on where SimCord gave up waiting for the bot to rest: the page only shows the world a little late."""
    try:
        yield
    except TimeoutError as error:
        _log.warning("the bot was busy for longer than the playground waits", detail=str(error))
