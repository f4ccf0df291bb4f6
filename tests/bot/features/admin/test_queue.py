"""Pausing, draining, clearing and cancelling, in a server and everywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bot.features.admin.test_changes import let_everyone_see
from tests.fakes import FakeGenerator
from tests.world import World, said, world


def paused() -> FakeGenerator:
    return FakeGenerator(paused=True)


def make_host(easel: World) -> None:
    """The admin is named in EASEL_OWNERS."""
    services = easel.client.services
    owners = frozenset({easel.admin.id})
    easel.client.services = replace(services, settings=replace(services.settings, owners=owners))


async def test_while_paused_jobs_are_taken_and_wait_also_across_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        told = await easel.told(easel.admin, "admin queue pause", reason="a game evening")
        assert "new jobs are taken and wait" in told
        told = await easel.imagine(easel.ben)
        assert "On its way" in told
        assert "Drawing is paused" in told
        assert not easel.generator.requests
        assert "Drawing is paused" in await easel.told(easel.ben, "queue")
        await easel.restart()
        assert not easel.generator.requests
        assert "goes on" in await easel.told(easel.admin, "admin queue resume")
        await easel.rest()
        assert len(easel.results()) == 1
        assert "nothing to resume" in await easel.told(easel.admin, "admin queue resume")
        page = await easel.told(easel.admin, "admin changes")
        assert "**drawing**: going on → paused (a game evening)" in page


async def test_what_is_being_drawn_is_finished_in_spite_of_a_pause(tmp_path: Path) -> None:
    async with world(tmp_path, generator=paused()) as easel:
        await easel.imagine(easel.ben, "first")
        await easel.imagine(easel.ben, "second")
        await easel.told(easel.admin, "admin queue pause")
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        assert len(easel.results()) == 1
        assert len(easel.generator.requests) == 1


async def test_draining_takes_nothing_new_and_draws_what_waits(tmp_path: Path) -> None:
    async with world(tmp_path, generator=paused()) as easel:
        await easel.imagine(easel.ben, "first")
        await easel.imagine(easel.ben, "second")
        await easel.told(easel.admin, "admin queue drain", reason="moving house")
        told = await easel.imagine(easel.cleo)
        assert "takes no new jobs in this server for now: moving house" in told
        assert "Nothing was charged" in told
        for _ in range(2):
            easel.generator.finish(easel.generator.last)
            await easel.rest()
        assert len(easel.results()) == 2
        assert "takes no new jobs" in said(await easel.press(easel.ben, easel.results()[0], "🔄"))
        await easel.told(easel.admin, "admin queue resume")
        assert "On its way" in await easel.imagine(easel.cleo)


async def test_one_servers_pause_is_not_anothers(easel: World) -> None:
    other = easel.env.create_guild("Other")
    dora = other.add_member(easel.env.create_user("dora"))
    studio = other.create_text_channel("studio")
    await easel.told(easel.admin, "admin queue pause")
    await easel.imagine(easel.ben)
    assert "paused" not in said(await dora.slash(studio, "imagine", prompt="a boat"))
    await easel.rest()
    assert len(easel.generator.requests) == 1
    assert any("a boat" in message.content for message in studio.history())


@pytest.mark.parametrize("command", ["queue pause", "queue drain", "queue resume", "queue clear", "stats", "undo"])
async def test_only_the_host_acts_everywhere(easel: World, command: str) -> None:
    told = await easel.told(easel.admin, f"admin {command}", everywhere=True)
    assert "Only those who run the whole bot" in told
    make_host(easel)
    told = await easel.told(easel.admin, f"admin {command}", everywhere=True)
    assert "Only those who run the whole bot" not in told


async def test_the_host_pauses_and_bans_everywhere(easel: World) -> None:
    make_host(easel)
    other = easel.env.create_guild("Other")
    dora_user = easel.env.create_user("dora")
    dora = other.add_member(dora_user)
    easel.guild.add_member(dora_user)
    studio = other.create_text_channel("studio")
    await easel.told(easel.admin, "admin queue pause", everywhere=True)
    assert "paused" in said(await dora.slash(studio, "imagine", prompt="a boat"))
    assert not easel.generator.requests
    told = await easel.told(easel.admin, "admin queue resume")
    assert "nothing to resume" in told
    assert "paused: jobs wait everywhere" in told
    await easel.told(easel.admin, "admin member ban", who=dora_user, everywhere=True)
    assert "may not use Easel." in said(await dora.slash(studio, "imagine", prompt="a boat"))
    told = await easel.told(easel.admin, "admin member unban", who=dora_user)
    assert "still banned everywhere" in told


async def test_the_host_reads_what_holds_everywhere_and_how_to_end_it(tmp_path: Path) -> None:
    async with world(tmp_path, generator=paused()) as easel:
        make_host(easel)
        for _ in range(2):
            await easel.imagine(easel.ben)
        assert "1 job in all servers cancelled" in await easel.told(easel.admin, "admin queue clear", everywhere=True)
        assert "No job is waiting in all" in await easel.told(easel.admin, "admin queue clear", everywhere=True)
        for command in ("queue pause", "queue drain"):
            told = await easel.told(easel.admin, f"admin {command}", everywhere=True)
            assert "`/admin queue resume everywhere: True`" in told
            assert "`/admin queue resume`" in await easel.told(easel.admin, f"admin {command}")
        told = await easel.told(easel.admin, "admin member ban", who=easel.ben, everywhere=True)
        assert "in any server any more." in told
        assert told.endswith("`/admin member unban everywhere: True` undoes it.")
        told = await easel.told(easel.admin, "admin member unban", who=easel.ben)
        assert told.startswith("There was no such ban to lift, but")
        assert told.endswith("is still banned everywhere: `/admin member unban everywhere: True` undoes that.")


async def test_clearing_cancels_what_waits_and_gives_the_credits_back(tmp_path: Path) -> None:
    async with world(tmp_path, generator=paused()) as easel:
        for number in range(3):
            await easel.imagine(easel.ben, f"boat {number}")
        await easel.imagine(easel.cleo, "a cat")
        assert "1 job of" in await easel.told(easel.admin, "admin queue clear", who=easel.cleo)
        told = await easel.told(easel.admin, "admin queue clear")
        assert "2 jobs cancelled, 8 credits given back" in told
        assert "No job is waiting" in await easel.told(easel.admin, "admin queue clear")
        await easel.rest()
        states = [message.content for message in easel.messages()]
        assert sum("Cancelled by an admin. Your 4 credits came back." in state for state in states) == 3
        assert "36 of 40" in await easel.told(easel.ben, "info")
        assert "40 of 40" in await easel.told(easel.cleo, "info")
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        assert len(easel.results()) == 1


async def test_clearing_leaves_other_servers_alone_and_copes_with_hundreds(tmp_path: Path) -> None:
    async with world(tmp_path, generator=paused(), max_waiting=1000, daily_credits=10_000) as easel:
        other = easel.env.create_guild("Other")
        dora = other.add_member(easel.env.create_user("dora"))
        elsewhere = other.create_text_channel("studio")
        await dora.slash(elsewhere, "imagine", prompt="a boat")
        await dora.slash(elsewhere, "imagine", prompt="a second boat")
        for number in range(120):
            await easel.imagine(easel.ben, f"boat {number}")
        assert "120 jobs cancelled" in await easel.told(easel.admin, "admin queue clear")
        assert "1 being drawn, 1 waiting" in await easel.told(easel.ben, "queue")


async def test_an_admin_cancels_anybodys_job_offered_by_name(tmp_path: Path) -> None:
    async with world(tmp_path, generator=paused()) as easel:
        await easel.imagine(easel.ben, "a fox")
        await easel.imagine(easel.cleo, "a boat")
        offered = await easel.admin.autocomplete(easel.channel, "admin queue cancel", "job", "fox")
        (fox,) = offered
        assert fox["name"].startswith("being drawn: a fox")
        told = await easel.told(easel.admin, "admin queue cancel", job=fox["value"])
        assert "4 credits went back" in told
        await easel.rest()
        assert easel.generator.cancelled == [next(iter(easel.generator.requests))]
        assert "Cancelled by an admin" in easel.messages()[0].content
        assert "40 of 40" in await easel.told(easel.ben, "info")
        assert f"of <@{easel.ben.id}>" in await easel.told(easel.admin, "admin changes")
        assert "no such job" in await easel.told(easel.admin, "admin queue cancel", job=fox["value"])
        assert "no such job" in await easel.told(easel.admin, "admin queue cancel", job="nonsense")


async def test_jobs_of_other_servers_are_out_of_an_admins_reach(tmp_path: Path) -> None:
    async with world(tmp_path, generator=paused()) as easel:
        other = easel.env.create_guild("Other")
        dora = other.add_member(easel.env.create_user("dora"))
        await dora.slash(other.create_text_channel("studio"), "imagine", prompt="a boat")
        assert await easel.admin.autocomplete(easel.channel, "admin queue cancel", "job", "") == []
        job = easel.generator.last.partition(".")[0]
        assert "no such job" in await easel.told(easel.admin, "admin queue cancel", job=job)
        assert easel.generator.cancelled == []


async def test_members_are_offered_no_jobs_of_others(tmp_path: Path) -> None:
    async with world(tmp_path, generator=paused()) as easel:
        await let_everyone_see(easel)
        await easel.imagine(easel.cleo, "a secret")
        assert await easel.ben.autocomplete(easel.channel, "admin queue cancel", "job", "") == []
