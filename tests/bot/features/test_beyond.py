"""Prompts about what the built-in model doesn't know: nothing is charged, and what comes closest is one press away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.settings.settings import PROJECT
from tests.fakes import FakeGenerator
from tests.world import World, said, world

SHIPPED = PROJECT / "models.toml"


@pytest.fixture
async def easel(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, models=SHIPPED) as made:
        yield made


async def left(easel: World) -> str:
    return await easel.told(easel.ben, "info")


def offered(result: Any) -> dict[str, str]:
    """The buttons of an answer, their ids by their labels."""
    answer = result.response or result.followups[-1]
    return {one["label"]: one["custom_id"] for row in answer.components for one in row["components"]}


async def test_nothing_is_drawn_or_charged_and_one_press_draws_what_is_close(easel: World) -> None:
    refused = await easel.ben.slash(easel.channel, "imagine", prompt="a wolf in the snow --ar 3:2 --seed 7")
    assert "nothing in that prompt is part of it. Nothing was charged." in said(refused)
    assert "a wolf in the snow --ar 3:2 --seed 7" in said(refused)
    assert not easel.messages()
    assert "40 of 40" in await left(easel)

    buttons = offered(refused)
    assert next(iter(buttons)) == "a dog in the snow"
    assert len(buttons) == 3
    await easel.ben.click(refused.response or refused.followups[-1], custom_id=buttons["a dog in the snow"])
    (result,) = easel.results()
    assert "**a dog in the snow**" in result.content
    assert "36 of 40" in await left(easel)
    drawn = easel.generator.requests[easel.generator.last].sampling
    assert (drawn.prompt, drawn.width / drawn.height, drawn.seeds[0]) == ("a dog in the snow", 1.5, 7)


async def test_a_private_prompt_stays_private_in_what_is_offered(easel: World) -> None:
    refused = await easel.ben.slash(easel.channel, "imagine", prompt="a wolf in the snow --private")
    pressed = offered(refused)["a dog in the snow"]
    await easel.ben.click(refused.response or refused.followups[-1], custom_id=pressed)
    assert easel.generator.requests[easel.generator.last].sampling.private
    assert "dog" not in easel.results()[-1].content


async def test_flags_too_long_for_a_button_are_left_out_but_for_privacy(easel: World) -> None:
    refused = await easel.ben.slash(easel.channel, "imagine", prompt="a wolf --private", negative="x" * 200)
    assert len(offered(refused)) == 3
    for words, custom_id in offered(refused).items():
        assert custom_id == f"prompt:{words} --private"
        assert len(custom_id) <= 100


async def test_a_word_that_is_forbidden_is_refused_before_anything_is_offered(easel: World) -> None:
    await easel.admin.slash(easel.channel, "admin words block", word="wolf")
    refused = await easel.ben.slash(easel.channel, "imagine", prompt="a wolf in the snow")
    assert "can't use “wolf”" in said(refused)
    assert offered(refused) == {}


async def test_models_on_this_host_that_know_more_are_named_and_no_others(tmp_path: Path) -> None:
    async with world(tmp_path / "small", models=SHIPPED) as easel:
        assert "--model" not in await easel.imagine(easel.ben, "a dragon")
        assert "models.toml" in await easel.imagine(easel.ben, "a dragon")
    async with world(tmp_path / "large", models=SHIPPED, generator=FakeGenerator(("easel", "sdxl"))) as easel:
        told = await easel.imagine(easel.ben, "a dragon")
        assert "`--model sdxl`" in told
        assert "flux" not in told
        assert "On its way" in await easel.imagine(easel.ben, "a dragon --model sdxl")


async def test_what_is_left_out_of_a_picture_stands_under_it(easel: World) -> None:
    await easel.imagine(easel.ben, "a bear in the forest")
    (result,) = easel.results()
    assert "-# Easel built-in can't draw: bear" in result.content
    await easel.imagine(easel.ben, "a bear in the forest --private")
    assert "bear" not in easel.results()[-1].content
    assert "didn't know all words" in easel.results()[-1].content
    await easel.imagine(easel.ben, "a dog in the forest")
    assert "can't draw" not in easel.results()[-1].content
    await easel.imagine(easel.ben, "a forest of " + " ".join(f"word{n}" for n in range(150)))
    assert len(easel.results()[-1].content) < 1000
