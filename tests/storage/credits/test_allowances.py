"""Who gets how many credits in which period, and the record of who changed it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.credits import allowances
from storage.credits.allowances import Allowance
from storage.credits.calendar import Period, Rate
from storage.database import Transaction
from storage.guilds import changes
from storage.guilds.changes import Kind, Subject
from tests.storage.samples import ADMIN, ALICE, BOB, GUILD, NOON

EVERYONE = Subject(kind="everyone")
ARTISTS, PATRONS, MUTED = (Subject(kind="role", id=number) for number in (11, 12, 13))
ONLY_ALICE = Subject(kind="user", id=ALICE)


async def put(tx: Transaction, subject: Subject, credits: int | None, guild: int = GUILD) -> None:
    rate = None if credits is None else Rate(credits)
    await allowances.set_allowance(tx, guild_id=guild, subject=subject, rate=rate, actor_id=ADMIN, now=NOON)


async def get(tx: Transaction, *roles: Subject, user: int = ALICE, guild: int = GUILD) -> int:
    role_ids = [role.id for role in roles]
    found = await allowances.allowance(tx, guild_id=guild, user_id=user, role_ids=role_ids, default=Rate(20))
    return found.credits


async def test_the_nearest_setting_counts_and_of_roles_the_most_generous(tx: Transaction) -> None:
    assert await get(tx, ARTISTS) == 20
    await put(tx, EVERYONE, 50)
    assert await get(tx, ARTISTS) == 50
    await put(tx, MUTED, 0)
    assert await get(tx, MUTED) == 0
    await put(tx, ARTISTS, 30)
    await put(tx, PATRONS, 40)
    assert await get(tx, MUTED, ARTISTS, PATRONS) == 40
    assert await get(tx) == 50
    await put(tx, ONLY_ALICE, 5)
    assert await get(tx, ARTISTS, PATRONS) == 5
    assert await get(tx, ARTISTS, user=BOB) == 30
    assert await get(tx, ARTISTS, guild=GUILD + 1) == 20


async def test_a_role_and_a_user_of_the_same_number_are_different(tx: Transaction) -> None:
    await put(tx, Subject(kind="role", id=ALICE), 1)
    assert await get(tx) == 20


async def test_the_most_generous_role_is_the_one_that_gives_the_most_a_day(tx: Transaction) -> None:
    for subject, rate in (
        (ARTISTS, Rate(10)),
        (PATRONS, Rate(69, Period.WEEK)),
        (MUTED, Rate(299, Period.MONTH)),
    ):
        await allowances.set_allowance(tx, guild_id=GUILD, subject=subject, rate=rate, actor_id=ADMIN, now=NOON)
    found = await allowances.allowance(tx, guild_id=GUILD, user_id=ALICE, role_ids=[11, 12, 13], default=Rate(20))
    assert found == Rate(10)


async def test_a_removed_setting_lets_the_next_one_through(tx: Transaction) -> None:
    await put(tx, EVERYONE, 50)
    await put(tx, ONLY_ALICE, 5)
    await put(tx, ONLY_ALICE, None)
    assert await get(tx) == 50
    await put(tx, EVERYONE, None)
    assert await get(tx) == 20


async def test_all_settings_of_a_guild_are_listed(tx: Transaction) -> None:
    for subject, credits in ((ONLY_ALICE, 1), (PATRONS, 2), (EVERYONE, 3), (EVERYONE, 4)):
        await put(tx, subject, credits)
    await put(tx, EVERYONE, 9, guild=GUILD + 1)
    assert await allowances.allowances(tx, GUILD) == [
        Allowance(subject=EVERYONE, rate=Rate(4)),
        Allowance(subject=PATRONS, rate=Rate(2)),
        Allowance(subject=ONLY_ALICE, rate=Rate(1)),
    ]


async def test_every_change_is_on_record_with_who_and_what(tx: Transaction) -> None:
    later = NOON + timedelta(hours=1)
    await put(tx, PATRONS, 30)
    await put(tx, PATRONS, 40)
    await allowances.set_allowance(tx, guild_id=GUILD, subject=PATRONS, rate=None, actor_id=ALICE, now=later)
    await put(tx, EVERYONE, 1, guild=GUILD + 1)
    made = await changes.latest(tx, GUILD, limit=2)
    assert [(change.kind, change.subject, change.old, change.new) for change in made] == [
        (Kind.ALLOWANCE, PATRONS, "40/day", None),
        (Kind.ALLOWANCE, PATRONS, "30/day", "40/day"),
    ]
    assert [(change.actor_id, change.at) for change in made] == [(ALICE, later), (ADMIN, NOON)]


@pytest.mark.parametrize("credits", [-1, 1_000_001])
async def test_an_allowance_is_bounded(tx: Transaction, credits: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 1,000,000"):
        await put(tx, EVERYONE, credits)
    assert await allowances.allowances(tx, GUILD) == []
    assert await changes.latest(tx, GUILD, limit=9) == []


def test_everyone_is_one_subject_and_other_kinds_are_none() -> None:
    assert Subject(kind="everyone", id=GUILD) == EVERYONE
    with pytest.raises(ValueError, match="channel"):
        Subject(kind="channel", id=1)  # type: ignore[arg-type]
