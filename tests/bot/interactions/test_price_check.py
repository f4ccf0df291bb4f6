"""What a button costs stands under the picture before anybody presses it, and stays true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import FakeGenerator
from tests.world import World, said, world


async def free(easel: World, action: str, *, free: bool = True) -> None:
    await easel.told(easel.admin, "quota free", action=action, free=free)


async def test_grids_and_single_pictures_say_what_their_buttons_cost(easel: World) -> None:
    await easel.imagine(easel.ben, "a fox --count 2")
    assert easel.messages()[-1].content.endswith("\n-# Credits: Vary 2 · 🔄 2")
    await easel.press(easel.ben, easel.messages()[-1], "U1")
    assert easel.messages()[-1].content.endswith("\n-# Credits: Vary 2 · 🔄 2")


async def test_the_line_names_what_is_free_and_goes_where_nothing_costs(easel: World) -> None:
    await free(easel, "vary")
    await easel.imagine(easel.ben)
    assert easel.results()[-1].content.endswith("\n-# Credits: Vary free · 🔄 4")
    await free(easel, "reroll")
    await easel.imagine(easel.ben)
    assert "Credits" not in easel.results()[-1].content


@pytest.mark.parametrize("reaction", [False, True])
async def test_nobody_pays_a_price_that_the_message_did_not_say(easel: World, reaction: bool) -> None:
    async def vary() -> str:
        if not reaction:
            return said(await easel.press(easel.cleo, easel.results()[0], "V1"))
        await easel.cleo.react(easel.results()[0], "🇦")
        await easel.rest()
        letters = easel.cleo.user.dm_channel.history() if easel.cleo.user.dm_channel else []
        return letters[-1].content if letters else ""

    await free(easel, "vary")
    await easel.imagine(easel.ben)
    await free(easel, "vary", free=False)
    told = await vary()
    assert "that costs 4 credits now. Press again to go on. Nothing was charged." in told
    assert len(easel.results()) == 1
    assert easel.results()[0].content.endswith("\n-# Credits: Vary 4 · 🔄 4")
    assert f"<@{easel.ben.id}>" in easel.results()[0].content
    if reaction:
        await easel.cleo.unreact(easel.results()[0], "🇦")
    await vary()
    assert len(easel.results()) == 2
    assert "36 of 40" in await easel.told(easel.cleo, "info")


async def test_a_price_that_did_not_change_or_fell_stops_nobody(easel: World) -> None:
    await easel.imagine(easel.ben)
    await free(easel, "vary")
    await easel.press(easel.cleo, easel.results()[0], "🔄")
    assert easel.results()[0].content.endswith("\n-# Credits: Vary free · 🔄 4")
    await free(easel, "vary", free=False)
    await free(easel, "reroll")
    await easel.press(easel.cleo, easel.results()[0], "🔄")
    assert easel.results()[0].content.endswith("\n-# Credits: Vary 4 · 🔄 free")
    assert len(easel.results()) == 3
    assert "36 of 40" in await easel.told(easel.cleo, "info")


async def test_a_price_that_the_host_changed_is_told_first(tmp_path: Path) -> None:
    models = tmp_path / "models.toml"
    text = (Path(__file__).parents[3] / "models.toml").read_text(encoding="utf-8")
    models.write_text(text, encoding="utf-8")
    async with world(tmp_path / "data", models=models) as easel:
        await easel.imagine(easel.ben, "a boat")
        before, _, after = text.partition('key = "easel"')
        models.write_text(before + 'key = "easel"\nprices = { reroll = 2 }' + after, encoding="utf-8")
        await easel.restart(FakeGenerator())
        assert "costs 8 credits now" in said(await easel.press(easel.ben, easel.results()[0], "🔄"))
        await easel.press(easel.ben, easel.results()[0], "🔄")
        assert "28 of 40" in await easel.told(easel.ben, "info")


async def test_a_direct_message_has_no_buttons_and_no_prices(easel: World) -> None:
    easel.generator.paused = True
    await easel.imagine(easel.ben)
    easel.env.inject_error("POST", "/channels/*/messages", status=403, times=1)
    easel.generator.finish(easel.generator.last)
    await easel.rest()
    (letter,) = easel.ben.user.dm_channel.history()
    assert "Credits" not in letter.content
