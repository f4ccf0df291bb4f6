"""Random histories of jobs and credits, held against a small model in plain Python.

`EASEL_HYPOTHESIS=thorough` runs many more and longer ones.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from storage.credits import account, audit, grants
from storage.credits import allowances as credit_allowances
from storage.credits.account import QuotaExceeded
from storage.credits.calendar import Rate
from storage.database import Database, Transaction
from storage.guilds.changes import Subject
from storage.jobs import lifecycle, queries, queue
from storage.jobs.job import Job, JobState
from storage.jobs.scheduling import AGEING, USUAL_LOAD, WINDOW, Waiting, choose, sharers
from storage.jobs.timings import LEAST
from tests.storage.samples import ADMIN, ALICE, BOB, GUILD, NOON, new_job

T = TypeVar("T")
DEFAULT, ROLE = 12, 55
COSTS = st.sampled_from((1.0, 3.0, 20.0))
USERS = st.sampled_from((ALICE, BOB))
SUBJECTS = st.sampled_from(
    (
        Subject(kind="everyone"),
        Subject(kind="role", id=ROLE),
        Subject(kind="user", id=ALICE),
    )
)


@dataclass
class ModelJob:
    """A job as the model sees it; `daily` and `bonus` are what it took from the pools on `day`."""

    user: int
    price: int
    cost: float
    turn: float
    charged: float
    number: int
    day: int
    daily: int
    bonus: int
    state: JobState = JobState.QUEUED
    attempt: int = 0
    tries: int = 0
    delayed: float = 0.0
    started: datetime = NOON
    sharers: float = 1.0


@dataclass
class Model:
    """What there should be."""

    now: datetime = NOON
    jobs: dict[str, ModelJob] = field(default_factory=dict)
    used: dict[tuple[int, int], int] = field(default_factory=dict)
    bonus: dict[int, int] = field(default_factory=lambda: {ALICE: 0, BOB: 0})
    allowances: dict[Subject, int] = field(default_factory=dict)
    virtual: float = 0.0

    @property
    def day(self) -> int:
        return self.now.toordinal()

    def allowance(self, user: int) -> int:
        everyone = self.allowances.get(Subject(kind="everyone"), DEFAULT)
        role = self.allowances.get(Subject(kind="role", id=ROLE), everyone)
        return self.allowances.get(Subject(kind="user", id=user), role)

    def daily_left(self, user: int) -> int:
        return max(0, self.allowance(user) - self.used.get((user, self.day), 0))

    def next_turn(self, user: int) -> float:
        ends = [job.turn + job.charged for job in self.jobs.values() if job.user == user and counts(job)]
        return max([self.virtual, *ends])

    def line(self) -> list[Waiting]:
        queued = [(job.turn, job.number, job_id, job) for job_id, job in self.jobs.items() if waits(job)]
        return [
            Waiting(
                id=job_id,
                guild_id=GUILD,
                user_id=job.user,
                model="toy",
                turn=turn,
                server_turn=0.0,
                server_weight=1.0,
                seconds=job.cost,
                load=USUAL_LOAD,
                delayed=job.delayed,
            )
            for turn, _, job_id, job in sorted(queued, key=lambda one: one[:2])
        ]

    def settle(self, job: ModelJob, seconds: float) -> None:
        """Charge what a job took, and move its owner's later turns."""
        change = max(seconds, LEAST) - job.charged
        later = [one for one in self.jobs.values() if waits(one) and one.user == job.user and one.turn > job.turn]
        job.charged += change
        shift = max(change, min(0.0, self.virtual - min((one.turn for one in later), default=0.0)))
        for one in later:
            one.turn += shift
        if job.attempt:
            self.virtual += AGEING * max(seconds, LEAST) / job.sharers

    def held(self, job: ModelJob) -> float:
        """The seconds that an ended attempt is charged."""
        if job.state is JobState.QUEUED:
            return 0.0
        return min((self.now - job.started).total_seconds(), job.charged)

    def give_back(self, job: ModelJob) -> int:
        """Undo the reservation of a job."""
        self.used[job.user, job.day] = self.used.get((job.user, job.day), 0) - job.daily
        self.bonus[job.user] += job.bonus
        return job.daily + job.bonus

    def in_state(self, *states: JobState) -> list[str]:
        return [job_id for job_id, job in self.jobs.items() if job.state in states]


def waits(job: ModelJob) -> bool:
    return job.state is JobState.QUEUED


def counts(job: ModelJob) -> bool:
    return job.attempt > 0 or job.state is JobState.QUEUED


class Services(RuleBasedStateMachine):
    """Two members, one admin, and a bot that is stopped now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.source = random.Random(0)
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.database = self.loop.run_until_complete(Database.open(Path(self.folder.name)))

    def teardown(self) -> None:
        self.loop.run_until_complete(self.database.close())
        self.loop.close()
        self.folder.cleanup()

    def transact(self, body: Callable[[Transaction], Awaitable[T]]) -> T:
        async def whole() -> T:
            async with self.database.transaction() as tx:
                return await body(tx)

        return self.loop.run_until_complete(whole())

    def pick(self, *states: JobState) -> str:
        return self.source.choice(self.model.in_state(*states))

    @rule(user=USERS, price=st.integers(0, 9), cost=COSTS, crash=st.booleans())
    def imagine(self, user: int, price: int, cost: float, crash: bool) -> None:
        model, job = self.model, new_job(user_id=user, price=price, cost=cost)

        async def accept(tx: Transaction) -> None:
            allowance = await credit_allowances.allowance(
                tx, guild_id=GUILD, user_id=user, role_ids=[ROLE], default=Rate(DEFAULT)
            )
            await account.reserve(
                tx,
                guild_id=GUILD,
                user_id=user,
                job_id=job.id,
                price=price,
                allowance=allowance,
                now=model.now,
            )
            await lifecycle.insert(tx, job, now=model.now)
            if crash:
                raise InterruptedError

        try:
            self.transact(accept)
        except QuotaExceeded as error:
            self.check_refusal(user, price, error)
            return
        except InterruptedError:
            return
        daily = min(price, model.daily_left(user))
        model.jobs[job.id] = ModelJob(
            user=user,
            price=price,
            cost=cost,
            turn=model.next_turn(user),
            charged=cost,
            number=len(model.jobs),
            day=model.day,
            daily=daily,
            bonus=price - daily,
        )
        model.used[user, model.day] = model.used.get((user, model.day), 0) + daily
        model.bonus[user] -= price - daily
        assert model.bonus[user] >= 0

    def check_refusal(self, user: int, price: int, refusal: QuotaExceeded) -> None:
        left = self.model.daily_left(user) + self.model.bonus[user]
        assert (refusal.balance.left, refusal.price) == (left, price)
        assert price > left

    @rule()
    def claim(self) -> None:
        model = self.model
        claimed = self.transact(lambda tx: queue.claim(tx, now=model.now))
        line = model.line()[:WINDOW]
        if claimed is None:
            assert not line
            return
        place = choose(line, ())
        assert claimed.id == line[place].id
        job = model.jobs[claimed.id]
        job.state, job.attempt, job.started = JobState.RUNNING, job.attempt + 1, model.now
        for passed in line[:place]:
            model.jobs[passed.id].delayed += line[place].takes(())
        model.virtual = max(line[0].turn, model.virtual)
        job.sharers = sharers(dict.fromkeys({one.user_id for one in line}, 1.0))

    @precondition(lambda self: self.model.in_state(JobState.RUNNING))
    @rule(seconds=COSTS)
    def finish(self, seconds: float) -> None:
        job_id = self.pick(JobState.RUNNING)
        job = self.model.jobs[job_id]

        async def finish(tx: Transaction) -> None:
            assert not await lifecycle.finish(tx, job_id, job.attempt - 1, seconds=9, now=self.model.now)
            assert await lifecycle.finish(tx, job_id, job.attempt, seconds=seconds, now=self.model.now)

        self.transact(finish)
        self.model.settle(job, seconds)
        job.state = JobState.FINISHED

    @precondition(lambda self: self.model.in_state(JobState.FINISHED))
    @rule()
    def deliver(self) -> None:
        job_id = self.pick(JobState.FINISHED)

        async def deliver(tx: Transaction) -> None:
            assert await lifecycle.deliver(tx, job_id, message_id=None, now=self.model.now)
            await account.settle(tx, job_id, now=self.model.now)

        self.transact(deliver)
        self.model.jobs[job_id].state = JobState.DELIVERED

    @precondition(lambda self: self.model.in_state(JobState.QUEUED, JobState.RUNNING))
    @rule(by_failure=st.booleans())
    def end_without_pictures(self, by_failure: bool) -> None:
        model = self.model
        job_id = self.pick(JobState.QUEUED, JobState.RUNNING)
        job = model.jobs[job_id]
        fails = by_failure and job.state is JobState.RUNNING

        async def end(tx: Transaction) -> int:
            if fails:
                assert await lifecycle.fail(tx, job_id, job.attempt, reason="internal", now=model.now)
            else:
                assert await lifecycle.cancel(tx, job_id, by=ADMIN, now=model.now)
            return await account.refund(tx, job_id, now=model.now)

        assert self.transact(end) == model.give_back(job)
        model.settle(job, model.held(job))
        job.state = JobState.FAILED if fails else JobState.CANCELLED

    @precondition(lambda self: self.model.jobs)
    @rule(settles=st.booleans())
    def repeat_an_outcome(self, settles: bool) -> None:
        job_id = self.pick(*JobState)
        if self.model.jobs[job_id].state in (JobState.QUEUED, JobState.RUNNING, JobState.FINISHED):
            return
        if settles:
            self.transact(lambda tx: account.settle(tx, job_id, now=self.model.now))
        else:
            assert self.transact(lambda tx: account.refund(tx, job_id, now=self.model.now)) == 0

    @precondition(lambda self: self.model.in_state(JobState.RUNNING))
    @rule(counts=st.booleans())
    def requeue(self, counts: bool) -> None:
        job_id = self.pick(JobState.RUNNING)
        job = self.model.jobs[job_id]
        assert self.transact(lambda tx: lifecycle.requeue(tx, job_id, job.attempt, counts=counts))
        job.state, job.tries = JobState.QUEUED, job.tries + counts

    @rule(user=USERS, credits=st.integers(-9, 9))
    def grant(self, user: int, credits: int) -> None:
        model = self.model
        try:
            self.transact(
                lambda tx: grants.give(
                    tx,
                    guild_id=GUILD,
                    subject=Subject(kind="user", id=user),
                    credits=credits,
                    actor_id=ADMIN,
                    reason="",
                    now=model.now,
                )
            )
        except ValueError:
            assert credits == 0 or model.bonus[user] + credits < 0
            return
        model.bonus[user] += credits

    @rule(user=USERS)
    def reset(self, user: int) -> None:
        model = self.model
        self.transact(
            lambda tx: grants.forgive(
                tx,
                guild_id=GUILD,
                subject=Subject(kind="user", id=user),
                allowance=Rate(0),
                actor_id=ADMIN,
                now=model.now,
            )
        )
        model.used[user, model.day] = 0
        for job in model.jobs.values():
            if job.user == user and job.day == model.day:
                job.daily = 0

    @rule(subject=SUBJECTS, credits=st.none() | st.integers(0, 20))
    def set_allowance(self, subject: Subject, credits: int | None) -> None:
        rate = None if credits is None else Rate(credits)
        self.transact(
            lambda tx: credit_allowances.set_allowance(
                tx, guild_id=GUILD, subject=subject, rate=rate, actor_id=ADMIN, now=self.model.now
            )
        )
        if credits is None:
            self.model.allowances.pop(subject, None)
        else:
            self.model.allowances[subject] = credits

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.model.now += timedelta(hours=hours)

    @rule()
    def restart(self) -> None:
        self.loop.run_until_complete(self.database.close())
        self.database = self.loop.run_until_complete(Database.open(Path(self.folder.name)))
        requeued = self.transact(lifecycle.recover)
        found = self.transact(lifecycle.unfinished)
        assert {job.id for job in requeued} == set(self.model.in_state(JobState.RUNNING))
        assert {job.id for job in found.undelivered} == set(self.model.in_state(JobState.FINISHED))
        ended = self.model.in_state(JobState.FAILED, JobState.CANCELLED)
        assert {job.id for job in found.unnotified} == set(ended)
        for job in requeued:
            self.model.jobs[job.id].state = JobState.QUEUED

    @invariant()
    def every_credit_is_accounted_for(self) -> None:
        self.transact(self.compare_balances)

    async def compare_balances(self, tx: Transaction) -> None:
        model = self.model
        for user in (ALICE, BOB):
            allowance = await credit_allowances.allowance(
                tx, guild_id=GUILD, user_id=user, role_ids=[ROLE], default=Rate(DEFAULT)
            )
            found = await account.balance(tx, guild_id=GUILD, user_id=user, allowance=allowance, now=model.now)
            expected = (model.allowance(user), model.used.get((user, model.day), 0), model.bonus[user])
            assert (found.rate.credits, found.used, found.bonus) == expected
            assert min(expected) >= 0
            assert found.left == model.daily_left(user) + model.bonus[user]

    @invariant()
    def every_job_is_where_it_should_be(self) -> None:
        self.transact(self.compare_jobs)

    async def compare_jobs(self, tx: Transaction) -> None:
        found: dict[str, Job] = {}
        for user in (ALICE, BOB):
            for job in await queries.recent(tx, guild_id=GUILD, user_id=user, limit=1000):
                found[job.id] = job
        assert set(found) == set(self.model.jobs)
        for job_id, expected in self.model.jobs.items():
            job = found[job_id]
            assert (job.state, job.attempt, job.tries) == (expected.state, expected.attempt, expected.tries)
            assert abs(job.turn - expected.turn) < 1e-6
        assert [fault async for fault in audit.check(tx, now=self.model.now)] == []


THOROUGH = os.environ.get("EASEL_HYPOTHESIS") == "thorough"

TestStudio = Services.TestCase
TestStudio.settings = settings(
    max_examples=2_000 if THOROUGH else 40,
    stateful_step_count=50 if THOROUGH else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
