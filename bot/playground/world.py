"""The Discord that the playground's bot lives in: a server, two channels, three people, and the real time.

SimCord is made for tests: it carries out one operation, waits until everything that the bot does has come to rest, and
refuses a second operation meanwhile. So whoever acts here, the clock, the page or a person, takes a turn first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import discord
import structlog
from simcord.backend.access import can_access_channel
from simcord.backend.cdn import CDN_BASE

ICON = Path(__file__).parent / "easel.png"

GUILD = "Easel playground"
CHANNEL = "studio"
TOPIC = "Pictures from words"
MODERATORS = "moderators"
"""A second channel, age-restricted, which only admins see."""

PEOPLE = {"Ada": "admin", "Ben": "member", "Cleo": "VIP"}
"""Whom the page can be viewed as. Ada manages the server and runs the bot; Cleo has the role VIP."""
FIRST = "Ben"
"""Whom the page opens as."""

DIRECT = "-# Direct message"
"""Stands above the copy of a direct message."""

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
        self._seen: dict[tuple[str, int], int] = {}
        self.turn = asyncio.Lock()
        """Held by whoever acts."""
        # SimCord calls an action failed when the bot met an error in it, answered or not. Discord doesn't know.
        env._capture_errors = lambda: None
        env._record_error = _report
        env.backend.bot_user.name, env.backend.bot_user.avatar = "Easel", "easel"
        self.portrait = f"{CDN_BASE}/avatars/{env.backend.bot_user.id}/easel.png"
        guild = env.create_guild(GUILD)
        powers = discord.Permissions(manage_guild=True, manage_messages=True)
        admin = guild.create_role("Admin", permissions=powers, color=0xE0A030)
        users = [env.create_user(name.lower(), global_name=name) for name in PEOPLE]
        self.people = [guild.add_member(user, roles=[admin] if user is users[0] else []) for user in users]
        self.channel = guild.create_text_channel(CHANNEL, topic=TOPIC)
        self.moderators = guild.create_text_channel(MODERATORS, overwrites=_kept_for(admin, guild))
        self.channels = {one.id: one for one in (self.channel, self.moderators)}
        vip = guild.create_role("VIP", color=0x9B59B6)
        env.backend.add_member_role(guild.id, users[-1].id, vip.id)
        # Only now, because ids tell the time: made at SimCord's first moment, these are the same at every start, so that
        # what the bot remembers of the people and the channel is still true.
        env.backend.advance_clock(self._behind())
        members = env.backend.guilds[guild.id].members
        members[env.backend.bot_user.id].joined_at = env.backend.now_iso()
        env.backend.subscribers += [self._show_direct_message, self._name_command]

    def hand_over(self, client: discord.Client) -> None:
        """Make the first of the people the one who runs the bot, as a newcomer does. The client must be ready."""
        application: Any = client.application
        application.owner = discord.Object(self.people[0].id, type=discord.User)
        moderators = client.get_channel(self.moderators.id)
        assert isinstance(moderators, discord.TextChannel)
        moderators.nsfw = True  # SimCord knows of no such channels
        self.reactions = list(_reactions(getattr(client, "buttons", ())))
        tree: Any = getattr(client, "tree", None)
        self.menus = [one.name for one in tree.get_commands(type=discord.AppCommandType.message)] if tree else []

    @property
    def viewers(self) -> list[Any]:
        """The people, the one whom the page opens as first."""
        return sorted(self.people, key=lambda one: one.name != FIRST.lower())

    @property
    def roles(self) -> list[tuple[Any, str]]:
        """Each of the people, and what to call their part."""
        return list(zip(self.people, PEOPLE.values(), strict=True))

    def channels_of(self, view: Any) -> Iterator[tuple[int, Any, bool]]:
        """Id, channel, and whether there is something new, for each channel that a view may go to."""
        for number, channel in self.channels.items():
            if not can_access_channel(self.env, number, view.viewer, history=True):
                continue
            newest = max((m.id for m in self.env.backend.messages[number].values() if not m.is_ephemeral), default=0)
            if number == view.channel_id:
                self._seen[view.id, number] = newest
            yield number, channel, newest > self._seen.get((view.id, number), 0)

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
        words = message.content if message.flags & _COMPONENTS_V2 else f"{DIRECT}\n{message.content}"
        backend.create_message(
            self.channel.id,
            message.author_id,
            words,
            embeds=message.embeds,
            components=message.components,
            attachments=message.attachments,
            flags=message.flags | _EPHEMERAL,
            interaction_metadata={"id": str(message.id), "type": 3, "user": user},
            broadcast=False,
        )

    def _name_command(self, event: str, payload: Mapping[str, Any]) -> None:
        """Head an answer with the whole command, as Discord does: SimCord names the group alone."""
        names, data = [], payload.get("data", {}) if event == "INTERACTION_CREATE" else {}
        while "name" in data:
            names.append(data["name"])
            data = next((o for o in data.get("options", ()) if o.get("type") in _SUBCOMMANDS), {})
        if names:
            self.env.backend.interactions[int(payload["id"])].command_name = " ".join(names)


def _reactions(verbs: Iterable[Any]) -> Iterator[str]:
    """One emoji for everything that reactions do, those that pick a picture first."""
    known = [(index == 0, emoji) for verb in verbs for emoji, index in _first_of_each(verb.reactions).items()]
    yield from (emoji for _, emoji in sorted(known, key=lambda one: one[0]))


def _first_of_each(reactions: Mapping[str, int]) -> dict[str, int]:
    """The reactions without a second emoji for the same picture."""
    firsts: dict[int, str] = {}
    for emoji, index in reactions.items():
        firsts.setdefault(index, emoji)
    return {emoji: index for index, emoji in firsts.items()}


def _kept_for(role: Any, guild: Any) -> dict[Any, discord.PermissionOverwrite]:
    """What keeps a channel for a role and for the bot."""
    seen, hidden = discord.PermissionOverwrite(view_channel=True), discord.PermissionOverwrite(view_channel=False)
    return {guild.default_role: hidden, role: seen, guild.roles["Easel"]: seen}


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
