"""The stand-in's gateway: sessions that are dropped, resumed, and told the same event twice."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from simcord.backend import serializers

from tests.soak.town import Town

HEARTBEAT_MS = 41_250
KEPT = 2_000
"""How many events a session keeps for a resume."""
MOST_AGAIN = 12
"""Up to how many events come again at a resume although the bot had them."""
AGAIN = 0.6
"""How likely any come again."""
INVALID = 0.1
"""How likely a session is not resumed: what the bot had not read is lost."""

UNREAD_SECONDS = 2.0
"""A bot that is stopped may not have read what was sent so shortly before."""

_RECONNECT, _INVALID, _HELLO, _ACK = 7, 9, 10, 11
_WANTED = ("GUILD_", "CHANNEL_", "THREAD_", "INTERACTION_", "MESSAGE_REACTION_")


@dataclass(slots=True)
class Session:
    """What one READY began. `outbox` leads to its connection; None: it has none at present."""

    id: str
    sequence: int = 0
    events: deque[tuple[int, str, str, float]] = field(default_factory=lambda: deque(maxlen=KEPT))
    outbox: asyncio.Queue[str | None] | None = None


class Gateway:
    """Hands the town's events to the bot. `lost` holds the keys of those that it may never have read."""

    def __init__(self, town: Town, source: random.Random, *, url: str = "") -> None:
        self._town, self._source, self.url = town, source, url
        self._session: Session | None = None
        self._socket: tuple[web.WebSocketResponse, web.Request] | None = None
        self._numbers = itertools.count(1)
        self._left = 0.0
        self.lost: set[str] = set()
        self.met: Counter[str] = Counter()
        self.dropping = True
        town.subscribers.append(self.feed)

    @property
    def is_up(self) -> bool:
        return self._session is not None and self._session.outbox is not None

    def feed(self, event: str, payload: Mapping[str, Any]) -> None:
        """Send an event, or keep it for when the bot is back."""
        if not event.startswith(_WANTED):
            return
        key = _key(event, payload)
        if self._session is None:
            self.lost.add(key)
            return
        session = self._session
        session.sequence += 1
        frame = json.dumps({"op": 0, "t": event, "s": session.sequence, "d": payload})
        session.events.append((session.sequence, key, frame, time.monotonic()))
        if session.outbox is not None:
            session.outbox.put_nowait(frame)

    # -------------------------------------------------------------- a connection

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """One connection of the bot's, to its end."""
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        outbox: asyncio.Queue[str | None] = asyncio.Queue()
        writer = asyncio.create_task(_write(ws, outbox), name="gateway writer")
        outbox.put_nowait(json.dumps({"op": _HELLO, "d": {"heartbeat_interval": HEARTBEAT_MS}}))
        self._socket = (ws, request)
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    self._hear(json.loads(message.data), outbox)
        finally:
            if self._session is not None and self._session.outbox is outbox:
                self._session.outbox = None
                self._left = time.monotonic() - UNREAD_SECONDS
            outbox.put_nowait(None)
            await writer
        return ws

    def _hear(self, said: dict[str, Any], outbox: asyncio.Queue[str | None]) -> None:
        match said["op"]:
            case 1:  # heartbeat
                outbox.put_nowait(json.dumps({"op": _ACK}))
            case 2:  # identify
                self._ready(outbox)
            case 6:  # resume
                self._resume(said["d"], outbox)

    def _ready(self, outbox: asyncio.Queue[str | None]) -> None:
        if self._session is not None:  # the bot was started again
            self.lost.update(key for _, key, _, at in self._session.events if at > self._left)
        self._session = session = Session(f"session-{next(self._numbers)}")
        session.outbox = outbox
        ready = {
            "v": 10,
            "user": dict(serializers.user_payload(self._town.bot_user)),
            "guilds": [{"id": str(guild), "unavailable": True} for guild in self._town.guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "application": {"id": str(self._town.application_id), "flags": 0},
        }
        session.sequence += 1
        outbox.put_nowait(json.dumps({"op": 0, "t": "READY", "s": session.sequence, "d": ready}))
        for guild in self._town.guilds.values():
            self.feed("GUILD_CREATE", serializers.guild_create_payload(self._town, guild))
        self.met["session begun"] += 1

    def _resume(self, asked: dict[str, Any], outbox: asyncio.Queue[str | None]) -> None:
        session = self._session
        if session is None or session.id != asked["session_id"] or self._source.random() < INVALID:
            if session is not None:
                self.lost.update(key for number, key, *_ in session.events if number > asked["seq"])
            self._session = None
            self.met["session refused"] += 1
            outbox.put_nowait(json.dumps({"op": _INVALID, "d": False}))
            return
        again = self._source.randint(1, MOST_AGAIN) if self._source.random() < AGAIN else 0
        for number, _, frame, _ in session.events:
            if number > asked["seq"] - again:
                self.met["event sent twice"] += number <= asked["seq"]
                outbox.put_nowait(frame)
        session.sequence += 1
        outbox.put_nowait(json.dumps({"op": 0, "t": "RESUMED", "s": session.sequence, "d": {}}))
        session.outbox = outbox
        self.met["session resumed"] += 1

    # ------------------------------------------------------------------- faults

    async def drop_at_random(self, every: float) -> None:
        """Break the connection again and again, once in `every` seconds on average."""
        while True:
            await asyncio.sleep(self._source.expovariate(1 / every))
            if self.is_up and self.dropping:
                await self.drop()

    async def drop(self) -> None:
        """Break the connection in one of the ways that Discord and networks have."""
        assert self._socket is not None
        ws, request = self._socket
        way = self._source.choice(("reconnect asked", "closed", "connection reset"))
        self.met[way] += 1
        if way == "reconnect asked":
            await ws.send_str(json.dumps({"op": _RECONNECT, "d": None}))
        elif way == "closed":
            await ws.close(code=4000)
        elif request.transport is not None:
            request.transport.abort()


async def _write(ws: web.WebSocketResponse, outbox: asyncio.Queue[str | None]) -> None:
    while (frame := await outbox.get()) is not None:
        try:
            await ws.send_str(frame)
        except (ConnectionError, RuntimeError):
            return


def _key(event: str, payload: Mapping[str, Any]) -> str:
    """What tells an event from all others that people cause."""
    if event == "MESSAGE_REACTION_ADD":
        return f"{payload['message_id']} {payload['user_id']} {payload['emoji']['name']}"
    return str(payload.get("id", event))
