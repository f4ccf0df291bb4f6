"""Who comes back after deleting their data starts anew, and gains nothing by it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.features.privacy import _retention as retention
from storage.guilds import bans
from storage.guilds.bans import Ban
from storage.moderation import strikes
from tests.bot.features.privacy.people import SECRET, delete, traces
from tests.world import World, world


async def test_deleting_brings_no_new_credits_today(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=10) as easel:
        await easel.imagine(easel.ben)
        for _ in range(2):
            await delete(easel, easel.ben)
            assert traces(tmp_path, easel.ben.id) == []
            assert "6 of 10 credits left today" in await easel.told(easel.ben, "info")
        easel.live(days=1)
        assert "10 of 10" in await easel.told(easel.ben, "info")


async def test_a_weekly_allowance_is_not_escaped_either_and_a_reset_still_helps(easel: World) -> None:
    await easel.told(easel.admin, "quota set", credits=10, per="week", who=easel.ben)
    await easel.imagine(easel.ben)
    await delete(easel, easel.ben)
    easel.live(days=3)  # from a Sunday on
    await easel.imagine(easel.ben)
    easel.live(days=1)
    await delete(easel, easel.ben)
    await retention.prune(easel.services)
    assert "6 of 10" in await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "quota reset", who=easel.ben)
    assert "10 of 10" in await easel.told(easel.ben, "info")
    await delete(easel, easel.ben)
    assert "10 of 10" in await easel.told(easel.ben, "info")


async def test_a_ban_is_not_escaped(easel: World) -> None:
    async with easel.services.database.transaction() as tx:
        new = Ban(
            guild_id=easel.guild.id,
            user_id=easel.ben.id,
            actor_id=easel.admin.id,
            reason="",
            at=easel.clock(),
        )
        await bans.ban(tx, new)
    await delete(easel, easel.ben)
    assert traces(easel.services.database.folder, easel.ben.id) == []
    assert "may not use Easel" in await easel.imagine(easel.ben)


async def test_the_spent_amount_is_forgotten_when_its_day_is_over(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        await delete(easel, easel.ben)
        easel.live(days=2)
        await retention.prune(easel.services)
        async with easel.services.database.reading() as tx:
            assert await tx.fetch_all("SELECT * FROM carried") == []


async def test_a_gift_is_not_taken_twice_nor_an_allowance_escaped(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5)
    await easel.told(easel.admin, "quota set", credits=2, who=easel.ben)
    assert "2 of 2 credits left today** and 5 credits of bonus" in await easel.told(easel.ben, "info")
    await delete(easel, easel.ben)
    assert traces(easel.services.database.folder, easel.ben.id) == []
    page = await easel.told(easel.ben, "info")
    assert "2 of 2 credits left today" in page
    assert "bonus" not in page


async def test_an_unban_reaches_somebody_who_deleted_their_data(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.told(easel.admin, "admin member ban", who=easel.ben)
    await delete(easel, easel.ben)
    assert "may use Easel again" in await easel.told(easel.admin, "admin member unban", who=easel.ben)
    assert "On its way" in await easel.imagine(easel.ben)


async def test_a_pardon_reaches_somebody_who_deleted_their_data(easel: World) -> None:
    await easel.imagine(easel.ben)
    async with easel.services.database.transaction() as tx:
        until = easel.clock() + timedelta(minutes=9)
        await strikes.time_out(tx, guild_id=easel.guild.id, user_id=easel.ben.id, until=until)
    await delete(easel, easel.ben)
    await easel.told(easel.admin, "admin member pardon", who=easel.ben)
    assert "On its way" in await easel.imagine(easel.ben)


@pytest.mark.parametrize("remedy", ["undo", "set"])
async def test_a_quota_set_by_mistake_can_be_taken_back_from_somebody_who_deleted_their_data(
    easel: World, remedy: str
) -> None:
    usual = await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "quota set", credits=100_000, who=easel.ben)
    await delete(easel, easel.ben)
    if remedy == "undo":
        told = await easel.told(easel.admin, "quota undo")
        assert "Undone: the quota of somebody who deleted their data is the default again" in told
    else:
        await easel.told(easel.admin, "quota set", who=easel.ben)
    assert "somebody who deleted their data: " not in await easel.told(easel.admin, "quota show")
    assert traces(easel.services.database.folder, easel.ben.id) == [], "nor does that write who it is"
    assert await easel.told(easel.ben, "info") == usual


async def test_what_is_set_for_somebody_who_deleted_their_data_can_be_undone_step_by_step(
    easel: World,
) -> None:
    usual = await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "quota set", credits=30, who=easel.ben)
    await delete(easel, easel.ben)
    await easel.told(easel.admin, "quota set", credits=9, who=easel.ben)
    assert "of 9 " in await easel.told(easel.admin, "quota show", who=easel.ben)
    await easel.told(easel.admin, "quota undo")
    assert "of 30 " in await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "quota undo")
    assert await easel.told(easel.ben, "info") == usual


async def test_a_look_at_somebodys_credits_writes_nothing_of_them(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5)
    assert "5 credits of bonus" in await easel.told(easel.admin, "quota show", who=easel.cleo)
    folder = easel.services.database.folder
    assert traces(folder, easel.cleo.id) == [], "she never used Easel"
    await easel.imagine(easel.ben)
    await delete(easel, easel.ben)
    page = await easel.told(easel.admin, "quota show", who=easel.ben)
    assert "bonus" not in page, "the gift was taken"
    assert page.split(": ", 1)[1].splitlines()[0] in await easel.told(easel.ben, "info")
    assert "bonus" not in await easel.told(easel.ben, "info")


async def test_who_comes_back_starts_anew(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    await delete(easel, easel.ben)
    assert SECRET not in await easel.told(easel.ben, "info")
    await easel.imagine(easel.ben, "a fox")
    assert "1 job with" in await easel.told(easel.ben, "privacy show")
