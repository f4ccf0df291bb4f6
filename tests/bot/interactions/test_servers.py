"""The host's list of servers, and the share of the GPU that the host gives a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands
from structlog.testing import capture_logs

from storage.jobs import queries
from storage.jobs.job import JobState
from tests.fakes import FakeGenerator
from tests.world import World, said, world

ELSEWHERE = 10**17 + 7
"""A server's id that is nobody's."""

SAID = "this one is not among them"


@pytest.fixture
async def stranger(tmp_path: Path) -> AsyncIterator[World]:
    """A bot in a server that is not on the host's list."""
    async with world(tmp_path, servers=frozenset({ELSEWHERE})) as easel:
        yield easel


async def balance(easel: World) -> list[Any]:
    async with easel.services.database.reading() as tx:
        return [tuple(row) for row in await tx.fetch_all("SELECT user_id, kind FROM ledger")]


VALUES: dict[discord.AppCommandOptionType, Any] = {
    discord.AppCommandOptionType.string: "x",
    discord.AppCommandOptionType.integer: 1,
    discord.AppCommandOptionType.number: 1.0,
    discord.AppCommandOptionType.boolean: True,
}


def options(command: app_commands.Command[Any, ..., Any], easel: World) -> dict[str, Any]:
    """Something for every option that a command needs."""
    values = VALUES | {
        discord.AppCommandOptionType.user: easel.ben,
        discord.AppCommandOptionType.channel: easel.channel,
        discord.AppCommandOptionType.role: easel.vip,
        discord.AppCommandOptionType.mentionable: easel.ben,
        discord.AppCommandOptionType.attachment: ("file", b"x"),
    }
    needed = [one for one in command.parameters if one.required]
    return {one.name: one.choices[0].value if one.choices else values[one.type] for one in needed}


async def test_every_command_in_another_server_says_whom_to_ask(stranger: World) -> None:
    commands = [one for one in stranger.client.tree.walk_commands() if isinstance(one, app_commands.Command)]
    assert len(commands) > 20
    for command in commands:
        given = options(command, stranger)
        words = await stranger.told(stranger.admin, command.qualified_name, **given)
        assert SAID in words, command.qualified_name
        assert str(stranger.guild.id) in words
    assert not stranger.generator.requests
    assert await balance(stranger) == []


async def test_nothing_is_accepted_drawn_or_charged_in_another_server(stranger: World) -> None:
    assert SAID in await stranger.imagine(stranger.ben)
    await stranger.rest()
    assert not stranger.generator.requests
    assert not stranger.messages()
    assert await balance(stranger) == []


async def test_a_server_on_the_list_is_served(tmp_path: Path) -> None:
    async with world(tmp_path / "first") as easel:
        chosen = easel.guild.id  # the simulator gives the same ids each time
    async with world(tmp_path / "second", servers=frozenset({ELSEWHERE, chosen})) as easel:
        assert easel.guild.id == chosen
        assert SAID not in await easel.imagine(easel.ben)
        await easel.rest()
        assert len(easel.results()) == 1


def forbid(easel: World) -> None:
    """Take the server off the list, as a restart with other settings would."""
    object.__setattr__(easel.services.settings, "servers", frozenset({ELSEWHERE}))


async def test_buttons_and_reactions_of_before_say_it_too(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        await easel.rest()
        (result,) = easel.results()
        drawn = len(easel.generator.requests)
        forbid(easel)
        for label in ("V1", "U1", "🔄"):
            assert SAID in said(await easel.press(easel.ben, result, label)), label
        await easel.ben.react(result, "🔄")
        await easel.rest()
        assert len(easel.generator.requests) == drawn
        assert SAID in easel.ben.user.dm_channel.history()[-1].content


async def test_direct_messages_go_on(stranger: World) -> None:
    words = said(await stranger.ben.user.slash("privacy show"))
    assert words
    assert SAID not in words


async def invited(easel: World) -> Any:
    """Invite the bot to a new server. The simulator says "available again" of it, where Discord says "joined"."""
    other = easel.env.create_guild("Other")
    await easel.rest()
    easel.client.dispatch("guild_join", easel.client.get_guild(other.id))
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "discord.py: on_guild_join"))
    return other


async def test_it_leaves_a_server_that_is_not_on_the_list_when_it_is_invited(stranger: World) -> None:
    with capture_logs() as lines:
        other = await invited(stranger)
    assert stranger.client.get_guild(other.id) is None
    (left,) = [line for line in lines if line["event"].startswith("left a server")]
    assert left["guild"] == other.id
    assert stranger.client.get_guild(stranger.guild.id) is not None, "it stays where it was"


async def test_it_stays_where_all_servers_are_allowed(easel: World) -> None:
    other = await invited(easel)
    assert easel.client.get_guild(other.id) is not None


async def test_what_waited_in_a_server_that_left_the_list_is_cancelled_and_paid_back(tmp_path: Path) -> None:
    generator = FakeGenerator(paused=True)
    async with world(tmp_path, generator=generator) as easel:
        for _ in range(3):
            await easel.imagine(easel.ben)
        await easel.rest()
    with capture_logs() as lines:
        async with world(tmp_path, servers=frozenset({ELSEWHERE})) as easel:
            await easel.rest()
            async with easel.services.database.reading() as tx:
                found = await queries.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=9)
                row = await tx.fetch_one("SELECT total(spent) AS spent FROM ledger")
            assert {job.state for job in found} == {JobState.CANCELLED}
            assert len(found) == 3
            assert row is not None
            assert row["spent"] == 0
            assert not easel.generator.requests
            guild_id = easel.guild.id
    named = [line for line in lines if line["event"].startswith("nothing is done in a server")]
    assert guild_id in [line["guild"] for line in named]


async def test_the_host_s_weights_of_servers_are_kept(tmp_path: Path) -> None:
    weights = "SELECT guild_id, weight FROM server_turns WHERE weight <> 1"
    async with (
        world(tmp_path, server_weights=((ELSEWHERE, 2.5),)) as easel,
        easel.services.database.reading() as tx,
    ):
        assert [tuple(row) for row in await tx.fetch_all(weights)] == [(ELSEWHERE, 2.5)]
    async with world(tmp_path) as easel, easel.services.database.reading() as tx:
        assert not await tx.fetch_all(weights)
