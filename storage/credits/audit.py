"""Adds the ledger up a second time, in Python and line by line, and compares it with the balances.

Each check yields sentences about what is wrong. Accounts with numbers below zero are of erased people: they have no
balance, so only their lines are checked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from storage.credits import account as credit_account
from storage.credits.calendar import MAX_CREDITS, Period, Rate, Span, span_of
from storage.credits.terms import terms
from storage.database import Row, Transaction
from storage.timestamps import to_sql

SINCE = 9
"""The first version of the database whose ledger is as it is read here."""

_RATE = Rate(MAX_CREDITS, Period.MONTH)
"""The longest period: what was used in it depends on every rule that shorter ones do."""

_JOBS = """
SELECT jobs.id, jobs.state, jobs.user_id, jobs.price, reserve.spent AS reserved, outcome.kind AS outcome,
    outcome.spent AS back,
    EXISTS (SELECT 1 FROM erasures WHERE user_id IN (jobs.user_id, jobs.cancelled_by)) AS leaving
FROM jobs
LEFT JOIN ledger AS reserve ON reserve.job_id = jobs.id AND reserve.kind = 'reserve'
LEFT JOIN ledger AS outcome ON outcome.job_id = jobs.id AND outcome.kind IN ('settle', 'refund')
"""


@dataclass(slots=True)
class Account:
    """A member's lines, as they were written, and what was carried over from before an erasure."""

    guild_id: int
    user_id: int
    lines: list[Row] = field(default_factory=list)
    carried: list[Row] = field(default_factory=list)


async def check(tx: Transaction, *, now: datetime) -> AsyncIterator[str]:
    """What is wrong with the credits of a database of version `SINCE` or later."""
    lines = await tx.fetch_all("SELECT * FROM ledger NOT INDEXED ORDER BY number")
    moves = await tx.fetch_all("SELECT * FROM boost_moves")
    for fault in (*_job_lines(lines), *_boosts(lines, moves)):
        yield fault
    for row in await tx.fetch_all(_JOBS):
        for fault in _ending(row):
            yield fault
    carried = await tx.fetch_all("SELECT * FROM carried")
    undone = {line["corrects"] for line in lines if line["corrects"] is not None}
    left = _left(moves, lines)
    for account in _accounts(lines, carried):
        async for fault in _balance(tx, account, undone, left, now):
            yield fault


# ------------------------------------------------------------------------------------------------------------ lines


def _job_lines(lines: list[Row]) -> Iterator[str]:
    """Each job has at most one reservation and one outcome, and gives back no more than was set aside."""
    of_job: dict[str, list[Row]] = defaultdict(list)
    for line in lines:
        if line["job_id"] is not None:
            of_job[line["job_id"]].append(line)
    for job_id, its in of_job.items():
        reserved = [line for line in its if line["kind"] == "reserve"]
        ended = [line for line in its if line["kind"] != "reserve"]
        if len(reserved) > 1 or len(ended) > 1:
            yield f"job {job_id} was charged {len(reserved)} times and ended {len(ended)} times"
        for paid, back in zip(reserved[:1], ended[:1], strict=False):
            pools = ("allowance", "boost", "bonus")
            if any(back[pool] > -paid[pool] for pool in pools) or -back["spent"] > paid["spent"]:
                yield f"job {job_id} got more credits back than it had cost"


def _boosts(lines: list[Row], moves: list[Row]) -> Iterator[str]:
    """Lines take no more from a boost than it had, and say what they took."""
    by_number = {line["number"]: line for line in lines}
    for number, left in _left(moves, lines).items():
        if not 0 <= left <= by_number[number]["boost"]:
            yield f"boost {number} of {by_number[number]['boost']} credits has {left} left"
    of_line: dict[int, int] = defaultdict(int)
    for move in moves:
        of_line[move["line"]] += move["credits"]
    for line in lines:
        if line["kind"] in ("reserve", "refund") and line["boost"] != of_line[line["number"]]:
            yield f"line {line['number']} moves {line['boost']} credits of boosts, and {of_line[line['number']]} moved"


def _left(moves: list[Row], lines: list[Row]) -> dict[int, int]:
    """What each boost has left, by the number of its line."""
    left = {line["number"]: int(line["boost"]) for line in lines if line["ends_at"] is not None}
    for move in moves:
        if move["lot"] in left:
            left[move["lot"]] += move["credits"]
    return left


def _ending(job: Row) -> Iterator[str]:
    """A job's price is set aside until it ends, and then spent or given back. Old lines may be folded away."""
    name, state = f"job {job['id']} is {job['state']}", job["state"]
    if job["reserved"] is None:
        if state in ("queued", "running", "finished"):
            yield f"{name} and was never charged"
        return
    if job["reserved"] != job["price"]:
        yield f"job {job['id']} costs {job['price']} and was charged {job['reserved']}"
    match state, job["outcome"]:
        case (("queued" | "running" | "finished"), (None)):
            pass
        case (("queued" | "running" | "finished"), _):
            yield f"{name}, and its credits are spent or given back already"
        case "delivered", None:
            yield f"{name}, and its credits are still set aside"
        case (("failed" | "cancelled"), "refund") if -job["back"] == job["reserved"]:
            pass
        case (("failed" | "cancelled"), _) if not (job["outcome"] is None and job["leaving"]):
            yield f"{name}, and was not paid back"


# --------------------------------------------------------------------------------------------------------- balances


def _accounts(lines: list[Row], carried: list[Row]) -> list[Account]:
    found: dict[tuple[int, int], Account] = {}
    for row in (*lines, *carried):
        key = (row["guild_id"], row["user_id"])
        if row["user_id"] > 0:
            account = found.setdefault(key, Account(*key))
            is_line = "number" in row.keys()  # noqa: SIM118 - a row iterates over its values
            (account.lines if is_line else account.carried).append(row)
    return list(found.values())


async def _balance(
    tx: Transaction, account: Account, undone: set[int], left: dict[int, int], now: datetime
) -> AsyncIterator[str]:
    who = {"guild_id": account.guild_id, "user_id": account.user_id}
    said = await credit_account.balance(tx, **who, allowance=_RATE, now=now)
    span = span_of(Period.MONTH, now, (await terms(tx, account.guild_id)).zone)
    running = [line["number"] for line in account.lines if (line["ends_at"] or 0) > to_sql(now)]
    summed = {
        "bonus credits": (sum(line["bonus"] for line in account.lines), said.bonus),
        "credits of boosts": (sum(max(0, left[number]) for number in running), said.boost),
        "credits used this month": (_used(account, undone, span), said.used),
    }
    name = f"member {account.user_id} of server {account.guild_id}"
    for what, (added, balance) in summed.items():
        if added != balance:
            yield f"{name} has {balance} {what}, and the ledger adds up to {added}"
    if said.bonus < 0:
        yield f"{name} has {said.bonus} bonus credits"


def _used(account: Account, undone: set[int], span: Span) -> int:
    """What was used of the allowance in these days, and neither given back nor forgiven."""
    resets = [line for line in account.lines if line["kind"] == "reset" and line["number"] not in undone]
    back = {line["job_id"]: line["spent"] for line in account.lines if line["kind"] == "refund"}
    used = 0
    for line in account.lines:
        if line["kind"] != "reserve" or line["allowance"] == 0 or not span.first <= line["day"] <= span.last:
            continue
        if not any(one["number"] > line["number"] and one["day"] <= line["day"] for one in resets):
            used += min(-line["allowance"], line["spent"] + back.get(line["job_id"], 0))
    for row in account.carried:
        if span.first <= row["day"] <= span.last and not any(one["day"] <= row["day"] for one in resets):
            used += row["used"]
    return used
