"""Plays a day in a moment: the bot's own queue in SQLite in memory, a clock that jumps, and one GPU that holds one model."""

from __future__ import annotations

import heapq
import itertools
import math
import random
import sqlite3
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from benchmarks.days import Visit
from generation.contract import Sampling, TextToImage
from storage.database import Parameters, Row, Transaction
from storage.files import job_ids
from storage.jobs import lifecycle, timings
from storage.jobs import queue as job_queue
from storage.jobs.job import Job, NewJob
from storage.jobs.scheduling import Workers
from storage.migrations import migrate

LOAD_SECONDS = 4.0
"""What loading a model takes."""

_START = datetime(2026, 1, 3, tzinfo=UTC)


class InMemory(Transaction):
    """The queue's statements on SQLite in this thread, one long transaction that nobody keeps."""

    def __init__(self) -> None:
        self._file = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self._file)
        self._file.row_factory = sqlite3.Row

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """See Transaction."""
        return self._file.execute(sql, parameters).fetchall()

    async def execute_many(self, sql: str, parameters: Sequence[Parameters]) -> None:
        """See Transaction."""
        self._file.executemany(sql, parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A visit with the moments at which it began to keep the GPU and was done, and what its person was told then."""

    visit: Visit
    began: float
    done: float
    told: float | None = None

    @property
    def waited(self) -> float:
        """Seconds beyond its own drawing."""
        return self.done - self.visit.at - self.visit.seconds


Refill = Mapping[int, Sequence[Visit]]
"""What people ask for one after the other, whenever one of their jobs is done."""


class Queue(Protocol):
    """What decides who is next. `loaded` is the model on the GPU; moments are seconds since the day's start."""

    async def ask(self, one: Visit, *, loaded: str | None) -> float | None:
        """Somebody asks; the seconds that they are told."""
        ...

    async def next(self, now: float, *, loaded: str | None) -> Visit | None:
        """Who is drawn for from now on."""
        ...

    async def end(self, one: Visit, now: float) -> None:
        """The pictures of the one who was next are there."""
        ...


class FirstCome:
    """The order of asking."""

    def __init__(self) -> None:
        self._line: deque[Visit] = deque()

    async def ask(self, one: Visit, *, loaded: str | None) -> float | None:  # noqa: ARG002 - part of the protocol
        """See Queue."""
        self._line.append(one)
        return None

    async def next(self, now: float, *, loaded: str | None) -> Visit | None:  # noqa: ARG002 - part of the protocol
        """See Queue."""
        return self._line.popleft() if self._line else None

    async def end(self, one: Visit, now: float) -> None:
        """See Queue."""


class Fair:
    """The bot's queue."""

    def __init__(self) -> None:
        self._tx = InMemory()
        self._ids = random.Random(0)
        self._asked: dict[str, Visit] = {}
        self._drawn: Job | None = None

    async def ask(self, one: Visit, *, loaded: str | None) -> float | None:
        """See Queue."""
        tx, request = self._tx, _request(one)
        cost = await timings.expect(tx, timings.shape_of(request))
        new = _new_job(one, request, job_id=job_ids.new_id(self._ids), cost=cost)
        job = await lifecycle.insert(tx, new, now=_moment(one.at))
        self._asked[job.id] = one
        outlook = await job_queue.outlook(tx, job.id, now=_moment(one.at), workers=_workers(loaded))
        return outlook.seconds

    async def next(self, now: float, *, loaded: str | None) -> Visit | None:
        """See Queue."""
        self._drawn = await job_queue.claim(self._tx, now=_moment(now), workers=_workers(loaded))
        return self._asked.pop(self._drawn.id) if self._drawn else None

    async def end(self, one: Visit, now: float) -> None:
        """See Queue."""
        tx, job = self._tx, self._drawn
        assert job is not None
        await lifecycle.finish(tx, job.id, job.attempt, seconds=one.seconds, now=_moment(now))
        await timings.learn(tx, timings.shape_of(_request(one)), seconds=one.seconds)
        if job.load:
            await timings.learn_load(tx, job.id)


async def play(
    queue: Queue, visits: Iterable[Visit], refill: Refill | None = None, *, until: float = math.inf
) -> list[Served]:
    """The day, with one GPU that holds one model; it ends when all are served, or at `until`."""
    order = itertools.count()
    coming = [(one.at, next(order), one) for one in visits]
    heapq.heapify(coming)
    more = {person: iter(ones) for person, ones in (refill or {}).items()}
    told: dict[int, float | None] = {}
    served: list[Served] = []
    now, loaded = 0.0, None
    while now < until:
        await _hear(queue, coming, told, now, loaded)
        one = await queue.next(now, loaded=loaded)
        if one is None:
            if not coming:
                break
            now = coming[0][0]
            continue
        done = now + one.seconds + (LOAD_SECONDS if one.model != loaded else 0)
        await _hear(queue, coming, told, done, loaded)
        served.append(Served(visit=one, began=now, done=done, told=told.pop(id(one))))
        now, loaded = done, one.model
        await queue.end(one, now)
        if following := next(more.get(one.person, iter(())), None):
            heapq.heappush(coming, (now, next(order), replace(following, at=now)))
    return served


async def _hear(
    queue: Queue,
    coming: list[tuple[float, int, Visit]],
    told: dict[int, float | None],
    until: float,
    loaded: str | None,
) -> None:
    """Let in those who have come by then."""
    while coming and coming[0][0] <= until:
        one = heapq.heappop(coming)[2]
        told[id(one)] = await queue.ask(one, loaded=loaded)


def _workers(loaded: str | None) -> Workers:
    return Workers(warm=frozenset({loaded} if loaded else ()))


def _moment(at: float) -> datetime:
    return _START + timedelta(seconds=at)


def _request(one: Visit) -> TextToImage:
    return TextToImage(
        sampling=Sampling(
            model=one.model,
            prompt="",
            width=one.width,
            height=one.height,
            steps=one.steps,
            guidance=1.0,
            seeds=tuple(range(one.images)),
        )
    )


def _new_job(one: Visit, request: TextToImage, *, job_id: str, cost: float) -> NewJob:
    return NewJob(
        id=job_id,
        guild_id=1,
        channel_id=1,
        user_id=one.person,
        action="imagine",
        prompt="",
        request=request,
        model=one.model,
        images=one.images,
        price=1,
        cost=cost,
        weight=one.weight,
    )
