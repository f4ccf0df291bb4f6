"""A Discord that remembers across the bot's deaths, is some milliseconds away, and lets nobody wait for anybody.

SimCord gives the rules; this adds what a kill needs. Every message is in the journal before the bot hears that it was
taken, and stands again, with the same ids, in the next life. Requests take a while each way, so that a kill can come
between Discord's taking a message and the bot's hearing of it. Nothing settles: people act while the bot works.

A nonce is ignored here, as in SimCord: without Discord's own protection from double posts, the bot's look for what it
posted has to do all the work.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import random
from typing import Any

import discord
from simcord import Env, _runtime
from simcord._settlement import _run_due_virtual_callbacks
from simcord.backend import Backend
from simcord.backend.models import Message
from simcord.http import FakeHTTPClient, FakeWebhookAdapter
from simcord.results import to_discord_message

from bot.client import EaselClient
from tests.crash.journal import Journal, Line, standing

GUILD = 700_000_000_000_000_001
PEOPLE = ("ada", "ben", "cleo", "dora")
LAG_SECONDS = 0.004
"""How long a request takes each way, on average."""

_DAY_SECONDS = 86_400


class Memory(Backend):
    """SimCord's Discord, which writes down what it has taken."""

    journal: Journal

    def commit_message(self, message: Message, *, broadcast: bool = True) -> Message:
        taken = super().commit_message(message, broadcast=broadcast)
        self._note("message", taken)
        return taken

    def edit_message(self, channel_id: int, message_id: int, fields: dict[str, Any]) -> Message:
        edited = super().edit_message(channel_id, message_id, fields)
        self._note("edit", edited)
        return edited

    def delete_message(self, channel_id: int, message_id: int) -> None:
        super().delete_message(channel_id, message_id)
        self.journal.write("gone", id=message_id)

    def _note(self, kind: str, message: Message) -> None:
        if message.is_ephemeral:
            asked = message.interaction_metadata or {}
            if message.content:
                self.journal.write(
                    "told", interaction=int(asked["id"]), user=int(asked["user"]["id"]), text=message.content
                )
            return
        self.journal.write(
            kind,
            id=message.id,
            channel=message.channel_id,
            author=message.author_id,
            content=message.content,
            flags=message.flags,
            timestamp=message.timestamp,
            components=message.components,
            attachments=message.attachments,
            files={one["filename"]: self._hash(one["url"]) for one in message.attachments},
        )

    def _hash(self, url: str) -> str | None:
        data = self.cdn.get(url)
        return None if data is None else hashlib.sha256(data).hexdigest()

    def chat(self, channel_id: int, author_id: int) -> None:
        """A person says something that is none of the bot's business."""
        self.create_message(channel_id, author_id, "What a lovely day.")

    def restore(self, channel_id: int, line: Line) -> None:
        """Let a message of an earlier life stand again. Its pictures are gone, its files' names are not."""
        self.messages[channel_id][self.reserve_id(line["id"])] = Message(
            id=line["id"],
            channel_id=channel_id,
            author_id=line["author"],
            content=line["content"],
            timestamp=line["timestamp"],
            flags=line["flags"],
            components=line["components"],
            attachments=line["attachments"],
        )


class Town(Env):
    """A server with a channel and four people, the same in every life."""

    backend: Memory

    def __init__(self, client: EaselClient, journal: Journal, *, chatter: int) -> None:
        """`chatter` is how many messages people wrote while the bot was away."""
        super().__init__(client, check_errors=False)
        self.backend = Memory()
        self.backend.journal = journal
        guild = self.create_guild("Guild", id=GUILD)
        self.people = [guild.add_member(self.create_user(name)) for name in PEOPLE]
        self.channel = guild.create_text_channel("studio")
        for line in standing(journal.lines).values():
            self.backend.restore(self.channel.id, line)
        # Ids are made of the time: a day of its own keeps those of this life apart from all earlier ones.
        lives = sum(line["kind"] == "life" for line in journal.lines)
        journal.write("life")
        self.backend.advance_clock(_DAY_SECONDS * (lives + 1))
        for _ in range(chatter):
            self.backend.chat(self.channel.id, self.people[0].id)

    async def start(self) -> None:
        # Env builds its transports itself, from these names.
        _runtime.FakeHTTPClient = _FarClient
        _runtime.FakeWebhookAdapter = _FarWebhooks
        await super().start()

    async def _settle_internal(self, **_: Any) -> None:
        """Run the timers that are due, and wait for nothing."""
        assert self._loop is not None
        _run_due_virtual_callbacks(self._settlement_state(), self._loop.time() + 1)
        await asyncio.sleep(0)

    def latest(self, count: int) -> list[Message]:
        """The latest public messages, oldest first."""
        public = [one for one in self.backend.messages[self.channel.id].values() if not one.is_ephemeral]
        return sorted(public, key=lambda one: one.id)[-count:]

    def seen(self, message: Message) -> discord.Message:
        """A message as a person's client shows it."""
        return to_discord_message(self, message)


async def _travel() -> None:
    loop = asyncio.get_running_loop()
    arrival: asyncio.Future[None] = loop.create_future()
    # In an empty context this timer is the event loop's own: SimCord would take it for one of the bot's.
    contextvars.Context().run(loop.call_later, random.expovariate(1 / LAG_SECONDS), _arrive, arrival)
    await arrival


def _arrive(arrival: asyncio.Future[None]) -> None:
    if not arrival.done():
        arrival.set_result(None)


class _FarClient(FakeHTTPClient):
    async def request(self, route: Any, **options: Any) -> Any:
        await _travel()
        answer = await super().request(route, **options)
        await _travel()
        return answer


class _FarWebhooks(FakeWebhookAdapter):
    async def request(self, route: Any, session: Any, **options: Any) -> Any:
        await _travel()
        answer = await super().request(route, session, **options)
        await _travel()
        return answer
