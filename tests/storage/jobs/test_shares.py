"""Fair shares: who gets how much of the GPU, how long anybody is passed over, and that nobody starves.

The queue runs on SQLite in memory, on the same statements as the bot's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.virtual_day import InMemory
from storage.database import Database, Transaction
from storage.jobs import lifecycle, queries, role_weights, timings
from storage.jobs import queue as job_queue
from storage.jobs.job import Job
from storage.jobs.scheduling import AGEING, PATIENCE, USUAL_LOAD, WINDOW, Workers
from storage.jobs.timings import Shape
from tests.storage.samples import ALICE, BOB, CAROL, GUILD, NOON, new_job, queue

T = TypeVar("T")
WARM = Workers(warm=frozenset({"toy"}))
COSTS = st.sampled_from((0.5, 1.0, 4.0, 12.0, 25.0))
MODELS = st.sampled_from(("toy", "large"))


@dataclass
class Play:
    """A queue in use: `asked` holds the waiting jobs, `loaded` the model that drew last, `drawn` the seconds so far."""

    tx: InMemory = field(default_factory=InMemory)
    asked: dict[str, Job] = field(default_factory=dict)
    loaded: str = "toy"
    drawn: float = 0.0

    def ask(self, **changes: object) -> Job:
        job = asyncio.run(lifecycle.insert(self.tx, new_job(**changes), now=NOON))
        self.asked[job.id] = job
        return job

    def draw(self) -> tuple[Job, float] | None:
        """Draw the next job in the seconds that it was expected to take; the job, and those seconds with loading."""

        async def claim_and_finish() -> Job | None:
            job = await job_queue.claim(self.tx, now=NOON, workers=Workers(warm=frozenset({self.loaded})))
            if job is not None:
                await lifecycle.finish(self.tx, job.id, job.attempt, seconds=job.cost, now=NOON)
            return job

        job = asyncio.run(claim_and_finish())
        if job is None:
            return None
        takes = job.cost + (USUAL_LOAD if job.model != self.loaded else 0)
        self.loaded, self.drawn = job.model, self.drawn + job.cost
        del self.asked[job.id]
        return job, takes


WISHES = st.lists(
    st.one_of(
        st.none(),
        st.tuples(st.integers(1, 6), COSTS, MODELS, st.sampled_from((0.5, 1.0, 3.0))),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(WISHES)
def test_nobody_is_passed_over_for_longer_than_their_patience(
    wishes: list[tuple[int, float, str, float] | None],
) -> None:
    play = Play()
    passed: dict[str, float] = {}
    for wish in [*wishes, *[None] * len(wishes)]:
        if wish is not None:
            user, cost, model, weight = wish
            play.ask(user_id=user, cost=cost, model=model, weight=weight)
            continue
        waiting = dict(play.asked)
        drawn = play.draw()
        assert (drawn is None) == (not waiting), "the GPU rests only while nobody waits"
        if drawn is None:
            continue
        job, takes = drawn
        for other in waiting.values():
            if other.turn < job.turn:
                assert other.user_id != job.user_id, "one's own jobs keep their order"
                passed[other.id] = passed.get(other.id, 0.0) + takes
    assert max(passed.values(), default=0.0) <= PATIENCE


@settings(max_examples=30, deadline=None)
@given(
    shares=st.lists(st.sampled_from((0.5, 1.0, 2.0, 4.0)), min_size=2, max_size=6),
    cost=st.sampled_from((0.5, 3.0, 40.0)),
)
def test_the_gpu_is_shared_by_weight_within_one_job_each(shares: list[float], cost: float) -> None:
    play = Play()
    got = [0.0] * len(shares)
    for person, weight in enumerate(shares):
        for _ in range(2):
            play.ask(user_id=person, cost=cost, weight=weight)
    for _ in range(60):
        drawn = play.draw()
        assert drawn is not None
        job, _ = drawn
        got[job.user_id] += cost / job.weight
        play.ask(user_id=job.user_id, cost=cost, weight=job.weight)
        most = max(range(len(shares)), key=lambda person: got[person])
        least = min(range(len(shares)), key=lambda person: got[person])
        assert got[most] - got[least] <= cost / shares[most] + cost / shares[least] + 1e-6


@settings(max_examples=20, deadline=None)
@given(newcomers=st.integers(1, 3), cost=COSTS, backlog=st.integers(1, 3))
def test_nobody_starves_although_others_never_stop_coming(newcomers: int, cost: float, backlog: int) -> None:
    """More is asked for than can be drawn, always by somebody new: each has the right to go before who had some already."""
    play = Play()
    play.ask(user_id=ALICE, cost=1.0)
    play.draw()
    for _ in range(backlog):
        last = play.ask(user_id=ALICE, cost=1.0)
    behind = (last.turn - 1.0) + 1.0
    bound = behind * WINDOW / AGEING + cost
    asked_at: dict[str, float] = {}
    for step in range(2000):
        for number in range(newcomers):
            asked_at[play.ask(user_id=1000 + step * newcomers + number, cost=cost).id] = play.drawn
        drawn = play.draw()
        assert drawn is not None
        job, _ = drawn
        if job.id == last.id:
            return
        assert asked_at.get(job.id, 0.0) <= bound
    pytest.fail("she still waits")


async def claim(tx: Transaction, workers: Workers = WARM) -> Job:
    job = await job_queue.claim(tx, now=NOON, workers=workers)
    assert job is not None
    return job


async def test_a_light_job_is_drawn_before_a_heavy_one_that_came_first(tx: Transaction) -> None:
    heavy = await queue(tx, user_id=ALICE, cost=20.0)
    light = await queue(tx, user_id=BOB, cost=1.0)
    assert [(await claim(tx)).id for _ in range(2)] == [light.id, heavy.id]


async def test_light_jobs_hold_a_heavy_one_up_for_thirty_seconds_in_all(tx: Transaction) -> None:
    heavy = await queue(tx, user_id=ALICE, cost=20.0)
    for number in range(100):
        await queue(tx, user_id=BOB + number, cost=1.0)
    order = [(await claim(tx)).id for _ in range(40)]
    assert order.index(heavy.id) == PATIENCE


async def test_jobs_for_the_loaded_model_come_in_a_row(tx: Transaction) -> None:
    for number in range(6):
        await queue(tx, user_id=ALICE + number, model=("large", "toy")[number % 2], cost=4.0)
    models, loaded = [], "toy"
    for _ in range(6):
        job = await claim(tx, Workers(warm=frozenset({loaded})))
        loaded = job.model
        models.append(loaded)
    assert models == ["toy"] * 3 + ["large"] * 3


async def test_a_job_that_took_longer_than_expected_moves_its_owners_later_turns(tx: Transaction) -> None:
    await queue(tx, user_id=ALICE, cost=1.0)
    later = await queue(tx, user_id=ALICE, cost=1.0)
    others = [await queue(tx, user_id=BOB, cost=1.0) for _ in range(8)]
    first = await claim(tx)
    await lifecycle.finish(tx, first.id, 1, seconds=7.0, now=NOON)
    moved = await queries.get(tx, later.id)
    assert moved is not None
    assert moved.turn == pytest.approx(later.turn + 6)
    order = [(await claim(tx)).id for _ in range(9)]
    assert order.index(later.id) == 7
    assert order[0] == others[0].id


async def test_a_job_that_took_less_gives_the_rest_back(tx: Transaction) -> None:
    await queue(tx, user_id=ALICE, cost=60.0)
    later = await queue(tx, user_id=ALICE, cost=1.0)
    for _ in range(8):
        await queue(tx, user_id=BOB, cost=1.0)
    first = await claim(tx)
    while first.user_id != ALICE:
        first = await claim(tx)
    await lifecycle.finish(tx, first.id, 1, seconds=1.0, now=NOON)
    moved = await queries.get(tx, later.id)
    assert moved is not None
    assert moved.turn < later.turn - 50


async def test_a_failed_attempt_is_charged_the_seconds_that_it_ran(tx: Transaction) -> None:
    await queue(tx, user_id=ALICE, cost=60.0)
    first = await claim(tx)
    await lifecycle.fail(tx, first.id, 1, reason="internal", now=NOON + timedelta(seconds=2))
    assert (await queue(tx, user_id=ALICE)).turn == pytest.approx(first.turn + 2)


async def test_one_person_draws_no_more_at_once_than_allowed(tx: Transaction) -> None:
    for _ in range(3):
        await queue(tx, user_id=ALICE)
    bob = await queue(tx, user_id=BOB)
    first = await job_queue.claim(tx, now=NOON, workers=WARM, most_running=1)
    second = await job_queue.claim(tx, now=NOON, workers=WARM, most_running=1)
    assert first is not None
    assert second is not None
    assert {first.user_id, second.user_id} == {ALICE, BOB}
    assert await job_queue.claim(tx, now=NOON, workers=WARM, most_running=1) is None
    await lifecycle.finish(tx, bob.id, 1, seconds=1, now=NOON)
    assert await job_queue.claim(tx, now=NOON, workers=WARM, most_running=1) is None


@pytest.mark.parametrize("after", [0, 3, 7])
async def test_a_restart_changes_nothing_in_the_order(tmp_path: Path, after: int) -> None:
    async def order(folder: Path, *, restart: bool) -> list[tuple[int, float]]:
        drawn: list[tuple[int, float]] = []
        database = await Database.open(folder)
        for number in range(12):
            if restart and number == after:
                await database.close()
                database = await Database.open(folder)
                async with database.transaction() as tx:
                    await lifecycle.recover(tx)
            async with database.transaction() as tx:
                for user, cost in ((ALICE, 9.0), (BOB, 2.0), (CAROL, 4.0)):
                    await queue(tx, user_id=user, cost=cost)
                job = await claim(tx)
                await lifecycle.finish(tx, job.id, job.attempt, seconds=job.cost, now=NOON)
                drawn.append((job.user_id, job.turn))
        await database.close()
        return drawn

    assert await order(tmp_path / "one", restart=True) == await order(tmp_path / "other", restart=False)


# -------------------------------------------------------------------------------------------------------------- paces

SHAPE = Shape(model="toy", kind="TextToImage", size=80, steps=20, images=4)


async def test_what_jobs_take_is_learned_from_those_that_were_drawn(tx: Transaction) -> None:
    for _ in range(10):
        await timings.learn(tx, SHAPE, seconds=8.0)
    assert await timings.expect(tx, SHAPE) == pytest.approx(8.0)
    for _ in range(40):
        await timings.learn(tx, SHAPE, seconds=4.0)
    assert await timings.expect(tx, SHAPE) == pytest.approx(4.0, rel=0.05)


async def test_one_stall_misleads_nobody(tx: Transaction) -> None:
    for _ in range(10):
        await timings.learn(tx, SHAPE, seconds=8.0)
    await timings.learn(tx, SHAPE, seconds=800.0)
    assert await timings.expect(tx, SHAPE) < 9.0


async def test_a_shape_never_drawn_is_judged_by_its_model(tx: Transaction) -> None:
    await timings.learn(tx, SHAPE, seconds=8.0)
    half = Shape(model="toy", kind="TextToImage", size=80, steps=10, images=4)
    assert await timings.expect(tx, half) == pytest.approx(4.0)
    unknown = Shape(model="large", kind="TextToImage", size=80, steps=10, images=4)
    assert await timings.expect(tx, unknown) == pytest.approx(timings.USUAL * unknown.work)


async def test_nobody_is_told_an_estimate_before_the_model_was_seen(tx: Transaction) -> None:
    job = await queue(tx, cost=await timings.expect(tx, SHAPE))
    assert (await job_queue.outlook(tx, job.id, now=NOON, workers=WARM)).seconds is None
    await timings.learn(tx, SHAPE, seconds=8.0)
    told = (await job_queue.outlook(tx, job.id, now=NOON, workers=WARM)).seconds
    assert told == pytest.approx(8.0), "the first measurement corrects what waits already"


async def test_an_estimate_counts_those_before_and_the_loading(tx: Transaction) -> None:
    await timings.learn(tx, SHAPE, seconds=8.0)
    await queue(tx, user_id=ALICE, cost=8.0)
    await queue(tx, user_id=BOB, cost=8.0)
    running = await claim(tx)
    other = await queue(tx, user_id=CAROL, cost=8.0)
    later = NOON + timedelta(seconds=3)
    assert running.load == 0.0
    outlook = await job_queue.outlook(tx, other.id, now=later, workers=WARM)
    assert (outlook.ahead, outlook.seconds) == (2, pytest.approx(5 + 8 + 8))
    cold = await job_queue.outlook(tx, other.id, now=later, workers=Workers())
    assert cold.seconds == pytest.approx(5 + USUAL_LOAD + 8 + 8)


async def test_loading_is_learned_from_the_jobs_that_waited_for_it(tx: Transaction) -> None:
    await queue(tx, model="large")
    job = await claim(tx)
    await lifecycle.finish(tx, job.id, 1, seconds=2.0, now=NOON + timedelta(seconds=13))
    await timings.learn_load(tx, job.id)
    await queue(tx, model="large")
    assert (await claim(tx)).load == pytest.approx(11.0)


# ------------------------------------------------------------------------------------------------------------ weights


async def test_the_heaviest_of_a_members_roles_counts(tx: Transaction) -> None:
    for role, weight in ((1, 0.5), (2, 3.0), (3, 2.0)):
        await role_weights.set_weight(tx, guild_id=GUILD, role_id=role, weight=weight)
    assert await role_weights.weight_of(tx, guild_id=GUILD, role_ids=(1, 2, 3)) == 1
    assert await role_weights.weight_of(tx, guild_id=GUILD, role_ids=(1, 3, 9)) == pytest.approx(2 / 3)
    assert await role_weights.weight_of(tx, guild_id=GUILD, role_ids=(9,)) == pytest.approx(1 / 3)
    assert await role_weights.weight_of(tx, guild_id=GUILD + 1, role_ids=(2,)) == role_weights.USUAL
    assert await role_weights.weights(tx, GUILD) == {2: 3.0, 3: 2.0, 1: 0.5}
    await role_weights.set_weight(tx, guild_id=GUILD, role_id=2, weight=None)
    assert await role_weights.weights(tx, GUILD) == {3: 2.0, 1: 0.5}
    with pytest.raises(ValueError, match="a number from"):
        await role_weights.set_weight(tx, guild_id=GUILD, role_id=2, weight=11)
