"""A file in `features/` is all that a drawing feature takes: it is priced, limited, titled, refunded and explained."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.features import load
from bot.settings.settings import PROJECT, StartupError
from generation.contract import FailureReason, ImageToImage
from storage.jobs import queries
from tests.world import World, said, world

MODELS = (
    (PROJECT / "models.toml")
    .read_text(encoding="utf-8")
    .replace('key = "easel"\n', 'key = "easel"\nprices = { tint = 3 }\n', 1)
)


@pytest.fixture
async def easel(tmp_path: Path) -> AsyncIterator[World]:
    features = load("tests.bot.features.one_file")
    async with world(tmp_path / "data", features=features, models=written(tmp_path)) as made:
        await made.imagine(made.ben, "a boat --count 2")
        yield made


def written(folder: Path, text: str = MODELS) -> Path:
    path = folder / "models.toml"
    path.write_text(text, encoding="utf-8")
    return path


async def test_its_button_draws_over_the_picture_and_its_title_says_so(easel: World) -> None:
    await easel.press(easel.ben, easel.results()[0], "T2")
    assert "**a boat** - Tint of #2 by" in easel.results()[-1].content
    request = list(easel.generator.requests.values())[-1]
    assert isinstance(request, ImageToImage)
    assert (request.sampling.prompt, request.strength) == ("a boat, red", 0.3)
    assert request.source


async def test_its_reaction_draws_too(easel: World) -> None:
    await easel.ben.react(easel.results()[0], "🟥")
    await easel.rest()
    assert "Tint of #1" in easel.results()[-1].content


async def test_it_is_priced_by_the_models_file_and_the_line_under_the_picture(easel: World) -> None:
    assert "Tint 6 · " in easel.results()[0].content
    await easel.press(easel.ben, easel.results()[0], "T1")
    assert "32 of 40" in await easel.told(easel.ben, "info")


async def test_admins_make_it_free_and_keep_it_for_roles(easel: World) -> None:
    assert "free" in await easel.told(easel.admin, "quota free", action="tint", free=True)
    await easel.press(easel.ben, easel.results()[0], "T1")
    assert "38 of 40" in await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "admin rules action", action="tint", role=easel.vip)
    assert "`tint` is kept for" in said(await easel.press(easel.ben, easel.results()[0], "T1"))
    assert len(easel.results()) == 2


async def test_it_keeps_to_the_servers_limits(easel: World) -> None:
    await easel.told(easel.admin, "admin rules limit", what="pictures", amount=1)
    assert "1 picture instead of 2" in said(await easel.press(easel.ben, easel.results()[0], "T1"))
    assert len(list(easel.generator.requests.values())[-1].sampling.seeds) == 1


async def test_its_credits_come_back_when_it_fails(easel: World) -> None:
    easel.generator.paused = True
    await easel.press(easel.ben, easel.results()[0], "T1")
    easel.generator.fail(list(easel.generator.requests)[-1], FailureReason.BROKEN_IMAGE)
    await easel.rest()
    assert len(easel.results()) == 1
    assert "38 of 40" in await easel.told(easel.ben, "info")


async def test_help_tells_of_it(easel: World) -> None:
    assert "tints a picture red" in await easel.told(easel.ben, "help")


async def test_without_its_file_nothing_is_left_of_it(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="prices"):
        async with world(tmp_path / "data", models=written(tmp_path)):
            pass
    async with world(tmp_path / "data", models=written(tmp_path, MODELS.replace("tint", "vary"))) as plain:
        await plain.imagine(plain.ben, "a boat")
        assert "Tint" not in plain.results()[0].content
        async with plain.services.database.reading() as tx:
            assert [
                job.action for job in await queries.recent(tx, guild_id=plain.guild.id, user_id=plain.ben.id, limit=9)
            ] == ["imagine"]
