"""What a host lets a server's admins give out, as admins and members meet it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage.credits import allowances, grants, terms
from storage.credits.calendar import Period, Rate
from storage.credits.host import OverGrants
from storage.guilds.changes import EVERYONE, Subject
from tests.world import World, world


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[World]:
    """A bot whose host lets each server's admins give out 100 credits a month; a day brings 10."""
    async with world(tmp_path, daily_credits=10, monthly_grants=100) as easel:
        yield easel


async def left(easel: World, who: Any) -> str:
    return (await easel.told(who, "info")).partition("\n")[0]


async def test_an_admin_gives_no_more_than_the_host_lets_and_is_told_what_is_left(limited: World) -> None:
    assert "given" in await limited.told(limited.admin, "quota grant", credits=70, who=limited.ben)
    words = await limited.told(limited.admin, "quota grant", credits=31, who=limited.cleo)
    assert "100 credits a month" in words
    assert "30 are left until <t:" in words
    assert "Nothing was given" in words
    assert "bonus" not in await left(limited, limited.cleo)
    assert "30 more of 100" in await limited.told(limited.admin, "quota show")
    await limited.told(limited.admin, "quota undo")
    assert "100 more of 100" in await limited.told(limited.admin, "quota show")
    limited.clock.move(days=31)
    assert "given" in await limited.told(limited.admin, "quota grant", credits=100, who=limited.cleo)


async def test_of_many_admins_who_give_at_once_those_give_for_whom_it_lasts(limited: World) -> None:
    services = limited.services

    async def give(admin_id: int) -> None:
        async with services.database.transaction() as tx:
            await grants.give(
                tx,
                guild_id=limited.guild.id,
                subject=Subject(kind="user", id=limited.ben.id),
                credits=30,
                actor_id=admin_id,
                reason="",
                now=services.clock(),
                host=services.settings.host_credits,
            )

    results = await asyncio.gather(*(give(number) for number in range(1, 41)), return_exceptions=True)
    assert [type(one) for one in results].count(OverGrants) == 37
    assert "90 credits of bonus" in await left(limited, limited.ben)


async def test_a_gift_to_everyone_reaches_as_many_as_the_host_lets(limited: World) -> None:
    await limited.told(limited.admin, "quota grant", credits=60)
    for who, has in ((limited.ben, "60 credits of bonus"), (limited.cleo, "10 of 10")):
        assert has in await left(limited, who)
    assert "bonus" not in await left(limited, limited.cleo)
    limited.clock.move(days=31)
    assert "60 credits of bonus" in await left(limited, limited.cleo)


@pytest.mark.parametrize("per", ["day", "week", "month"])
async def test_no_quota_is_above_the_host_s(limited: World, per: str) -> None:
    words = await limited.told(limited.admin, "quota set", credits=11, per=per)
    assert "more than 10 credits" in words
    assert "Nothing was changed" in words
    assert "from now on" in await limited.told(limited.admin, "quota set", credits=5, per=per)
    assert "5 of 5" in await left(limited, limited.ben)


async def test_nothing_is_made_free(limited: World) -> None:
    words = await limited.told(limited.admin, "quota free", action="vary", free=True)
    assert "nothing can be made free" in words
    assert "costs" in await limited.told(limited.admin, "quota free", action="vary", free=False)


async def imported(easel: World, text: str) -> str:
    return await easel.told(easel.admin, "quota import", file=("quotas.csv", text.encode()))


async def test_an_import_is_held_to_the_same(limited: World) -> None:
    ben, cleo = limited.ben.id, limited.cleo.id
    header = "who,credits,per,bonus\n"
    assert "60 credits" not in await imported(limited, f"{header}<@{ben}>,,,60\n")
    words = await imported(limited, f"{header}<@{ben}>,,,0\n<@{cleo}>,,,41\n")
    assert "40 are left" in words
    assert "60 credits of bonus" in await left(limited, limited.ben)
    assert "more than 10 credits" in await imported(limited, f"{header}everyone,11,day,\n")


async def test_what_was_set_before_the_host_limited_it_is_held_to_it(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=10) as easel:
        await easel.told(easel.admin, "quota set", credits=1000, per="week")
        await easel.told(easel.admin, "quota free", action="imagine", free=True)
        guild_id = easel.guild.id
    async with world(tmp_path, daily_credits=10, monthly_grants=0) as easel:
        assert easel.guild.id == guild_id
        async with easel.services.database.reading() as tx:
            (everyone,) = await allowances.allowances(tx, guild_id)
            assert (everyone.subject, everyone.rate) == (EVERYONE, Rate(1000, Period.WEEK))
            assert (await terms.terms(tx, guild_id)).free == {"imagine"}
        assert "10 of 10" in await left(easel, easel.ben)
        models = await easel.told(easel.ben, "models")
        assert "free" not in models.lower()
        assert "0 are left" in await easel.told(easel.admin, "quota grant", credits=1, who=easel.ben)


async def test_without_a_limit_all_is_as_before(easel: World) -> None:
    assert "given" in await easel.told(easel.admin, "quota grant", credits=900_000, who=easel.ben)
    assert "from now on" in await easel.told(easel.admin, "quota set", credits=900_000)
    assert "Whoever runs this bot" not in await easel.told(easel.admin, "quota show")
