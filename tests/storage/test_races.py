"""Two hundred commands at once on the last credit: one is accepted, each time, whatever it is the last credit of.

`EASEL_RACES` is the number of rounds; 500 of them take a few minutes.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from storage.credits import account, terms
from storage.credits.account import QuotaExceeded
from storage.credits.calendar import Rate
from storage.credits.ceilings import CeilingReached
from storage.database import Database, Transaction
from tests.storage.samples import ADMIN, ALICE, GUILD, NOON

ROUNDS = int(os.environ.get("EASEL_RACES", "15"))
AT_ONCE = 200


async def reserve(tx: Transaction, job_id: str, user_id: int, allowance: int, bot_ceiling: int | None) -> None:
    await account.reserve(
        tx,
        guild_id=GUILD,
        user_id=user_id,
        job_id=job_id,
        price=1,
        allowance=Rate(allowance),
        now=NOON,
        bot_ceiling=bot_ceiling,
    )


async def race(database: Database, round_: int, *, people: int, allowance: int, bot_ceiling: int | None) -> int:
    """How many of two hundred commands, of so many people, were accepted."""

    async def one(number: int) -> bool:
        try:
            async with database.transaction() as tx:
                who = ALICE + round_ * AT_ONCE + number % people
                await reserve(tx, f"{round_}-{number}", who, allowance, bot_ceiling)
        except (QuotaExceeded, CeilingReached):
            return False
        return True

    return sum(await asyncio.gather(*(one(number) for number in range(AT_ONCE))))


async def test_on_a_members_last_credit(database: Database) -> None:
    for round_ in range(ROUNDS):
        assert await race(database, round_, people=1, allowance=1, bot_ceiling=None) == 1


@pytest.mark.parametrize("whose", ["server", "bot"])
async def test_on_the_last_credit_of_a_server_and_of_the_bot(database: Database, whose: str) -> None:
    for round_ in range(max(1, ROUNDS // 5)):
        if whose == "server":
            async with database.transaction() as tx:
                await terms.set_ceiling(tx, guild_id=GUILD, ceiling=Rate(round_ + 1), actor_id=ADMIN, now=NOON)
        ceiling = round_ + 1 if whose == "bot" else None
        assert await race(database, round_, people=AT_ONCE, allowance=9, bot_ceiling=ceiling) == 1
