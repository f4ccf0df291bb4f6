"""Who is next: fair between members, in order for one, and quick with ten thousand waiting."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from storage.credits import account, boosts, ceilings, host, terms
from storage.database import Database, Transaction
from storage.jobs import lifecycle, messages, queries, role_weights, server_turns
from storage.jobs import queue as job_queue
from storage.jobs.job import Job
from storage.jobs.scheduling import WINDOW
from storage.migrations import migrate
from tests.storage.samples import ADMIN, ALICE, BOB, CAROL, GUILD, NOON, queue, run


async def claim_all(tx: Transaction, limit: int = 1000) -> list[Job]:
    order: list[Job] = []
    while len(order) < limit and (job := await job_queue.claim(tx, now=NOON)):
        order.append(job)
    return order


async def test_a_lone_members_jobs_come_in_order(tx: Transaction) -> None:
    queued = [await queue(tx, cost=cost) for cost in (40, 1, 90, 0.01, 2)]
    assert [job.id for job in await claim_all(tx)] == [job.id for job in queued]


async def test_forty_jobs_of_one_member_do_not_hold_up_the_others(tx: Transaction) -> None:
    for _ in range(40):
        await queue(tx)
    await claim_all(tx, limit=10)
    bob = await queue(tx, user_id=BOB)
    carol = await queue(tx, user_id=CAROL)
    assert await job_queue.position(tx, bob.id) <= 10 + 1
    assert {job.id for job in await claim_all(tx, limit=3)} >= {bob.id, carol.id}


async def test_equal_members_take_turns(tx: Transaction) -> None:
    for user in (ALICE, BOB, CAROL):
        for _ in range(10):
            await queue(tx, user_id=user)
    users = [job.user_id for job in await claim_all(tx)]
    for start in range(0, 30, 3):
        assert set(users[start : start + 3]) == {ALICE, BOB, CAROL}


async def test_a_longer_job_takes_a_longer_turn(tx: Transaction) -> None:
    for _ in range(30):
        await queue(tx, user_id=ALICE, cost=8)
        await queue(tx, user_id=BOB, cost=5)
    spent: Counter[int] = Counter()
    for job in await claim_all(tx, limit=35):
        spent[job.user_id] += round(job.cost)
    assert abs(spent[ALICE] - spent[BOB]) <= 8


async def test_waiting_long_ago_earns_no_credit_for_later(tx: Transaction) -> None:
    await run(tx, user_id=BOB)
    for _ in range(20):
        await run(tx, user_id=ALICE)
    for _ in range(3):
        await queue(tx, user_id=BOB)
        await queue(tx, user_id=ALICE)
    users = [job.user_id for job in await claim_all(tx)]
    assert sorted(users[:2]) == sorted(users[2:4]) == [ALICE, BOB]


async def test_what_was_cancelled_before_it_began_takes_no_turn(tx: Transaction) -> None:
    first = await run(tx)
    for _ in range(20):
        job = await queue(tx)
        await lifecycle.cancel(tx, job.id, by=ADMIN, now=NOON)
    assert (await queue(tx)).turn == first.turn + first.cost


async def test_a_job_put_back_keeps_its_turn(tx: Transaction) -> None:
    first = await run(tx)
    await queue(tx)
    await queue(tx, user_id=BOB)
    await lifecycle.requeue(tx, first.id, first.attempt, counts=False)
    again = await job_queue.claim(tx, now=NOON)
    assert again is not None
    assert (again.id, again.turn, again.attempt, again.tries) == (first.id, first.turn, 2, 0)


async def test_turns_outlive_a_restart(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    async with database.transaction() as tx:
        for _ in range(10):
            await run(tx)
        for _ in range(10):
            await queue(tx)
    await database.close()
    database = await Database.open(tmp_path)
    async with database.transaction() as tx:
        alice = await queue(tx)
        bob = await queue(tx, user_id=BOB)
        order = [job.id for job in await claim_all(tx)]
    await database.close()
    assert order.index(bob.id) <= 1
    assert order[-1] == alice.id


async def test_positions_count_the_running_and_those_ahead(tx: Transaction) -> None:
    running = await run(tx)
    waiting = [await queue(tx) for _ in range(3)]
    assert [await job_queue.position(tx, job.id) for job in waiting] == [1, 2, 3]
    assert await job_queue.position(tx, running.id) == 0
    assert await job_queue.position(tx, "nobody") == 0
    bob = await queue(tx, user_id=BOB)
    assert await job_queue.position(tx, bob.id) == 1


async def test_active_jobs_are_the_running_and_then_the_queued(tx: Transaction) -> None:
    finished = await run(tx)
    await lifecycle.finish(tx, finished.id, 1, seconds=1, now=NOON)
    running = await run(tx)
    alice = [await queue(tx) for _ in range(2)]
    bob = await queue(tx, user_id=BOB)
    elsewhere = await queue(tx, guild_id=GUILD + 1, user_id=CAROL)

    async def ids(**filters: int) -> list[str]:
        return [job.id for job in await queries.active(tx, **filters)]

    everything = await ids()
    assert everything[0] == running.id
    assert set(everything) == {running.id, alice[0].id, alice[1].id, bob.id, elsewhere.id}
    assert await ids(user_id=ALICE) == [running.id, alice[0].id, alice[1].id]
    assert await ids(user_id=ALICE, limit=2) == [running.id, alice[0].id]
    assert await ids(guild_id=GUILD + 1) == [elsewhere.id]
    assert await ids(guild_id=GUILD + 1, user_id=BOB) == []
    assert await queries.count_waiting(tx) == 4
    assert await queries.count_waiting(tx, user_id=ALICE) == 2


# ------------------------------------------------------------------------------------------- with thousands waiting

EVERY_JOB = {
    "insert": lifecycle.INSERT,
    "join": server_turns.JOIN,
    "first in line": job_queue.FIRST,
    "first of a server": job_queue.FIRST_OF_SERVER,
    "sharers": server_turns.SHARERS,
    "charge": server_turns.CHARGE,
    "claim": job_queue.CLAIM,
    "ends": job_queue.ENDS,
    "settle a turn": job_queue.SETTLE,
    "settle a server's turn": server_turns.SETTLE,
    "ahead": job_queue.OWN_AHEAD,
    "ahead in other servers": job_queue.OTHERS_AHEAD,
    "running": job_queue.RUNNING,
    "weight": role_weights.OF_MEMBER,
    "by message": messages.BY_MESSAGE,
    "terms": terms.TERMS,
    "used": account.USED,
    "bonus": account.BONUS,
    "boosts": boosts.LOTS,
    "the server's ceiling": ceilings.OF_SERVER,
    "the bot's ceiling": ceilings.OF_BOT,
    "settle": account.SETTLE,
    "refund": account.REFUND,
    "given this month": host.GIVEN,
}


def migrated() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    return connection


def values_for(sql: str) -> dict[str, object]:
    return dict.fromkeys(re.findall(r":([a-z_0-9]+)", sql), 1)


@pytest.mark.parametrize("name", EVERY_JOB)
def test_what_happens_for_every_job_reads_no_whole_table(name: str) -> None:
    sql = EVERY_JOB[name]
    with closing(migrated()) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values_for(sql)).fetchall()
    steps = [row[3] for row in rows]
    assert not [step for step in steps if re.match(r"SCAN (jobs|ledger|messages)\b(?!.*USING)", step)]
    assert not [step for step in steps if "TEMP B-TREE" in step]


def test_claiming_walks_the_queue_index() -> None:
    with closing(migrated()) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {job_queue.FIRST}", values_for(job_queue.FIRST)).fetchall()
    assert any("INDEX jobs_queue" in row[3] for row in rows)


FILL = """
WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < :waiting)
INSERT INTO jobs (id, guild_id, channel_id, user_id, action, prompt, request, model, images, price,
    turn, turn_end, nonce, created_at)
SELECT 'job' || n, 1 + n % :servers, 1, n % :people, 'imagine', '', '{}', 'toy', 4, 4, n, n + 4, 'n' || n, 0 FROM many
"""


def instructions(connection: sqlite3.Connection, sql: str, parameters: dict[str, object]) -> int:
    """How many instructions SQLite's virtual machine runs for a statement: a measure without a clock."""
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1

    connection.set_progress_handler(tick, 1)
    connection.execute(sql, parameters).fetchall()
    connection.set_progress_handler(None, 0)
    return count


LOOKS = (
    job_queue.FIRST,
    job_queue.FIRST_OF_SERVER,
    server_turns.SHARERS,
    job_queue.ENDS,
    job_queue.OWN_AHEAD,
    job_queue.OTHERS_AHEAD,
)
CHANGES = (
    lifecycle.INSERT,
    server_turns.JOIN,
    server_turns.CHARGE,
    job_queue.CLAIM,
    job_queue.SETTLE,
    server_turns.SETTLE,
)


def costs(waiting: int, statements: Sequence[str], *, servers: int = 1) -> list[int]:
    """The instructions of each statement while so many wait, ten of each person."""
    with closing(migrated()) as connection:
        people = max(waiting // 10, servers)
        connection.execute(FILL, {"waiting": waiting, "people": people, "servers": servers})
        given = {"id": "job1", "job_id": "job1", "guild_id": 1, "parent_id": None, "request": "{}"}
        given |= {"attempt": None, "window": WINDOW, "number": 1}
        return [
            instructions(connection, sql, values_for(sql) | given | ({"id": "new"} if sql is lifecycle.INSERT else {}))
            for sql in statements
        ]


def test_queueing_and_claiming_cost_the_same_with_ten_thousand_waiting() -> None:
    few, many = costs(100, LOOKS + CHANGES), costs(10_000, LOOKS + CHANGES)
    assert all(after <= before * 1.1 for before, after in zip(few, many, strict=True)), (few, many)


def test_what_two_hundred_servers_add_is_a_step_for_each() -> None:
    one, all_of_them = costs(10_000, CHANGES), costs(10_000, CHANGES, servers=200)
    assert all(after <= before * 1.1 for before, after in zip(one, all_of_them, strict=True)), (
        one,
        all_of_them,
    )
    few, many = costs(8_000, LOOKS[:4], servers=200), costs(20_000, LOOKS[:4], servers=200)
    assert all(after <= before * 1.1 for before, after in zip(few, many, strict=True)), (few, many)


async def test_a_members_waiting_jobs_are_counted_by_an_index(tx: Transaction) -> None:
    rows = await tx.fetch_all(
        "EXPLAIN QUERY PLAN SELECT count(*) FROM jobs WHERE state = 'queued' AND user_id = ?", (1,)
    )
    assert "COVERING INDEX jobs_waiting_of_user" in rows[0]["detail"]
