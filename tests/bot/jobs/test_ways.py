"""What a model can't do is refused before anything is charged, with the models here that can."""

from __future__ import annotations

from pathlib import Path

from tests.fakes import FakeGenerator
from tests.world import models_of_all_words, said, world


async def test_a_model_without_image_to_image_is_not_varied(tmp_path: Path) -> None:
    models = tmp_path / "models.toml"
    text = models_of_all_words().read_text(encoding="utf-8")
    models.write_text(text.replace('family = "flux"', 'family = "sana"').replace("multiple = 16", "multiple = 32"))
    generator = FakeGenerator(("easel", "sdxl", "flux-schnell"))
    async with world(tmp_path / "data", models=models, generator=generator) as easel:
        await easel.imagine(easel.ben, "a boat --model flux-schnell --count 1")
        before = await easel.told(easel.ben, "info")
        (result,) = easel.results()
        told = said(await easel.press(easel.ben, result, "V1"))
        assert "can't start from a picture. Nothing was charged." in told
        assert "`easel` or `sdxl` can." in told
        assert await easel.told(easel.ben, "info") == before
        assert len(easel.results()) == 1
