"""Numbers that people make up reach neither SQLite nor another server's jobs."""

from __future__ import annotations

import re
from typing import Any

import discord
import pytest
from discord.ui.dynamic import DynamicItem
from hypothesis import given
from hypothesis import strategies as st

from bot.connection.snowflakes import ID, INDEX
from bot.errors import BadSheet
from bot.features.admin import _csv as csv
from bot.interactions.buttons import JobButton
from bot.settings.settings import Settings, SettingsError
from tests.world import World, said

TOO_LARGE = [2**63, 2**64, 10**19, 10**30]


@given(st.integers(0, 10**25))
def test_an_id_is_a_whole_number_that_sqlite_keeps(number: int) -> None:
    found = re.fullmatch(ID, str(number))
    assert (found is not None) == (number < 9 * 10**18)
    assert re.match(ID, str(2**63) + str(number)) is None


@pytest.mark.parametrize("number", TOO_LARGE)
async def test_a_link_with_an_id_that_can_be_none_is_refused(easel: World, number: int) -> None:
    guild, channel = easel.guild.id, easel.channel.id
    for link in (f"{guild}/{channel}/{number}", f"{guild}/{number}/5", f"{number}/{channel}/5"):
        told = await easel.told(easel.ben, "report", link=f"https://discord.com/channels/{link}")
        assert "no link to a picture of mine" in told


@pytest.mark.parametrize("number", TOO_LARGE)
def test_a_file_or_a_setting_with_such_an_id_is_refused(number: int, tmp_path: Any) -> None:
    with pytest.raises(BadSheet, match="must be everyone, a member"):
        csv.read_quotas(f"who,credits\n<@{number}>,5\n".encode(), role_ids=[number])
    with pytest.raises(SettingsError, match="EASEL_OWNERS"):
        Settings.load({"EASEL_OWNERS": str(number)}, tmp_path / ".env")


async def test_no_button_is_found_by_a_number_that_is_too_large(easel: World) -> None:
    items: list[type[DynamicItem[Any]]] = [
        JobButton,
        *(item for one in easel.client.features for item in one.items),
    ]
    for item in items:
        pattern = item.__discord_ui_compiled_template__.pattern
        numbers = re.sub(re.escape(ID) + "|" + re.escape(INDEX), "", pattern)
        assert not re.search(r"\[0-9\]|\\d", numbers), f"{item.__name__} takes numbers that can be no id"
    for number in TOO_LARGE:
        for id_ in (f"easel:u:abc:{number}", f"easel-report:1:{number}:5", f"easel-report:1:5:{number}"):
            assert not any(item.__discord_ui_compiled_template__.fullmatch(id_) for item in items)
    assert any(item.__discord_ui_compiled_template__.fullmatch("easel:u:abc:4") for item in items)


async def test_every_number_that_a_command_takes_has_bounds(easel: World) -> None:
    def numbers(options: list[dict[str, Any]]) -> list[dict[str, Any]]:
        inner = [one for option in options for one in numbers(option.get("options", []))]
        return [
            *inner,
            *(one for one in options if one["type"] == discord.AppCommandOptionType.integer.value),
        ]

    found = [
        option
        for command in easel.client.tree.get_commands()
        for option in numbers(command.to_dict(easel.client.tree).get("options", []))
    ]
    assert len(found) > 5
    for option in found:
        assert -(2**53) < option["min_value"] <= option["max_value"] < 2**53, option["name"]


async def test_an_id_of_another_servers_job_is_answered_like_none_at_all(easel: World) -> None:
    other = easel.env.create_guild("Other")
    there = other.create_text_channel("studio")
    dora = other.add_member(easel.env.create_user("dora"))
    await dora.slash(there, "imagine", prompt="a fox")
    (job,) = await _job_ids(easel)
    unknown = await easel.told(easel.ben, "cancel", job="nonsense")
    assert await easel.told(easel.ben, "cancel", job=job) == unknown
    await easel.imagine(easel.cleo, "a fox")
    (mine,) = set(await _job_ids(easel)) - {job}
    assert "Only the person who asked" in await easel.told(easel.ben, "cancel", job=mine)
    assert await easel.told(easel.cleo, "cancel", job=mine) == unknown


@pytest.mark.parametrize("way", ["button", "reaction"])
async def test_nothing_is_done_with_a_job_of_another_server(easel: World, way: str) -> None:
    await easel.imagine(easel.ben, "a fox")
    message = easel.results()[0]
    async with easel.services.database.transaction() as tx:
        await tx.execute("UPDATE jobs SET guild_id = ?", (easel.guild.id + 1,))
    drawn = len(easel.generator.requests)
    for number, (label, emoji) in enumerate((("V1", "🇦"), ("🔄", "🔄"), ("U1", "1️⃣")), start=1):
        if way == "button":
            assert "no longer kept here" in said(await easel.press(easel.ben, message, label))
        else:
            await easel.ben.react(message, emoji)
            await easel.rest()
            told = [letter.content for letter in easel.ben.user.dm_channel.history()]
            assert len(told) == number
            assert all("no longer kept here" in words for words in told)
    assert len(easel.generator.requests) == drawn
    assert easel.results() == [message]


async def _job_ids(easel: World) -> list[str]:
    async with easel.services.database.reading() as tx:
        return [row["id"] for row in await tx.fetch_all("SELECT id FROM jobs", ())]
