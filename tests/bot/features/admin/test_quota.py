"""Credits: what members may spend, what admins change by command, and what can't be raced."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from unittest.mock import AsyncMock

import discord
import pytest
from aiohttp import ClientConnectionError

from bot.errors import OverQuota
from bot.jobs import orders, prompts
from storage.credits import allowances, calendar, ledger
from storage.guilds.changes import Subject
from tests.fakes import FakeGenerator
from tests.world import World, said, world


async def test_over_quota_is_told_privately_with_what_is_left_and_when_more_comes(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=5) as easel:
        await easel.imagine(easel.ben)
        result = await easel.ben.slash(easel.channel, "imagine", prompt="a fox")
        assert result.ephemeral
        told = await easel.imagine(easel.ben)
        assert "costs 4 credits" in told
        assert "you have 1 left (a day brings 5)" in told
        assert "<t:" in told
        assert len(easel.results()) == 1
        assert "1 credit" in await easel.imagine(easel.ben, "a fox --count 1")


async def test_the_day_brings_the_credits_back(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=4) as easel:
        await easel.imagine(easel.ben)
        assert "0 of 4" in await easel.told(easel.ben, "info")
        easel.clock.move(days=1)
        assert "4 of 4" in await easel.told(easel.ben, "info")


@pytest.mark.parametrize(
    ("command", "options"),
    [("quota show", {}), ("quota set", {"credits": 9}), ("quota grant", {"credits": 9}), ("quota reset", {})],
)
async def test_only_admins_change_quotas_whatever_discord_lets_through(
    easel: World, command: str, options: dict[str, int]
) -> None:
    (group,) = [one for one in await easel.client.tree.fetch_commands() if one.name == "quota"]
    easel.guild.set_command_permissions(group, {easel.guild.default_role: True})
    assert "Manage Server" in await easel.told(easel.ben, command, **options)
    assert "everyone: 40" in await easel.told(easel.admin, "quota show")


async def test_an_admin_sets_a_members_a_roles_and_everyones_quota(easel: World) -> None:
    vip = easel.guild.add_member(easel.env.create_user("vip"), roles=[easel.vip])
    await easel.told(easel.admin, "quota set", credits=8)
    await easel.told(easel.admin, "quota set", credits=100, who=easel.vip)
    assert "8 credits a day" in await easel.told(easel.admin, "quota set", credits=8, who=easel.cleo)
    await easel.told(easel.admin, "quota set", credits=2, who=easel.cleo)
    assert "8 of 8" in await easel.told(easel.ben, "info")
    assert "100 of 100" in await easel.told(vip, "info")
    assert "2 of 2" in await easel.told(easel.cleo, "info")
    page = await easel.told(easel.admin, "quota show")
    assert "everyone: 8" in page
    assert f"<@&{easel.vip.id}>: 100" in page
    assert f"{easel.admin.mention}: set for {easel.cleo.mention}, 8 a day → 2 a day" in page
    await easel.told(easel.admin, "quota set", who=easel.cleo)
    assert "8 of 8" in await easel.told(easel.cleo, "info")


async def test_a_grant_is_used_after_the_days_credits_and_stays(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=4) as easel:
        await easel.told(easel.admin, "quota grant", credits=6, who=easel.ben, reason="contest")
        await easel.imagine(easel.ben)
        assert "0 of 4 credits left today** and 6 credits of bonus" in await easel.told(easel.ben, "info")
        await easel.imagine(easel.ben)
        assert "2 credits of bonus" in await easel.told(easel.ben, "info")
        page = await easel.told(easel.admin, "quota show", who=easel.ben)
        assert "contest" in page
        assert easel.admin.mention in page


async def test_a_grant_to_a_role_says_that_it_reaches_later_members(easel: World) -> None:
    told = await easel.told(easel.admin, "quota grant", credits=500, who=easel.vip)
    assert "Who gets the role later gets them too; `/quota undo` takes all of it back." in told
    told = await easel.told(easel.admin, "quota grant", credits=5, who=easel.vip, days=7)
    assert "too until then" in told
    easel.clock.move(days=300)
    dora = easel.guild.add_member(easel.env.create_user("dora"), roles=[easel.vip])
    assert "and 500 credits of bonus" in await easel.told(dora, "info")
    assert "later" not in await easel.told(easel.admin, "quota grant", credits=5)


async def test_a_grant_to_a_role_reaches_its_members_once(easel: World) -> None:
    vip = easel.guild.add_member(easel.env.create_user("vip"), roles=[easel.vip])
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.vip)
    for _ in range(2):
        assert "5 credits of bonus" in await easel.told(vip, "info")
    assert "bonus" not in await easel.told(easel.ben, "info")


async def test_a_grant_to_everyone_reaches_even_those_never_seen_before(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5)
    assert "5 credits of bonus" in await easel.told(easel.cleo, "info")


@pytest.mark.parametrize("everyone", [True, False])
async def test_a_reset_gives_back_what_was_used_today(tmp_path: Path, everyone: bool) -> None:
    async with world(tmp_path, daily_credits=4) as easel:
        await easel.imagine(easel.ben)
        await easel.told(easel.admin, "quota reset", **({} if everyone else {"who": easel.ben}))
        assert "4 of 4" in await easel.told(easel.ben, "info")
        await easel.imagine(easel.ben)
        assert "0 of 4" in await easel.told(easel.ben, "info")


async def test_more_can_not_be_taken_than_was_given(easel: World) -> None:
    assert "Only 0 bonus credits" in await easel.told(easel.admin, "quota grant", credits=-3, who=easel.ben)
    assert "one member at a time" in await easel.told(easel.admin, "quota grant", credits=-3)


async def test_an_order_at_the_same_moment_can_not_overspend(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True), daily_credits=4, max_waiting=1000) as easel:
        services = easel.services
        who = easel.requester(easel.ben, interaction_id=None)
        draft = orders.imagine(
            prompts.parse("a fox"),
            catalogue=services.catalogue,
            default_model="easel",
            images=4,
            random=services.random,
        )

        async def race() -> list[object]:
            return await asyncio.gather(*(easel.accept(draft, who) for _ in range(200)), return_exceptions=True)

        results = await race()
        refused = [result for result in results if isinstance(result, OverQuota)]
        assert len(refused) == 199
        async with services.database.reading() as tx:
            lines = await ledger.history(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=999)
        assert [line.kind for line in lines] == [ledger.Entry.RESERVE]


async def test_the_servers_quotas_fit_into_a_message_however_many_there_are(easel: World) -> None:
    for number in range(120):
        async with easel.services.database.transaction() as tx:
            await allowances.set_allowance(
                tx,
                guild_id=easel.guild.id,
                subject=Subject(kind="user", id=10**17 + number),
                rate=calendar.Rate(5),
                actor_id=easel.admin.id,
                now=easel.clock(),
            )
    page = await easel.told(easel.admin, "quota show")
    assert len(page) <= 2000
    assert page.startswith("**Latest changes**")
    assert re.search(r"… and \d+ more$", page)


async def test_admins_reach_those_who_left_by_their_ids(easel: World) -> None:
    await easel.imagine(easel.cleo)
    easel.guild.remove_member(easel.cleo)
    await easel.rest()
    gone = easel.cleo.user
    assert "35" in await easel.told(easel.admin, "quota set", credits=35, who=gone)
    assert "31 of 35" in await easel.told(easel.admin, "quota show", who=gone)
    assert f"<@{easel.cleo.id}>" in await easel.told(easel.admin, "quota reset", who=gone)
    assert "can use Easel again" in await easel.told(easel.admin, "admin member pardon", who=gone)


async def test_an_import_that_discord_does_not_send_changes_nothing(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.Attachment, "read", AsyncMock(side_effect=ClientConnectionError("reset")))
    file = ("quotas.csv", b"who,credits\neveryone,9")
    words = said(await easel.admin.slash(easel.channel, "quota import", file=file))
    assert "Discord did not send it" in words
    assert "Nothing was changed" in words
