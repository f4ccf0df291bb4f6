"""Weeks and months, boosts, the server's time zone, ceilings, free actions and undo, as admins and members meet them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
from discord.utils import format_dt

from bot.errors import OverCeiling, OverQuota
from bot.jobs import orders, prompts
from bot.jobs.requester import Requester
from tests.fakes import FakeGenerator
from tests.world import World, world


async def test_a_weeks_credits_come_back_on_monday(easel: World) -> None:
    assert "10 credits a week" in await easel.told(easel.admin, "quota set", credits=10, who=easel.ben, per="week")
    await easel.imagine(easel.ben)
    monday = format_dt(datetime(2026, 3, 2, tzinfo=UTC), "R")
    assert f"6 of 10 credits left this week**. The week's credits come back {monday}" in await easel.told(
        easel.ben, "info"
    )
    easel.clock.move(hours=13)
    assert "10 of 10 credits left this week" in await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "quota set", credits=3, who=easel.ben, per="month")
    assert "you have 0 left (a month brings 3)" in await easel.imagine(easel.ben)


async def test_a_boost_is_told_with_its_end_and_is_gone_after_it(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=4) as easel:
        told = await easel.told(easel.admin, "quota grant", credits=6, who=easel.ben, days=2, reason="a contest")
        end = format_dt(datetime(2026, 3, 3, 12, tzinfo=UTC), "R")
        assert f"boost of 6 credits given to {easel.ben.mention}. What is left of it ends {end}" in told
        for _ in range(2):
            await easel.imagine(easel.ben)
        assert f"0 of 4 credits left today** and a boost of 2 credits that ends {end}" in await easel.told(
            easel.ben, "info"
        )
        easel.clock.move(days=2)
        assert "4 of 4 credits left today**." in await easel.told(easel.ben, "info")
        page = await easel.told(easel.admin, "quota show", who=easel.ben)
        assert "a boost ended -2" in page
        assert "granted +6 until" in page
        assert "a contest" in page


async def test_the_day_begins_at_midnight_of_the_servers_time_zone(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=4) as easel:
        told = await easel.told(easel.admin, "quota timezone", zone="asia/tokyo")
        midnight = format_dt(datetime(2026, 3, 1, 15, tzinfo=UTC), "R")
        assert f"midnight in Asia/Tokyo from now on. The next day begins {midnight}" in told
        await easel.imagine(easel.ben)
        assert f"come back {midnight}" in await easel.told(easel.ben, "info")
        easel.clock.move(hours=3)
        assert "4 of 4" in await easel.told(easel.ben, "info")
        assert "no time zone `Mars`" in await easel.told(easel.admin, "quota timezone", zone="Mars")
        assert "midnight in Asia/Tokyo" in await easel.told(easel.admin, "quota show")


async def test_time_zones_are_completed(easel: World) -> None:
    choices = await easel.admin.autocomplete(easel.channel, "quota timezone", "zone", "berl")
    assert "Europe/Berlin" in [choice["value"] for choice in choices]


async def test_a_server_at_its_ceiling_draws_for_nobody_until_the_period_is_over(easel: World) -> None:
    told = await easel.told(easel.admin, "quota ceiling", credits=6)
    assert "whole server may spend 6 credits a day" in told
    await easel.imagine(easel.ben)
    told = await easel.imagine(easel.cleo)
    assert "this server as a whole may spend 2 more at present" in told
    assert "Nothing was charged" in told
    assert "40 of 40" in await easel.told(easel.cleo, "info")
    await easel.told(easel.admin, "quota ceiling")
    assert "costs 4 credits" in await easel.imagine(easel.cleo)


async def test_the_hosts_ceiling_holds_for_the_whole_bot(tmp_path: Path) -> None:
    async with world(tmp_path, daily_ceiling=6) as easel:
        await easel.imagine(easel.ben)
        assert "all servers of this bot together may spend 2 more" in await easel.imagine(easel.cleo)
        easel.clock.move(days=1)
        assert "costs 4 credits" in await easel.imagine(easel.cleo)


async def test_an_action_that_the_server_made_free_costs_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=4) as easel:
        await easel.imagine(easel.ben)
        assert "`vary` is free" in await easel.told(easel.admin, "quota free", action="vary", free=True)
        assert "Free in this server: vary" in await easel.told(easel.ben, "models")
        await easel.press(easel.ben, easel.results()[0], "V1")
        await easel.rest()
        assert len(easel.results()) == 2
        assert "costs 4 credits" in await easel.imagine(easel.ben)
        await easel.told(easel.admin, "quota free", action="vary", free=False)
        assert "Free" not in await easel.told(easel.ben, "models")
        assert "price of vary, free → costs" in await easel.told(easel.admin, "quota show")


async def test_periods_are_offered_in_ordinary_letters(easel: World) -> None:
    (group,) = [one for one in await easel.client.tree.fetch_commands() if one.name == "quota"]
    for name in ("set", "ceiling"):
        (command,) = [one for one in group.options if one.name == name]
        (per,) = [one for one in command.options if one.name == "per"]  # type: ignore[union-attr]
        assert [choice.name for choice in per.choices] == ["day", "week", "month"]


async def test_a_boosts_end_is_told_as_a_date_and_everything_left_as_a_list(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=30, who=easel.ben, days=7)
    await easel.told(easel.admin, "quota grant", credits=3, who=easel.ben)
    end = int((easel.clock() + timedelta(days=7)).timestamp())
    assert f"0 → 30 until <t:{end}:D>" in await easel.told(easel.admin, "quota show")
    page = await easel.told(easel.admin, "quota show", who=easel.ben)
    assert f"left today**, a boost of 30 credits that ends <t:{end}:R> and 3 credits of bonus." in page
    assert f"granted +30 until <t:{end}:D>" in page


async def test_another_admins_change_is_named_before_it_is_undone(easel: World) -> None:
    admins = easel.guild.create_role("Admins too", permissions=discord.Permissions(manage_guild=True))
    olga = easel.guild.add_member(easel.env.create_user("olga"), roles=[admins])
    await easel.told(olga, "quota set", credits=9)
    told = await easel.told(easel.admin, "quota undo")
    assert "Nothing was undone" in told
    assert f"{olga.mention}'s" in told
    assert "set for everyone, default → 9 a day. `/quota undo others: True`" in told
    assert "everyone: 9 a day" in await easel.told(easel.admin, "quota show")
    told = await easel.told(easel.admin, "quota undo", others=True)
    assert f"Undone: the quota of everyone is the default again. {olga.mention} had changed it" in told
    assert "everyone: 40 a day" in await easel.told(easel.admin, "quota show")


async def test_an_admin_takes_changes_back_one_by_one(easel: World) -> None:
    assert "nothing to undo" in await easel.told(easel.admin, "quota undo")
    await easel.told(easel.admin, "quota set", credits=9)
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben)
    told = await easel.told(easel.admin, "quota undo")
    assert told == f"Undone: the grant of 5 credits to {easel.ben.mention} is withdrawn."
    assert "bonus" not in await easel.told(easel.ben, "info")
    assert await easel.told(easel.admin, "quota undo") == "Undone: the quota of everyone is the default again."
    assert "40 of 40" in await easel.told(easel.ben, "info")
    page = await easel.told(easel.admin, "quota show")
    assert f"{easel.admin.mention}: undo of set for everyone, default → 9 a day" in page


async def test_what_was_spent_of_a_grant_can_not_be_taken_back(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=0) as easel:
        await easel.told(easel.admin, "quota grant", credits=5)
        await easel.imagine(easel.ben)
        told = await easel.told(easel.admin, "quota undo")
        assert "4 credits of it had been spent before" in told
        assert "you have 0 left" in await easel.imagine(easel.ben)
        assert "you have 0 left" in await easel.imagine(easel.cleo)


async def test_a_members_history_is_read_page_by_page(easel: World) -> None:
    for number in range(12):
        await easel.told(easel.admin, "quota grant", credits=number + 1, who=easel.ben)
    first = await easel.told(easel.admin, "quota show", who=easel.ben)
    assert "granted +12" in first
    assert first.endswith("-# Page 1 of 2. `page: 2` has earlier lines.")
    second = await easel.told(easel.admin, "quota show", who=easel.ben, page=2)
    assert "granted +1 by" in second
    assert second.endswith("-# Page 2 of 2.")
    assert await easel.told(easel.admin, "quota show", who=easel.ben, page=99) == second


async def test_the_role_that_the_server_chose_may_change_quotas(easel: World) -> None:
    (group,) = [one for one in await easel.client.tree.fetch_commands() if one.name == "quota"]
    easel.guild.set_command_permissions(group, {easel.guild.default_role: True})
    helper = easel.guild.add_member(easel.env.create_user("helper"), roles=[easel.vip])
    assert "Manage Server" in await easel.told(helper, "quota set", credits=9)
    await easel.told(easel.admin, "admin role", role=easel.vip)
    assert "9 credits a day" in await easel.told(helper, "quota set", credits=9)


@pytest.mark.parametrize("ceiling", [False, True])
async def test_of_two_hundred_orders_at_once_on_the_last_credits_one_is_accepted(tmp_path: Path, ceiling: bool) -> None:
    limits = {"daily_ceiling": 4} if ceiling else {"daily_credits": 4}
    async with world(tmp_path, generator=FakeGenerator(paused=True), max_waiting=1000, **limits) as easel:
        services = easel.services
        people = [easel.ben, easel.cleo] if ceiling else [easel.ben]
        draft = orders.imagine(
            prompts.parse("a fox"),
            catalogue=services.catalogue,
            default_model="easel",
            images=4,
            random=services.random,
        )
        whose = [
            Requester(
                user_id=one.id,
                guild_id=easel.guild.id,
                channel_id=easel.channel.id,
                role_ids=(),
                joined_at=None,
                interaction_id=None,
            )
            for one in people
        ]
        for _ in range(3):
            results = await asyncio.gather(
                *(easel.accept(draft, whose[number % len(whose)]) for number in range(200)),
                return_exceptions=True,
            )
            assert [type(one) for one in results].count(OverCeiling if ceiling else OverQuota) == 199
            easel.clock.move(days=1)


async def test_every_undo_of_credits_says_what_holds_now(easel: World) -> None:
    ben, vip = easel.ben.mention, f"<@&{easel.vip.id}>"
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("set", {"credits": 9, "who": easel.ben}, f"the quota of {ben} is the default again"),
        ("set", {"credits": 7, "who": easel.ben, "per": "week"}, f"the quota of {ben} is 9 a day again"),
        ("set", {"who": easel.ben}, f"the quota of {ben} is 7 a week again"),
        ("grant", {"credits": 5, "who": easel.ben}, f"the grant of 5 credits to {ben} is withdrawn"),
        (
            "grant",
            {"credits": -3, "who": easel.ben},
            f"the 3 credits of bonus taken from {ben} are theirs again",
        ),
        (
            "grant",
            {"credits": 1, "who": easel.ben, "days": 2},
            f"the boost of 1 credit to {ben} is withdrawn",
        ),
        (
            "grant",
            {"credits": 5, "who": easel.vip},
            f"the grant of 5 credits to {vip} is withdrawn, and nobody gets it any more",
        ),
        ("reset", {"who": easel.ben}, f"what {ben} used counts again"),
        ("reset", {}, "what everyone used counts again"),
        ("timezone", {"zone": "Europe/Berlin"}, "days, weeks and months begin at midnight in UTC again"),
        ("ceiling", {"credits": 100, "per": "week"}, "the server as a whole has no ceiling any more"),
        ("ceiling", {"credits": 90}, "the ceiling of the server is 100 a week again"),
        ("free", {"action": "vary", "free": True}, "`vary` costs what its model costs again"),
        ("free", {"action": "vary", "free": False}, "`vary` is free again"),
    ]
    for command, options, _ in steps:
        await easel.told(easel.admin, f"quota {command}", **options)
    for _, _, state in reversed(steps):
        assert await easel.told(easel.admin, "quota undo") == f"Undone: {state}."
    assert "nothing to undo" in await easel.told(easel.admin, "quota undo")
