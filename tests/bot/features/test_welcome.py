"""The first words in a new server: said once for each time that the bot joins, where it may speak."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import discord
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from tests.world import Clock, World, world

JOINED = timedelta(days=-59, hours=-11)
"""From the clock's beginning to an hour after the simulated server's."""


def new_here() -> Clock:
    clock = Clock()
    clock.moment += JOINED
    return clock


async def test_three_prompts_are_one_press_away(tmp_path: Path) -> None:
    async with world(tmp_path, clock=new_here()) as easel:
        (welcome,) = easel.messages()
        assert "/imagine" in welcome.content
        assert "40 credits a day" in welcome.content
        labels = [button.label for row in welcome.components for button in row.children]  # type: ignore[union-attr]
        assert len(labels) == 3
        await easel.press(easel.ben, welcome, str(labels[0]))
        (grid,) = easel.results()
        assert f"**{labels[0]}** - {easel.ben.mention}" in grid.content
        assert easel.messages()[0].id == welcome.id
        assert "36 of 40" in await easel.told(easel.ben, "info")


async def test_it_is_said_once(tmp_path: Path) -> None:
    async with world(tmp_path, clock=new_here()) as easel:
        easel.guild.create_text_channel("another")
        await easel.rest()
        await easel.restart()
        assert len(easel.messages()) == 1


async def test_a_server_that_it_has_long_been_in_hears_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        easel.guild.create_text_channel("another")
        await easel.rest()
        assert easel.messages() == []


async def test_it_waits_until_it_may_speak_where_everybody_reads(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path, clock=clock) as easel:
        silence(easel, denied=True)
        hidden = easel.guild.create_text_channel(
            "staff",
            overwrites={
                easel.guild.default_role: discord.PermissionOverwrite(view_channel=False),
                easel.guild.roles[easel.env.backend.bot_user.name]: discord.PermissionOverwrite(view_channel=True),
            },
        )
        clock.moment += JOINED
        await easel.rest()
        assert easel.messages() == []
        silence(easel, denied=False)
        await easel.rest()
        assert len(easel.messages()) == 1
        assert hidden.history() == []


def silence(easel: World, *, denied: bool) -> None:
    """Forbid the bot to speak in the channel, or allow it."""
    no = discord.Permissions(send_messages=True).value
    bot = easel.env.backend.bot_user.id
    overwrite = Overwrite(target_id=bot, type=OverwriteType.MEMBER, allow=0 if denied else no, deny=no if denied else 0)
    easel.env.backend.set_overwrite(easel.channel.id, overwrite)


async def test_it_is_said_again_where_the_bot_was_thrown_out_and_comes_back(tmp_path: Path) -> None:
    clock = new_here()
    async with world(tmp_path, clock=clock) as easel:
        clock.move(hours=1)
        backend = easel.env.backend
        bot = backend.guilds[easel.guild.id].members[backend.bot_user.id]
        bot.joined_at = (clock() + timedelta(seconds=-1)).isoformat()
        await easel.restart()
        assert len(easel.messages()) == 2


async def test_a_server_that_the_host_did_not_name_hears_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, clock=new_here(), servers=frozenset((1,))) as easel:
        assert easel.messages() == []
