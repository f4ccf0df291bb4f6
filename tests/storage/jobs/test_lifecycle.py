"""Jobs: their states, their fences, their messages and what a restart finds."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from storage.database import Database, Transaction
from storage.files import job_ids
from storage.jobs import lifecycle, messages, queries
from storage.jobs import queue as job_queue
from storage.jobs.job import Job, JobState
from storage.jobs.lifecycle import DuplicateInteraction
from storage.jobs.messages import PostedMessage
from storage.jobs.scheduling import USUAL_LOAD
from tests.storage.samples import ADMIN, ALICE, BOB, GUILD, NOON, new_job, queue, run

LATER = NOON + timedelta(seconds=7)


def test_ids_are_short_lowercase_and_different() -> None:
    source = random.Random(1)
    ids = [job_ids.new_id(source) for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert {len(job_id) for job_id in ids} == {14}
    assert not set("".join(ids)) & set("01ilou")
    assert job_ids.new_id(random.Random(2)) == job_ids.new_id(random.Random(2))


async def test_a_new_job_is_queued_with_all_that_was_given(tx: Transaction) -> None:
    parent = await queue(tx)
    new = new_job(parent_id=parent.id, parent_index=3, progress_message_id=5)
    job = await lifecycle.insert(tx, new, now=NOON)
    assert [getattr(job, one.name) for one in fields(new)] == [getattr(new, one.name) for one in fields(new)]
    assert job.state is JobState.QUEUED
    assert job.created_at == NOON
    assert (job.attempt, job.tries, job.notified) == (0, 0, False)
    assert 1 <= len(job.nonce) <= 25
    assert job.nonce != parent.nonce
    assert await queries.get(tx, job.id) == job
    assert await queries.get(tx, "nobody") is None


async def test_an_interaction_makes_one_job(tx: Transaction) -> None:
    first = await queue(tx, interaction_id=1)
    with pytest.raises(DuplicateInteraction):
        await queue(tx, interaction_id=1)
    await queue(tx, interaction_id=None)
    await queue(tx, interaction_id=None)
    assert await queries.count_waiting(tx) == 3
    assert await queries.get(tx, first.id) == first


async def test_what_can_not_be_a_job_is_refused(tx: Transaction) -> None:
    for job_id in ("", "a", "../../etc", "UPPER", "a" * 17, "new\nline", "aa\n"):
        with pytest.raises(ValueError, match="not a job id"):
            await queue(tx, id=job_id)
    job = await queue(tx)
    for changes in ({"id": job.id}, {"parent_id": "nobody"}, {"images": 0}, {"price": -1}):
        with pytest.raises(sqlite3.IntegrityError):
            await queue(tx, **changes)
    with pytest.raises(ValueError, match="no time zone"):
        await lifecycle.insert(tx, new_job(), now=NOON.replace(tzinfo=None))


async def test_the_way_of_a_job(tx: Transaction) -> None:
    queued = await queue(tx)
    claimed = await job_queue.claim(tx, now=NOON)
    assert claimed == replace(queued, state=JobState.RUNNING, attempt=1, started_at=NOON, load=USUAL_LOAD)
    assert await lifecycle.finish(tx, queued.id, 1, seconds=6.5, now=LATER)
    finished = await queries.get(tx, queued.id)
    assert finished == replace(claimed, state=JobState.FINISHED, seconds=6.5, finished_at=LATER)
    assert await lifecycle.deliver(tx, queued.id, message_id=77, now=LATER)
    delivered = await queries.get(tx, queued.id)
    assert delivered == replace(finished, state=JobState.DELIVERED, result_message_id=77, delivered_at=LATER)
    assert await job_queue.claim(tx, now=NOON) is None


async def test_a_result_may_have_nowhere_to_go(tx: Transaction) -> None:
    job = await run(tx)
    await lifecycle.finish(tx, job.id, 1, seconds=1, now=NOON)
    assert await lifecycle.deliver(tx, job.id, message_id=None, now=NOON)
    delivered = await queries.get(tx, job.id)
    assert delivered is not None
    assert (delivered.state, delivered.result_message_id) == (JobState.DELIVERED, None)


async def test_a_failure_is_kept_with_its_reason_until_its_owner_knows(tx: Transaction) -> None:
    job = await run(tx)
    assert await lifecycle.fail(tx, job.id, 1, reason="out_of_memory", now=LATER)
    failed = await queries.get(tx, job.id)
    assert failed == replace(job, state=JobState.FAILED, failure="out_of_memory", finished_at=LATER)
    await lifecycle.mark_notified(tx, job.id)
    assert await queries.get(tx, job.id) == replace(failed, notified=True)


async def test_queued_and_running_jobs_can_be_cancelled(tx: Transaction) -> None:
    for job in (await run(tx), await queue(tx)):
        assert await lifecycle.cancel(tx, job.id, by=ADMIN, now=LATER)
        cancelled = await queries.get(tx, job.id)
        assert cancelled == replace(job, state=JobState.CANCELLED, cancelled_by=ADMIN, finished_at=LATER)
    assert await job_queue.claim(tx, now=NOON) is None


async def test_an_attempt_given_up_can_not_touch_the_next(tx: Transaction) -> None:
    first = await run(tx)
    assert await lifecycle.requeue(tx, first.id, 1, counts=True)
    second = await job_queue.claim(tx, now=LATER)
    assert second == replace(first, attempt=2, tries=1, started_at=LATER)
    assert not await lifecycle.finish(tx, first.id, 1, seconds=1, now=NOON)
    assert not await lifecycle.fail(tx, first.id, 1, reason="internal", now=NOON)
    assert not await lifecycle.requeue(tx, first.id, 1, counts=True)
    assert await queries.get(tx, first.id) == second
    assert await lifecycle.finish(tx, first.id, 2, seconds=1, now=NOON)


Step = Callable[[Transaction, Job], Awaitable[bool]]
STEPS: dict[str, Step] = {
    "requeue": lambda tx, job: lifecycle.requeue(tx, job.id, job.attempt, counts=True),
    "finish": lambda tx, job: lifecycle.finish(tx, job.id, job.attempt, seconds=1, now=NOON),
    "fail": lambda tx, job: lifecycle.fail(tx, job.id, job.attempt, reason="internal", now=NOON),
    "cancel": lambda tx, job: lifecycle.cancel(tx, job.id, by=ADMIN, now=NOON),
    "deliver": lambda tx, job: lifecycle.deliver(tx, job.id, message_id=9, now=NOON),
}
ALLOWED = {
    JobState.QUEUED: {"cancel"},
    JobState.RUNNING: {"requeue", "finish", "fail", "cancel"},
    JobState.FINISHED: {"deliver"},
    JobState.DELIVERED: set[str](),
    JobState.FAILED: set[str](),
    JobState.CANCELLED: set[str](),
}
WAY_THERE: dict[JobState, tuple[str, ...]] = {
    JobState.QUEUED: ("requeue",),
    JobState.RUNNING: (),
    JobState.FINISHED: ("finish",),
    JobState.DELIVERED: ("finish", "deliver"),
    JobState.FAILED: ("fail",),
    JobState.CANCELLED: ("cancel",),
}


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("name", STEPS)
async def test_only_the_drawn_steps_are_possible(tx: Transaction, state: JobState, name: str) -> None:
    job = await run(tx)
    for step in WAY_THERE[state]:
        assert await STEPS[step](tx, job)
    before = await queries.get(tx, job.id)
    assert before is not None
    assert before.state is state
    assert await STEPS[name](tx, before) == (name in ALLOWED[state])
    after = await queries.get(tx, job.id)
    assert (after == before) == (name not in ALLOWED[state])


async def test_recovery_queues_the_running_and_lists_what_is_owed(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    async with database.transaction() as tx:
        done = await run(tx)
        await lifecycle.finish(tx, done.id, 1, seconds=1, now=NOON)
        told, untold = await run(tx), await run(tx)
        for job in (told, untold):
            await lifecycle.fail(tx, job.id, 1, reason="internal", now=NOON)
        await lifecycle.mark_notified(tx, told.id)
        stopped = await queue(tx)
        await lifecycle.cancel(tx, stopped.id, by=ADMIN, now=NOON)
        first, second, waiting = await run(tx), await run(tx, user_id=BOB), await queue(tx)
    await database.close()

    database = await Database.open(tmp_path)
    async with database.transaction() as tx:
        before = await lifecycle.unfinished(tx)
        requeued = await lifecycle.recover(tx)
        found = await lifecycle.unfinished(tx)
        again = await lifecycle.recover(tx)
        order = [await job_queue.claim(tx, now=LATER) for _ in range(3)]
    await database.close()
    assert [job.id for job in before.running] == [job.id for job in requeued] == [first.id, second.id]
    assert {(job.state, job.attempt, job.tries) for job in requeued} == {(JobState.QUEUED, 1, 0)}
    assert {job.turn for job in requeued} == {first.turn, second.turn}
    assert [job.id for job in found.undelivered] == [done.id]
    assert [job.id for job in found.unnotified] == [untold.id, stopped.id]
    assert [job.id for job in found.progress_open] == [told.id]
    assert (again, found.running) == ((), ())
    claimed = {job.id: job.attempt for job in order if job is not None}
    assert claimed == {first.id: 2, second.id: 2, waiting.id: 1}


async def test_recent_jobs_are_a_members_newest_first(tx: Transaction) -> None:
    mine = [await queue(tx) for _ in range(3)]
    await queue(tx, user_id=BOB)
    await queue(tx, guild_id=GUILD + 1)
    assert await queries.recent(tx, guild_id=GUILD, user_id=ALICE, limit=2) == [mine[2], mine[1]]


# -------------------------------------------------------------------------------------------------------- messages


async def test_a_job_is_found_by_each_of_its_messages(tx: Transaction) -> None:
    job = await run(tx, progress_message_id=None)
    await queue(tx)
    await lifecycle.set_progress_message(tx, job.id, 1)
    await lifecycle.finish(tx, job.id, 1, seconds=1, now=NOON)
    await lifecycle.deliver(tx, job.id, message_id=2, now=NOON)
    await messages.add_message(tx, 3, job.id, 4)
    for message_id in (1, 2, 3):
        found = await messages.by_message(tx, message_id)
        assert found is not None
        assert found.id == job.id
    assert await messages.by_message(tx, 4) is None
    assert await messages.message(tx, 1) is None
    assert await messages.message(tx, 2) == PostedMessage(message_id=2, job_id=job.id, image_index=None)
    assert await messages.message(tx, 3) == PostedMessage(message_id=3, job_id=job.id, image_index=4)


async def test_forgotten_messages_find_nothing(tx: Transaction) -> None:
    job = await run(tx, progress_message_id=1)
    await lifecycle.finish(tx, job.id, 1, seconds=1, now=NOON)
    await lifecycle.deliver(tx, job.id, message_id=2, now=NOON)
    await messages.add_message(tx, 3, job.id, 4)
    for message_id in (3, 2, 1, 1):
        await messages.forget_message(tx, message_id)
        assert await messages.by_message(tx, message_id) is None
        assert await messages.message(tx, message_id) is None
    left = await queries.get(tx, job.id)
    assert left is not None
    assert (left.progress_message_id, left.result_message_id) == (None, None)


async def test_a_progress_message_can_be_taken_back(tx: Transaction) -> None:
    job = await queue(tx, progress_message_id=1)
    await lifecycle.set_progress_message(tx, job.id, None)
    assert await messages.by_message(tx, 1) is None
