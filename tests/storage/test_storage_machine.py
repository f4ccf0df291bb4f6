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
from storage_samples import ADMIN, ALICE, BOB, GUILD, NOON, new_job

from storage import jobs, quotas
from storage.database import Database, Transaction
from storage.jobs import JobState
from storage.quotas import QuotaExceeded, Subject

T = TypeVar("T")
DEFAULT, ROLE = 12, 55
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
    turn: float
    number: int
    day: int
    daily: int
    bonus: int
    state: JobState = JobState.QUEUED
    attempt: int = 0
    tries: int = 0


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
        ends = [
            job.turn + max(job.price, 1) for job in self.jobs.values() if job.user == user and counts(job)
        ]
        return max([self.virtual, *ends])

    def give_back(self, job: ModelJob) -> int:
        """Undo the reservation of a job."""
        self.used[job.user, job.day] = self.used.get((job.user, job.day), 0) - job.daily
        self.bonus[job.user] += job.bonus
        return job.daily + job.bonus

    def in_state(self, *states: JobState) -> list[str]:
        return [job_id for job_id, job in self.jobs.items() if job.state in states]


def counts(job: ModelJob) -> bool:
    return job.attempt > 0 or job.state is JobState.QUEUED


class Studio(RuleBasedStateMachine):
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

    @rule(user=USERS, price=st.integers(0, 9), crash=st.booleans())
    def imagine(self, user: int, price: int, crash: bool) -> None:
        model, job = self.model, new_job(user_id=user, price=price)

        async def accept(tx: Transaction) -> None:
            allowance = await quotas.allowance(
                tx, guild_id=GUILD, user_id=user, role_ids=[ROLE], default=DEFAULT
            )
            await quotas.reserve(
                tx,
                guild_id=GUILD,
                user_id=user,
                job_id=job.id,
                price=price,
                allowance=allowance,
                now=model.now,
            )
            await jobs.insert(tx, job, now=model.now)
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
            turn=model.next_turn(user),
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
        claimed = self.transact(lambda tx: jobs.claim(tx, now=model.now))
        queued = model.in_state(JobState.QUEUED)
        if claimed is None:
            assert not queued
            return
        assert claimed.id == min(queued, key=lambda name: (model.jobs[name].turn, model.jobs[name].number))
        job = model.jobs[claimed.id]
        job.state, job.attempt = JobState.RUNNING, job.attempt + 1
        model.virtual = max(model.virtual, job.turn)

    @precondition(lambda self: self.model.in_state(JobState.RUNNING))
    @rule()
    def finish(self) -> None:
        job_id = self.pick(JobState.RUNNING)
        job = self.model.jobs[job_id]

        async def finish(tx: Transaction) -> None:
            assert not await jobs.finish(tx, job_id, job.attempt - 1, seconds=1, now=self.model.now)
            assert await jobs.finish(tx, job_id, job.attempt, seconds=1, now=self.model.now)

        self.transact(finish)
        job.state = JobState.FINISHED

    @precondition(lambda self: self.model.in_state(JobState.FINISHED))
    @rule()
    def deliver(self) -> None:
        job_id = self.pick(JobState.FINISHED)

        async def deliver(tx: Transaction) -> None:
            assert await jobs.deliver(tx, job_id, message_id=None, now=self.model.now)
            await quotas.settle(tx, job_id, now=self.model.now)

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
                assert await jobs.fail(tx, job_id, job.attempt, reason="internal", now=model.now)
            else:
                assert await jobs.cancel(tx, job_id, by=ADMIN, now=model.now)
            return await quotas.refund(tx, job_id, now=model.now)

        assert self.transact(end) == model.give_back(job)
        job.state = JobState.FAILED if fails else JobState.CANCELLED

    @precondition(lambda self: self.model.jobs)
    @rule(settles=st.booleans())
    def repeat_an_outcome(self, settles: bool) -> None:
        job_id = self.pick(*JobState)
        if self.model.jobs[job_id].state in (JobState.QUEUED, JobState.RUNNING, JobState.FINISHED):
            return
        if settles:
            self.transact(lambda tx: quotas.settle(tx, job_id, now=self.model.now))
        else:
            assert self.transact(lambda tx: quotas.refund(tx, job_id, now=self.model.now)) == 0

    @precondition(lambda self: self.model.in_state(JobState.RUNNING))
    @rule(counts=st.booleans())
    def requeue(self, counts: bool) -> None:
        job_id = self.pick(JobState.RUNNING)
        job = self.model.jobs[job_id]
        assert self.transact(lambda tx: jobs.requeue(tx, job_id, job.attempt, counts=counts))
        job.state, job.tries = JobState.QUEUED, job.tries + counts

    @rule(user=USERS, credits=st.integers(-9, 9))
    def grant(self, user: int, credits: int) -> None:
        model = self.model
        try:
            self.transact(
                lambda tx: quotas.grant(
                    tx,
                    guild_id=GUILD,
                    user_id=user,
                    credits=credits,
                    actor_id=ADMIN,
                    reason="",
                    now=model.now,
                )
            )
        except ValueError:
            assert model.bonus[user] + credits < 0
            return
        model.bonus[user] += credits

    @rule(user=USERS)
    def reset(self, user: int) -> None:
        model = self.model
        self.transact(
            lambda tx: quotas.reset(tx, guild_id=GUILD, user_id=user, actor_id=ADMIN, now=model.now)
        )
        model.used[user, model.day] = 0
        for job in model.jobs.values():
            if job.user == user and job.day == model.day:
                job.daily = 0

    @rule(subject=SUBJECTS, credits=st.none() | st.integers(0, 20))
    def set_allowance(self, subject: Subject, credits: int | None) -> None:
        self.transact(
            lambda tx: quotas.set_allowance(
                tx, guild_id=GUILD, subject=subject, credits=credits, actor_id=ADMIN, now=self.model.now
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
        found = self.transact(jobs.recover)
        assert {job.id for job in found.requeued} == set(self.model.in_state(JobState.RUNNING))
        assert {job.id for job in found.undelivered} == set(self.model.in_state(JobState.FINISHED))
        ended = self.model.in_state(JobState.FAILED, JobState.CANCELLED)
        assert {job.id for job in found.unnotified} == set(ended)
        for job in found.requeued:
            self.model.jobs[job.id].state = JobState.QUEUED

    @invariant()
    def every_credit_is_accounted_for(self) -> None:
        self.transact(self.compare_balances)

    async def compare_balances(self, tx: Transaction) -> None:
        model = self.model
        for user in (ALICE, BOB):
            allowance = await quotas.allowance(
                tx, guild_id=GUILD, user_id=user, role_ids=[ROLE], default=DEFAULT
            )
            found = await quotas.balance(tx, guild_id=GUILD, user_id=user, allowance=allowance, now=model.now)
            expected = (model.allowance(user), model.used.get((user, model.day), 0), model.bonus[user])
            assert (found.allowance, found.used_today, found.bonus) == expected
            assert min(expected) >= 0
            assert found.left == model.daily_left(user) + model.bonus[user]

    @invariant()
    def every_job_is_where_it_should_be(self) -> None:
        self.transact(self.compare_jobs)

    async def compare_jobs(self, tx: Transaction) -> None:
        found = {}
        for user in (ALICE, BOB):
            for job in await jobs.recent(tx, guild_id=GUILD, user_id=user, limit=1000):
                found[job.id] = (job.state, job.attempt, job.tries, job.turn)
        expected = {
            job_id: (job.state, job.attempt, job.tries, job.turn) for job_id, job in self.model.jobs.items()
        }
        assert found == expected


THOROUGH = os.environ.get("EASEL_HYPOTHESIS") == "thorough"

TestStudio = Studio.TestCase
TestStudio.settings = settings(
    max_examples=2_000 if THOROUGH else 40,
    stateful_step_count=50 if THOROUGH else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
