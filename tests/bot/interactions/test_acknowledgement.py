"""Discord gives a bot three seconds to acknowledge a command: none of ours waits for the database before that."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.client import EaselClient
from tests.bot.features.privacy.people import delete
from tests.world import World, said

PATIENCE = 3
"""Seconds after which the database is let go although nothing was acknowledged, which fails the test."""

WORDS = {"prompt": "a fox", "link": "https://example.org"}


def typed() -> list[tuple[str, dict[str, str]]]:
    """The commands that need no more than words, with these."""
    found = []
    for command in EaselClient().tree.walk_commands():
        if isinstance(command, app_commands.Command):
            needed = {one.name for one in command.parameters if one.required}
            if needed <= set(WORDS):
                found.append((command.qualified_name, {name: WORDS[name] for name in needed}))
    return found


async def acknowledged_while_busy(easel: World, monkeypatch: pytest.MonkeyPatch, act: Any) -> tuple[bool, Any]:
    """Do something while a transaction goes on; whether it was acknowledged before the transaction's end."""
    acknowledged, held, in_time = asyncio.Event(), asyncio.Event(), []

    def watched(name: str) -> Any:
        real = getattr(discord.InteractionResponse, name)

        async def respond(response: Any, *arguments: Any, **options: Any) -> Any:
            answer = await real(response, *arguments, **options)
            acknowledged.set()
            return answer

        return respond

    async def hold() -> None:
        async with easel.services.database.transaction():
            held.set()
            try:
                await asyncio.wait_for(acknowledged.wait(), PATIENCE)
                in_time.append(True)
            except TimeoutError:
                in_time.append(False)

    with monkeypatch.context() as patched:
        for name in ("defer", "send_message", "edit_message"):
            patched.setattr(discord.InteractionResponse, name, watched(name))
        holding = asyncio.create_task(hold())
        await held.wait()
        result = await act()
        await holding
    return in_time == [True], result


@pytest.mark.parametrize(("command", "options"), typed())
async def test_a_command_is_acknowledged_while_the_database_is_busy(
    easel: World, monkeypatch: pytest.MonkeyPatch, command: str, options: dict[str, str]
) -> None:
    in_time, _ = await acknowledged_while_busy(
        easel, monkeypatch, lambda: easel.admin.slash(easel.channel, command, **options)
    )
    assert in_time


async def test_a_button_is_acknowledged_while_the_database_is_busy(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await easel.imagine(easel.ben)
    (grid,) = easel.results()
    in_time, _ = await acknowledged_while_busy(easel, monkeypatch, lambda: easel.press(easel.ben, grid, "U1"))
    assert in_time


async def test_whoever_comes_back_meets_the_ban_from_before_at_their_first_command(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await easel.imagine(easel.ben)
    await easel.told(easel.admin, "admin member ban", who=easel.ben)
    await delete(easel, easel.ben)
    in_time, result = await acknowledged_while_busy(
        easel, monkeypatch, lambda: easel.ben.slash(easel.channel, "imagine", prompt="a fox")
    )
    assert in_time
    assert "may not use Easel" in said(result)
