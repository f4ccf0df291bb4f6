"""What the host lets a server's admins give out: however they go about it, members get no more than that."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.virtual_day import InMemory
from storage.credits import account, csv_rows, grants, host
from storage.credits.calendar import Period, Rate
from storage.credits.csv_rows import Row
from storage.credits.host import Host, OverDefault, OverGrants
from storage.database import Transaction
from storage.guilds.changes import EVERYONE, Subject
from tests.storage.samples import ADMIN, ALICE, BOB, CAROL, GUILD, NOON, undo_last

HOST = Host(daily=10, monthly=100)
USUAL = HOST.usual
ALICES = Subject(kind="user", id=ALICE)
NEXT_MONTH = datetime(2026, 4, 1, tzinfo=UTC)


async def give(tx: Transaction, credits: int, subject: Subject = ALICES, **more: Any) -> None:
    values = {"guild_id": GUILD, "actor_id": ADMIN, "reason": "", "now": NOON, "host": HOST}
    await grants.give(tx, subject=subject, credits=credits, **values | more)


async def left(tx: Transaction, now: datetime = NOON, guild_id: int = GUILD) -> int:
    found = await host.budget(tx, HOST, guild_id=guild_id, now=now)
    assert found is not None
    return found.left


async def collect(tx: Transaction, user_id: int, now: datetime = NOON, rate: Rate = USUAL) -> int:
    """What a member has left once gifts are in it."""
    who = {"guild_id": GUILD, "user_id": user_id}
    await grants.collect(tx, **who, role_ids=[], joined_at=None, allowance=rate, now=now, host=HOST)
    return (await account.balance(tx, **who, allowance=rate, now=now)).left


async def spend(
    tx: Transaction, user_id: int, price: int, job_id: str, now: datetime = NOON, rate: Rate = USUAL
) -> None:
    await account.reserve(tx, guild_id=GUILD, user_id=user_id, job_id=job_id, price=price, allowance=rate, now=now)


async def test_no_more_is_given_in_a_month_than_the_host_lets(tx: Transaction) -> None:
    await give(tx, 60)
    await give(tx, 30, Subject(kind="user", id=BOB), ends_at=NOON + timedelta(days=9))
    with pytest.raises(OverGrants) as caught:
        await give(tx, 11)
    assert (caught.value.wanted, caught.value.left, caught.value.most) == (11, 10, 100)
    assert caught.value.resets_at == NEXT_MONTH
    assert await account.bonus_of(tx, guild_id=GUILD, user_id=ALICE) == 60
    await give(tx, 10)
    await give(tx, 100, guild_id=GUILD + 1)
    await give(tx, 100, now=NEXT_MONTH)
    assert await left(tx, NEXT_MONTH) == 0


async def test_without_a_limit_any_number_is_given(tx: Transaction) -> None:
    await give(tx, 900_000, host=Host(daily=10))
    assert await host.budget(tx, Host(daily=10), guild_id=GUILD, now=NOON) is None


async def test_a_gift_to_everyone_counts_for_each_who_takes_it_and_waits_where_too_little_is_left(
    tx: Transaction,
) -> None:
    await give(tx, 40, EVERYONE)
    assert await left(tx) == 100
    assert [await collect(tx, user) for user in (ALICE, BOB, CAROL)] == [50, 50, 10]
    assert await left(tx) == 20
    assert await collect(tx, CAROL, NEXT_MONTH) == 50
    assert await left(tx, NEXT_MONTH) == 60
    with pytest.raises(OverGrants):
        await give(tx, 101, EVERYONE)


async def test_an_undo_gives_back_what_was_not_used(tx: Transaction) -> None:
    await give(tx, 60)
    await spend(tx, ALICE, 10 + 25, "one")
    await undo_last(tx)
    assert await left(tx) == 100 - 25
    await give(tx, 75, EVERYONE)
    assert await collect(tx, BOB) == 85
    await undo_last(tx)
    assert await left(tx) == 75


async def test_what_is_taken_away_is_not_given_back(tx: Transaction) -> None:
    await give(tx, 60)
    await give(tx, -60)
    assert await left(tx) == 40
    await undo_last(tx)
    assert (await left(tx), await account.bonus_of(tx, guild_id=GUILD, user_id=ALICE)) == (40, 60)


async def test_a_reset_counts_as_what_it_forgives_also_once_it_is_undone(tx: Transaction) -> None:
    for job in ("one", "two"):
        await spend(tx, ALICE, 10, job)
        await grants.forgive(
            tx, guild_id=GUILD, subject=ALICES, allowance=Rate(10), actor_id=ADMIN, now=NOON, host=HOST
        )
    assert await left(tx) == 80
    await undo_last(tx)
    assert await left(tx) == 80
    tight = Host(daily=10, monthly=9)
    with pytest.raises(OverGrants):
        await grants.forgive(
            tx, guild_id=GUILD, subject=ALICES, allowance=Rate(10), actor_id=ADMIN, now=NOON, host=tight
        )


async def test_an_import_gives_what_it_adds_or_nothing(tx: Transaction) -> None:
    await give(tx, 50)
    rows = [Row(subject=ALICES, rate=None, bonus=20)]
    rows.append(Row(subject=Subject(kind="user", id=BOB), rate=None, bonus=51))
    values = {"guild_id": GUILD, "actor_id": ADMIN, "now": NOON, "host": HOST}
    with pytest.raises(OverGrants) as caught:
        await csv_rows.apply(tx, rows=rows, **values)
    assert (caught.value.wanted, caught.value.left) == (51, 50)
    with pytest.raises(OverDefault):
        await csv_rows.apply(tx, rows=[Row(subject=EVERYONE, rate=Rate(11))], **values)


@pytest.mark.parametrize(
    ("rate", "allowed"),
    [
        (Rate(10), True),
        (Rate(0), True),
        (Rate(11), False),
        (Rate(10, Period.WEEK), True),
        (Rate(11, Period.WEEK), False),
        (Rate(70, Period.WEEK), False),
        (Rate(300, Period.MONTH), False),
    ],
)
def test_no_allowance_is_above_the_usual_one(rate: Rate, allowed: bool) -> None:
    assert HOST.allows(rate) == allowed
    assert HOST.capped(rate) == (rate if allowed else Rate(10))
    assert Host(daily=10).capped(rate) == rate


# ------------------------------------------------------------------------------------------- admins who want more


class Bank:
    """Members who spend all they can, and admins who give them all they can. `drawn` is what was spent for good."""

    def __init__(self, source: random.Random) -> None:
        self.tx, self.source = InMemory(), source
        self.begun = self.now = datetime(2026, 1, 27, 12, tzinfo=UTC)
        self.rate = USUAL
        self.numbers, self.jobs = itertools.count(), list[str]()

    async def step(self) -> None:
        source, tx = self.source, self.tx
        user = source.choice((ALICE, BOB))
        subject = source.choice((Subject(kind="user", id=user), EVERYONE))
        credits = source.choice((-20, 5, 30, 60, 100))
        match source.randint(0, 9):
            case 0 | 1:
                boost = self.now + timedelta(days=source.randint(1, 40)) if source.random() < 0.4 else None
                await give(tx, credits, subject, now=self.now, ends_at=boost)
            case 2:
                values = {"guild_id": GUILD, "actor_id": ADMIN, "now": self.now, "host": HOST}
                await grants.forgive(tx, subject=subject, allowance=self.rate, **values)
            case 3:
                await undo_last(tx, now=self.now)
            case 4 | 5:
                await self.spend(user)
            case 6 if self.jobs:
                await account.refund(tx, self.jobs.pop(source.randrange(len(self.jobs))), now=self.now)
            case 7:
                rows = [Row(subject=Subject(kind="user", id=user), rate=None, bonus=max(0, credits))]
                values = {"guild_id": GUILD, "actor_id": ADMIN, "now": self.now, "host": HOST}
                await csv_rows.apply(tx, rows=rows, **values)
            case 8:
                self.now += timedelta(hours=source.choice((1, 9, 30)))
            case 9:
                self.rate = HOST.capped(Rate(source.choice((4, 10, 50)), source.choice(list(Period))))

    async def spend(self, user: int) -> None:
        has = await collect(self.tx, user, self.now, self.rate)
        if has:
            job_id = f"job{next(self.numbers)}"
            await spend(self.tx, user, self.source.randint(1, has), job_id, self.now, self.rate)
            self.jobs.append(job_id)

    async def ever_had(self) -> int:
        """What members spent, and what they could spend now."""
        row = await self.tx.fetch_one("SELECT total(spent) AS spent FROM ledger")
        assert row is not None
        return int(row["spent"]) + sum([await collect(self.tx, user, self.now, self.rate) for user in (ALICE, BOB)])

    def due(self) -> int:
        """What the host let them have until now."""
        days = (self.now.date() - self.begun.date()).days + 1
        months = self.now.month - self.begun.month + 1
        return 2 * days * HOST.daily + months * 100


THOROUGH = os.environ.get("EASEL_HYPOTHESIS") == "thorough"


@settings(max_examples=1_000 if THOROUGH else 40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_members_never_get_more_than_the_host_lets_however_admins_go_about_it(source: random.Random) -> None:
    async def whole() -> None:
        bank = Bank(source)
        for _ in range(60):
            try:
                await bank.step()
            except (OverGrants, ValueError):
                continue
            if source.random() < 0.3:
                assert await bank.ever_had() <= bank.due()
        assert await bank.ever_had() <= bank.due()

    asyncio.run(whole())
