"""Servers share the GPU first, and then the people of each: who is next, who is how far behind, and what a start keeps."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.virtual_day import InMemory
from storage.database import Database, Transaction
from storage.guilds import pauses
from storage.guilds.pauses import Halt, Pause
from storage.jobs import lifecycle, queries, server_turns
from storage.jobs import queue as job_queue
from storage.jobs.job import Job
from storage.jobs.scheduling import AGEING, PATIENCE, Workers
from storage.migrations import MIGRATIONS, migrate
from tests.storage.samples import ADMIN, ALICE, BOB, CAROL, GUILD, NOON, new_job, queue, run

WARM = Workers(warm=frozenset({"toy"}))
OTHER, THIRD = GUILD + 1, GUILD + 2
FEW = settings(max_examples=max(8, settings.default.max_examples // 12), deadline=None)
"""Each example is a long play: eight in the ordinary run, many in the `thorough` one."""
COSTS = st.sampled_from((0.5, 1.0, 4.0, 12.0, 25.0))


async def drawn(tx: Transaction, *, seconds: float | None = None) -> Job:
    """Claim the next job and finish it."""
    job = await job_queue.claim(tx, now=NOON, workers=WARM)
    assert job is not None
    await lifecycle.finish(tx, job.id, job.attempt, seconds=job.cost if seconds is None else seconds, now=NOON)
    return job


@pytest.mark.parametrize("before", [0, 1, 40])
async def test_two_hundred_people_of_one_server_hold_no_other_server_up(tx: Transaction, before: int) -> None:
    for number in range(200):
        await queue(tx, user_id=ALICE + number)
    for _ in range(before):
        await drawn(tx)
    job = await queue(tx, guild_id=OTHER, user_id=CAROL)
    assert await job_queue.position(tx, job.id) <= 1
    assert job.id in {(await drawn(tx)).id for _ in range(2)}


async def test_a_server_gets_its_share_however_few_of_its_people_wait(tx: Transaction) -> None:
    for number in range(60):
        await queue(tx, user_id=ALICE + number)
        await queue(tx, guild_id=OTHER, user_id=CAROL)
    assert Counter([(await drawn(tx)).guild_id for _ in range(60)]) == {GUILD: 30, OTHER: 30}


async def test_a_server_gets_as_many_times_as_much_as_the_host_says(tx: Transaction) -> None:
    await server_turns.set_weights(tx, {OTHER: 3.0})
    for _ in range(40):
        for guild_id in (GUILD, OTHER):
            await queue(tx, guild_id=guild_id)
    assert Counter([(await drawn(tx)).guild_id for _ in range(40)]) == {GUILD: 10, OTHER: 30}
    await server_turns.set_weights(tx, {})
    assert (Counter([(await drawn(tx)).guild_id for _ in range(10)]))[GUILD] == 5


async def test_a_role_weighs_among_its_server_s_people_only(tx: Transaction) -> None:
    for _ in range(40):
        await queue(tx, user_id=ALICE, weight=1.0)
        await queue(tx, user_id=BOB, weight=0.25)
        await queue(tx, guild_id=OTHER, user_id=CAROL, weight=0.1)
    got = Counter([(await drawn(tx)).user_id for _ in range(40)])
    assert (got[ALICE], got[BOB], got[CAROL]) == (16, 4, 20)


async def test_somebody_in_two_servers_has_a_line_in_each(tx: Transaction) -> None:
    here = [(await queue(tx)).id for _ in range(6)]
    there = [(await queue(tx, guild_id=OTHER)).id for _ in range(6)]
    order = [(await drawn(tx)).id for _ in range(12)]
    assert [one for one in order if one in here] == here
    assert [one for one in order if one in there] == there
    assert all(len({*order[start : start + 2]} & {*here}) == 1 for start in range(0, 12, 2))


async def test_one_person_draws_no_more_at_once_than_allowed_in_all_servers_together(tx: Transaction) -> None:
    await queue(tx)
    await queue(tx, guild_id=OTHER)
    assert await job_queue.claim(tx, now=NOON, most_running=1) is not None
    assert await job_queue.claim(tx, now=NOON, most_running=1) is None


async def test_a_server_earns_nothing_by_having_asked_for_nothing(tx: Transaction) -> None:
    for _ in range(30):
        await queue(tx)
        await drawn(tx)
    for _ in range(10):
        await queue(tx, guild_id=OTHER, user_id=BOB)
        await queue(tx)
    assert Counter([(await drawn(tx)).guild_id for _ in range(10)]) == {GUILD: 5, OTHER: 5}


async def test_what_a_pause_cost_is_made_up_for_by_no_more_than_patience(tx: Transaction) -> None:
    pause = Pause(guild_id=OTHER, halt=Halt.PAUSED, actor_id=ADMIN, reason="", at=NOON)
    await queue(tx, guild_id=OTHER, user_id=BOB)
    await pauses.halt(tx, pause)
    for _ in range(300):
        await queue(tx, cost=2.0)
        await drawn(tx)
    await pauses.resume(tx, OTHER)
    for _ in range(200):
        await queue(tx, cost=2.0)
        await queue(tx, guild_id=OTHER, user_id=BOB, cost=2.0)
    got = Counter([(await drawn(tx)).guild_id for _ in range(100)])
    assert abs(got[GUILD] - got[OTHER]) * 2.0 <= PATIENCE + 2.0


async def test_a_paused_server_s_jobs_are_before_nobody_else_s(tx: Transaction) -> None:
    for _ in range(5):
        await queue(tx, guild_id=OTHER, user_id=BOB)
    await pauses.halt(tx, Pause(guild_id=OTHER, halt=Halt.PAUSED, actor_id=ADMIN, reason="", at=NOON))
    mine = await queue(tx)
    assert await job_queue.position(tx, mine.id) == 0
    assert (await queries.active(tx))[0].id == mine.id
    assert len(await queries.active(tx)) == 6
    assert len(await queries.active(tx, limit=3)) == 3


async def test_a_server_pays_for_what_its_jobs_took(tx: Transaction) -> None:
    for _ in range(20):
        for guild_id in (GUILD, OTHER):
            await queue(tx, guild_id=guild_id)
    took = Counter[int]()
    for _ in range(20):
        job = await job_queue.claim(tx, now=NOON, workers=WARM)
        assert job is not None
        seconds = 9 if job.guild_id == GUILD else 3
        took[job.guild_id] += seconds
        await lifecycle.finish(tx, job.id, 1, seconds=seconds, now=NOON)
    assert abs(took[GUILD] - took[OTHER]) <= 9 + 3


async def test_a_job_put_back_costs_its_server_nothing(tx: Transaction) -> None:
    first = await run(tx, cost=20.0)
    await lifecycle.requeue(tx, first.id, 1, counts=False)
    await queue(tx, guild_id=OTHER, user_id=BOB, cost=20.0)
    assert (await drawn(tx)).id == first.id
    assert (await drawn(tx)).guild_id == OTHER


async def turns(tx: Transaction) -> list[tuple[float, ...]]:
    rows = await tx.fetch_all(
        "SELECT guild_id, turn, clock, waiting,"
        " (SELECT count(*) FROM jobs WHERE state = 'queued' AND guild_id = server_turns.guild_id) AS counted"
        " FROM server_turns ORDER BY guild_id"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("after", [0, 3, 7])
async def test_a_restart_changes_nothing_between_servers(tmp_path: Path, after: int) -> None:
    async def order(folder: Path, *, restart: bool) -> list[object]:
        seen: list[object] = []
        database = await Database.open(folder)
        for number in range(12):
            async with database.transaction() as tx:
                for guild_id, user_id, cost in ((GUILD, ALICE, 9.0), (OTHER, BOB, 2.0), (OTHER, CAROL, 4.0)):
                    await queue(tx, guild_id=guild_id, user_id=user_id, cost=cost)
                claimed = await job_queue.claim(tx, now=NOON, workers=WARM)
                assert claimed is not None
            if restart and number == after:
                await database.close()
                database = await Database.open(folder)
                async with database.transaction() as tx:
                    await lifecycle.recover(tx)
                    again = await job_queue.claim(tx, now=NOON, workers=WARM)
                    assert again is not None
                    assert again.id == claimed.id
            async with database.transaction() as tx:
                attempt = 2 if restart and number == after else 1
                assert await lifecycle.finish(tx, claimed.id, attempt, seconds=claimed.cost, now=NOON)
                seen.append((claimed.guild_id, claimed.user_id, claimed.turn, await turns(tx)))
        await database.close()
        return seen

    assert await order(tmp_path / "one", restart=True) == await order(tmp_path / "other", restart=False)


OLD_JOB = """
INSERT INTO jobs (id, guild_id, channel_id, user_id, action, prompt, request, model, images, price, state, attempt,
    turn, turn_end, nonce, created_at, clock)
VALUES (?, ?, 1, ?, 'imagine', '', '{}', 'toy', 1, 1, ?, ?, ?, ? + 1, 'x', 0, ?)
"""


async def test_those_who_waited_before_the_upgrade_keep_their_order_in_their_server(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / "easel.db", isolation_level=None)) as old:
        migrate(old, MIGRATIONS[:10])
        old.execute(OLD_JOB, ("done", GUILD, ALICE, "running", 1, 7, 7, 7))
        for number, (guild_id, user_id) in enumerate([(GUILD, ALICE), (GUILD, BOB), (OTHER, CAROL)] * 3):
            turn = 8 + number // 3
            old.execute(OLD_JOB, (f"job{number}", guild_id, user_id, "queued", 0, turn, turn, None))
    database = await Database.open(tmp_path / "data")
    async with database.transaction() as tx:
        assert [job.id for job in (await lifecycle.recover(tx))] == ["done"]
        assert [row[3:] for row in await turns(tx)] == [(0, 0), (7, 7), (3, 3)]
        order = [await drawn(tx) for _ in range(10)]
    await database.close()
    assert [job.id for job in order if job.guild_id == GUILD] == [
        "done",
        "job0",
        "job1",
        "job3",
        "job4",
        "job6",
        "job7",
    ]
    assert [job.id for job in order if job.guild_id == OTHER] == ["job2", "job5", "job8"]
    assert len([job for job in order[:6] if job.guild_id == OTHER]) == 3


async def test_who_waits_without_a_server_from_before_the_upgrade_can_be_cancelled(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / "easel.db", isolation_level=None)) as old:
        migrate(old, MIGRATIONS[:10])
        old.execute(OLD_JOB, ("alone", 0, ALICE, "queued", 0, 1, 1, None))
    database = await Database.open(tmp_path / "data")
    async with database.transaction() as tx:
        await lifecycle.cancel(tx, "alone", by=ALICE, now=NOON)
        assert [row[3:] for row in await turns(tx)] == [(0, 0)]
    await database.close()


# ------------------------------------------------------------------------------------------- many servers for a long time


@dataclass
class Play:
    """A queue in use by several servers: `got` are the seconds of each server, and of each of its people, by weight."""

    tx: InMemory = field(default_factory=InMemory)
    weights: dict[int, float] = field(default_factory=dict)
    servers: Counter[int] = field(default_factory=Counter)
    people: dict[int, Counter[int]] = field(default_factory=dict)
    drawn: float = 0.0

    def weigh(self, weights: dict[int, float]) -> None:
        self.weights = weights
        asyncio.run(server_turns.set_weights(self.tx, weights))

    def ask(self, guild_id: int, user_id: int, cost: float) -> Job:
        new = new_job(guild_id=guild_id, user_id=user_id, cost=cost)
        return asyncio.run(lifecycle.insert(self.tx, new, now=NOON))

    def position(self, job: Job) -> int:
        return asyncio.run(job_queue.position(self.tx, job.id))

    def draw(self) -> Job:
        job = asyncio.run(drawn(self.tx))
        self.drawn += job.cost
        self.servers[job.guild_id] += job.cost / self.weights.get(job.guild_id, 1.0)  # type: ignore[assignment]
        self.people.setdefault(job.guild_id, Counter())[job.user_id] += job.cost  # type: ignore[assignment]
        return job


@FEW
@given(
    people=st.lists(st.integers(1, 8), min_size=2, max_size=5),
    weights=st.lists(st.sampled_from((0.5, 1.0, 2.0, 5.0)), min_size=5, max_size=5),
    cost=st.sampled_from((0.5, 3.0, 40.0)),
)
def test_busy_servers_share_by_weight_and_their_people_evenly_within_one_job_each(
    people: list[int], weights: list[float], cost: float
) -> None:
    play = Play()
    play.weigh({number + 1: weight for number, weight in enumerate(weights)})
    for guild_id, count in enumerate(people, start=1):
        for user_id in range(count):
            play.ask(guild_id, user_id, cost)
            play.ask(guild_id, user_id, cost)
            play.people.setdefault(guild_id, Counter())[user_id] = 0
    for _ in range(80):
        job = play.draw()
        play.ask(job.guild_id, job.user_id, cost)
        shares = {guild_id: play.servers[guild_id] for guild_id in range(1, len(people) + 1)}
        most, least = (pick(shares, key=shares.__getitem__) for pick in (max, min))
        assert shares[most] - shares[least] <= cost / weights[most - 1] + cost / weights[least - 1] + 1e-6
        for own in play.people.values():
            assert max(own.values()) - min(own.values()) <= 2 * cost + 1e-6


@FEW
@given(st.randoms(use_true_random=False), st.integers(2, 5))
def test_servers_share_within_patience_whatever_their_people_ask_for(source: random.Random, count: int) -> None:
    play, costs = Play(), (0.5, 1.0, 4.0, 12.0)
    for guild_id in range(1, count + 1):
        for user_id in range(source.randint(1, 20)):
            play.ask(guild_id, user_id, source.choice(costs))
    for _ in range(150):
        job = play.draw()
        play.ask(job.guild_id, source.randint(0, 19), source.choice(costs))
        if min(play.servers[guild_id] for guild_id in range(1, count + 1)):
            assert max(play.servers.values()) - min(play.servers.values()) <= 2 * (PATIENCE + max(costs))


@FEW
@given(others=st.integers(1, 6), cost=COSTS, backlog=st.integers(1, 3))
def test_no_server_starves_although_all_others_never_stop_coming(others: int, cost: float, backlog: int) -> None:
    """Each of the other servers has somebody new at every step, who has not had anything yet."""
    play = Play()
    play.ask(1, ALICE, 1.0)
    play.draw()
    for _ in range(backlog):
        last = play.ask(1, ALICE, 1.0)
    before = play.drawn
    for step in range(3000):
        for guild_id in range(2, others + 2):
            play.ask(guild_id, 1000 + step, cost)
        if play.draw().id == last.id:
            break
    bound = (backlog + 1) * (others + 1) / AGEING + (others + 1) * cost + PATIENCE
    assert play.drawn - before <= bound


@FEW
@given(st.randoms(use_true_random=False))
def test_a_place_counts_exactly_those_who_are_drawn_before(source: random.Random) -> None:
    """Jobs of equal cost and model are drawn strictly in their order, so that each place can be checked."""
    play = Play()
    play.weigh({1: 2.0, 2: 0.5})
    waiting: list[Job] = []
    for _ in range(source.randint(1, 60)):
        waiting.append(play.ask(source.randint(1, 5), source.randint(1, 4), 4.0))
        if source.random() < 0.3:
            gone = play.draw()
            waiting = [job for job in waiting if job.id != gone.id]
    places = {job.id: play.position(job) for job in waiting}
    listed = [job.id for job in asyncio.run(queries.active(play.tx, limit=1000))]
    assert listed == sorted(places, key=places.__getitem__)
    assert sorted(places.values()) == list(range(len(waiting)))
    assert [play.draw().id for _ in waiting] == listed


@FEW
@given(st.randoms(use_true_random=False))
def test_what_waits_is_counted_whatever_happens_to_jobs(source: random.Random) -> None:
    play = Play()
    tx, known = play.tx, list[Job]()

    async def happen() -> None:
        for _ in range(60):
            match source.randint(0, 5):
                case 0 | 1:
                    known.append(await queue(tx, guild_id=source.choice((GUILD, OTHER, THIRD)), cost=3.0))
                case 2:
                    await job_queue.claim(tx, now=NOON)
                case 3 if known:
                    await lifecycle.cancel(tx, source.choice(known).id, by=ADMIN, now=NOON + timedelta(seconds=2))
                case 4 if known:
                    await lifecycle.requeue(tx, source.choice(known).id, 1, counts=True)
                case 5:
                    await lifecycle.recover(tx)
            rows = await turns(tx)
            assert all(waiting == counted for *_, waiting, counted in rows)
            assert all(turn >= -1e-6 for _, turn, *_ in rows)

    asyncio.run(happen())
