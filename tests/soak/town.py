"""The memory of the stand-in for Discord: two servers, their people, their messages, and what was said when."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import discord
from simcord._clock import Clock
from simcord.backend import serializers
from simcord.backend.models import Message
from simcord.interactions import base_payload

from tests.crash.journal import Line
from tests.crash.town import Memory

PEOPLE = ("ada", "ben", "cleo", "dora", "emil", "fay")
"""The members of each server; the first is its admin."""
RECENT = 40
"""How many of a server's latest results people still use."""
NONCE_SECONDS = 120.0
"""For how long a nonce keeps a message from being posted twice. Discord says "the past few minutes"."""

_COMMAND, _COMPONENT = 2, 3
_BUTTON = re.compile(r"easel:([a-z_]+):([a-z0-9]{14}):([0-9]+)\Z")


class WallClock(Clock):
    """The real time, where SimCord's stands still."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Record:
    """What Discord has taken, in order, in the form of the crash tests' journal."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def write(self, kind: str, **values: Any) -> None:
        self.lines.append({"kind": kind, **values})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of a server, in its one channel."""

    id: int
    name: str
    guild_id: int
    channel_id: int
    admin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button of Easel's under a message that stands."""

    message: Message
    verb: str
    job_id: str
    index: int
    custom_id: str


class Town(Memory):
    """Two servers with a channel each. It notes who posted what, and ignores no nonce.

    By channel, `results` holds the latest results, and `progress` the progress messages that stand; `opened` is every
    progress message that there was, as channel, message and job.
    """

    def __init__(self) -> None:
        super().__init__(clock=WallClock())
        self.journal = self.record = Record()  # type: ignore[assignment]
        self.http_requests = deque(maxlen=1)  # type: ignore[assignment]
        self.transcript = deque(maxlen=1)  # type: ignore[assignment]
        self.nonces: dict[int, str] = {}
        self._by_nonce: dict[tuple[int, str], int] = {}
        self.results: dict[int, deque[int]] = {}
        self.progress: dict[int, set[int]] = {}
        self.opened: list[tuple[int, int, str]] = []
        self.people = [person for name in ("North", "South") for person in self._server(name)]

    def _server(self, name: str) -> list[Person]:
        guild = self.create_guild(name)
        admins = self.create_role(
            guild.id, "Admin", permissions=discord.Permissions(manage_guild=True, manage_messages=True).value
        )
        channel = self.create_channel(guild.id, "studio")
        self.results[channel.id] = deque(maxlen=RECENT)
        self.progress[channel.id] = set()
        people = []
        for number, one in enumerate(PEOPLE):
            user = self.make_user(f"{one}{name}")
            self.add_member(guild.id, user.id, roles=[] if number else [admins.id])
            people.append(Person(id=user.id, name=one, guild_id=guild.id, channel_id=channel.id, admin=number == 0))
        return people

    # ---------------------------------------------------------------- messages

    def commit_message(self, message: Message, *, broadcast: bool = True) -> Message:
        taken = super().commit_message(message, broadcast=broadcast)
        if taken.channel_id in self.results and not taken.is_ephemeral:
            jobs = {button.verb: button.job_id for button in self.buttons(taken)}
            if "x" in jobs:
                self.progress[taken.channel_id].add(taken.id)
                self.opened.append((taken.channel_id, taken.id, jobs["x"]))
            elif "u" in jobs:
                self.results[taken.channel_id].append(taken.id)
        return taken

    def delete_message(self, channel_id: int, message_id: int) -> None:
        super().delete_message(channel_id, message_id)
        if channel_id in self.progress:
            self.progress[channel_id].discard(message_id)

    def edit_message(self, channel_id: int, message_id: int, fields: dict[str, Any]) -> Message:
        edited = super().edit_message(channel_id, message_id, fields)
        if channel_id in self.progress and not self.buttons(edited):
            self.progress[channel_id].discard(message_id)
        return edited

    def repeated(self, channel_id: int, nonce: str) -> Message | None:
        """The message that was posted with this nonce a short while ago, if it still stands."""
        message = self.messages.get(channel_id, {}).get(self._by_nonce.get((channel_id, nonce), 0))
        if message is None:
            return None
        age = self.clock.now() - datetime.fromisoformat(message.timestamp)
        return message if age.total_seconds() < NONCE_SECONDS else None

    def posted_with(self, channel_id: int, message_id: int, nonce: str) -> None:
        self.nonces[message_id] = nonce
        self._by_nonce[channel_id, nonce] = message_id

    @staticmethod
    def buttons(message: Message) -> list[Button]:
        """Easel's buttons under a message that can be pressed."""
        found = []
        for row in message.components:
            for one in row.get("components", ()):
                if (match := _BUTTON.match(one.get("custom_id", ""))) and not one.get("disabled"):
                    verb, job_id, index = match.groups()
                    found.append(
                        Button(message=message, verb=verb, job_id=job_id, index=int(index), custom_id=match[0])
                    )
        return found

    def standing(self, channel_id: int, ids: Any) -> list[Message]:
        """Those of the messages that have not been deleted."""
        here = self.messages[channel_id]
        return [here[one] for one in ids if one in here]

    # ------------------------------------------------------------ what people do

    def type_command(
        self,
        who: Person,
        name: str,
        options: list[dict[str, Any]],
        resolved: dict[str, Any] | None = None,
    ) -> int:
        """Send a slash command to the bot; the interaction's id."""
        command = self.commands[None][name, 1]
        data = {"id": command["id"], "name": name, "type": 1, "options": options}
        if resolved:
            data["resolved"] = resolved
        return self._interact(who, _COMMAND, data)

    def press(self, who: Person, button: Button) -> int:
        """Press a button; the interaction's id."""
        data = {"custom_id": button.custom_id, "component_type": 2}
        return self._interact(who, _COMPONENT, data, message=button.message)

    def _interact(self, who: Person, kind: int, data: dict[str, Any], message: Message | None = None) -> int:
        record, payload = base_payload(
            self,
            type=kind,
            channel_id=who.channel_id,
            guild_id=who.guild_id,
            user_id=who.id,
            data=data,
        )
        if message is not None:
            record.source_message_id = message.id
            payload["message"] = dict(serializers.message_payload(self, message))
        self.emit("INTERACTION_CREATE", payload)
        return record.id

    def member(self, who: Person) -> dict[str, Any]:
        """What an option that names this person is resolved to."""
        guild = self.get_guild(who.guild_id)
        member = serializers.member_payload(self, guild, guild.members[who.id], with_user=False)
        return {
            "users": {str(who.id): dict(serializers.user_payload(self.get_user(who.id)))},
            "members": {str(who.id): dict(member) | {"permissions": "0"}},
        }
