"""Looks at what the bot needs: the database, the queue, what draws, Discord, and work in the background.

Every look is short, never waits for what it looks at for longer than `ANSWER_SECONDS`, and never raises: a part that
can't be looked at is unwell. What comes out goes into the heartbeat file and onto the host's page.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from bot.health import heartbeat
from bot.health.heartbeat import Component
from bot.metrics import Metrics
from generation.contract import Generator, ModelState
from storage.jobs import queries, queue
from storage.jobs.job import JobState

if TYPE_CHECKING:
    import discord

    from bot.jobs.dispatcher import Dispatcher
    from storage.database import Database

ANSWER_SECONDS = 10.0
"""How long the database may take for its answer. It makes everybody wait while it is rewritten."""

IDLE_SECONDS = 180.0
"""How long a job that could be drawn may wait while the generator has room."""

CONNECTION_SECONDS = 120.0
"""How long the connection to Discord may be away, and its heartbeats unanswered: it comes back by itself within that."""

REQUEST_SECONDS = 120.0
"""How long a request to Discord may be under way."""

TASK_SECONDS = 900.0
"""For how long it is told that work in the background failed; it is begun again after a minute."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the database says: kept jobs by state, whether one of them could be begun now, and the files' bytes."""

    jobs: Mapping[JobState, int]
    claimable: bool
    size: int


class _Since:
    """Remembers since when something has been so."""

    def __init__(self) -> None:
        self._start: float | None = None

    def seconds(self, now: float, *, so: bool) -> float:
        """For how long it has been so without a break; 0 if it is not."""
        if not so:
            self._start = None
            return 0.0
        if self._start is None:
            self._start = now
        return now - self._start


@dataclass(slots=True, kw_only=True)
class Health:
    """The running bot's parts, and what is remembered of earlier looks.

    `requests` tells for how many seconds requests to Discord have been under way and none has ended.
    """

    database: Database
    generator: Generator
    dispatcher: Dispatcher
    client: discord.Client
    metrics: Metrics
    most_running: int
    monotonic: Callable[[], float] = time.monotonic
    requests: Callable[[], float] = lambda: 0.0
    numbers: Numbers | None = None
    """Of the latest look."""
    _reading: asyncio.Task[Numbers] | None = None
    _asked: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _idle: _Since = field(default_factory=_Since)
    _away: _Since = field(default_factory=_Since)
    _claims: int = 0
    _unwell: set[str] = field(default_factory=set)
    _failed: dict[str, float] = field(default_factory=dict)

    async def look(self) -> list[Component]:
        """How every part fares now. One look at a time: each goes by what the one before it saw."""
        async with self._turn:
            return await self._look()

    async def _look(self) -> list[Component]:
        await self._read()
        looks = {
            "database": self._database,
            "queue": self._queue,
            "worker": self._worker,
            "gateway": self._gateway,
            "requests": self._requests,
            "tasks": self._tasks,
        }
        return [_looked_at(name, look) for name, look in looks.items()]

    async def beat(self, path: Path) -> None:
        """Look, and write it into the heartbeat file. Never raises."""
        try:
            components = await self.look()
            self._tell(components)
            await asyncio.to_thread(heartbeat.write, path, components)
        except Exception as error:  # the next beat comes in any case
            _log.warning("no heartbeat", error=repr(error))

    def _tell(self, components: list[Component]) -> None:
        """Log what changed since the last beat."""
        for each in components:
            if each.name in self._unwell and each.well:
                _log.info("a part of the bot is well again", part=each.name)
            elif each.name not in self._unwell and not each.well:
                _log.warning("a part of the bot is unwell", part=each.name, why=each.words)
        self._unwell = {each.name for each in components if not each.well}

    def task_failed(self, name: str) -> None:
        """Work in the background ended with an error."""
        self._failed[name] = self.monotonic()

    # ------------------------------------------------------------------ the parts

    async def _read(self) -> None:
        """Ask the database. A question that takes too long isn't cancelled, which would wait for it too, nor asked twice."""
        if self._reading is None:
            self._asked = self.monotonic()
            self._reading = asyncio.create_task(self._ask(), name="health")
        done, _ = await asyncio.wait({self._reading}, timeout=ANSWER_SECONDS)
        self.numbers = None
        if done and self._reading.exception() is None:
            self.numbers = self._reading.result()

    async def _ask(self) -> Numbers:
        async with self.database.reading() as tx:
            jobs = await queries.count_by_state(tx)
            claimable = await queue.claimable(tx, most_running=self.most_running)
        return Numbers(jobs=jobs, claimable=claimable, size=_size(self.database.folder))

    def _database(self) -> tuple[bool, str]:
        reading, self._reading = self._reading, None
        assert reading is not None
        if not reading.done():
            self._reading = reading
            return False, f"no answer for {self.monotonic() - self._asked:.0f} s"
        if (error := reading.exception()) is not None:
            return False, f"can't be read: {error}"
        return True, "answers"

    def _queue(self) -> tuple[bool, str]:
        if self.numbers is None:
            return True, "not known while the database doesn't answer"
        claims, waiting = self.metrics.claims, self.numbers.jobs.get(JobState.QUEUED, 0)
        room = self.dispatcher.drawing < self.generator.capacity
        idle = self._idle.seconds(self.monotonic(), so=self.numbers.claimable and room and claims == self._claims)
        self._claims = claims
        if idle > IDLE_SECONDS:
            return (
                False,
                f"{waiting} wait, and none was begun for {idle / 60:.0f} min though nothing is drawn",
            )
        return True, f"{waiting} wait, {self.dispatcher.drawing} of {self.generator.capacity} drawn at once"

    def _worker(self) -> tuple[bool, str]:
        condition, safety = self.generator.condition(), self.generator.safety()
        if condition.trouble:
            return False, condition.trouble
        if safety is not None and safety.state is ModelState.UNUSABLE:
            return False, f"the safety check can't be used, so no result is shown: {safety.reason}"
        states = self.generator.models().values()
        if states and all(status.state is ModelState.UNUSABLE for status in states):
            return False, "none of the models can be used"
        return True, "ready" if condition.ready else "starting"

    def _gateway(self) -> tuple[bool, str]:
        away = self._away.seconds(self.monotonic(), so=not _connected(self.client))
        if away > CONNECTION_SECONDS:
            return False, f"not connected to Discord for {away / 60:.0f} min"
        return True, "connecting" if away or not self.client.is_ready() else "connected"

    def _requests(self) -> tuple[bool, str]:
        oldest = self.requests()
        if oldest > REQUEST_SECONDS:
            return False, f"no request to Discord has ended for {oldest:.0f} s"
        return True, "answered"

    def _tasks(self) -> tuple[bool, str]:
        now = self.monotonic()
        self._failed = {name: at for name, at in self._failed.items() if now - at < TASK_SECONDS}
        if self._failed:
            return False, f"failed lately, and begun again: {', '.join(sorted(self._failed))}"
        return True, "none failed lately"


def _looked_at(name: str, look: Callable[[], tuple[bool, str]]) -> Component:
    try:
        well, words = look()
    except Exception as error:  # whatever keeps it from being looked at is what the host has to know
        _log.exception("a part of the bot can't be looked at", part=name)
        well, words = False, f"can't be looked at: {error!r}"
    return Component(name=name, well=well, words=" ".join(words.split()))


def _connected(client: discord.Client) -> bool:
    """Whether Discord's gateway answers. `is_ready` alone stays true while a lost connection is made again."""
    if client.is_closed() or not client.is_ready() or not math.isfinite(client.latency):
        return False
    # discord.py tells the age of the latest answer nowhere else
    keep_alive = getattr(client.ws, "_keep_alive", None)
    answered = getattr(keep_alive, "_last_ack", None)
    return answered is None or time.perf_counter() - answered < CONNECTION_SECONDS


def _size(folder: Path) -> int:
    files = (folder / name for name in ("easel.db", "easel.db-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
