"""Prices from measured seconds, and the models file that they are written into."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bot.cli import calibrate
from bot.cli import main as cli
from bot.cli.calibrate import Measured, Price
from bot.settings.settings import Settings, StartupError
from generation.catalogue import Catalogue
from generation.contract import ImageToImage, Request, Sampling, TextToImage
from storage.database import Database
from storage.errors import DataFolderBusy
from storage.jobs import timings

ROOT = Path(__file__).parents[3]


def request(model: str, *, strength: float | None = None) -> Request:
    spec = Catalogue.load(ROOT / "models.toml")[model]
    values = {
        "model": model,
        "prompt": "a fox",
        "negative": "",
        "width": spec.width,
        "height": spec.height,
        "steps": spec.steps,
        "guidance": spec.guidance,
        "seeds": (1, 2, 3, 4),
    }
    return (
        TextToImage(sampling=Sampling(**values))
        if strength is None
        else ImageToImage(sampling=Sampling(**values), strength=strength)
    )  # type: ignore[arg-type]


async def drawn(folder: Path, seconds: list[tuple[Request, float]]) -> Settings:
    """Settings of a host on whose machine these were drawn, with a models file of its own."""
    models = folder / "models.toml"
    models.write_text((ROOT / "models.toml").read_text(encoding="utf-8"), encoding="utf-8")
    database = await Database.open(folder / "data")
    async with database.transaction() as tx:
        for one, took in seconds:
            await timings.learn(tx, timings.shape_of(one), seconds=took)
    await database.close()
    return Settings(data=folder / "data", models=models)


async def test_one_credit_buys_the_same_time_with_every_model(tmp_path: Path) -> None:
    settings = await drawn(tmp_path, [(request("easel"), 2.0), (request("sdxl"), 13.0)])
    before = settings.models.read_text(encoding="utf-8")
    told = await calibrate.run(settings, seconds=None, write=False)
    assert "Stable Diffusion XL  1     3.25               2         7" in told
    assert "One credit is 0.50 s of drawing." in told
    assert settings.models.read_text(encoding="utf-8") == before
    await calibrate.run(settings, seconds=None, write=True)
    catalogue = Catalogue.load(settings.models)
    assert (catalogue["easel"].cost, catalogue["sdxl"].cost, catalogue["sd15"].cost) == (1, 7, 1)
    changed = set(settings.models.read_text(encoding="utf-8").splitlines()) ^ set(before.splitlines())
    assert changed == {"cost = 1", "cost = 2", "cost = 7"}


async def test_writing_prices_touches_no_other_file_and_keeps_the_mode(tmp_path: Path) -> None:
    settings = await drawn(tmp_path, [(request("easel"), 2.0), (request("sdxl"), 13.0)])
    mine = tmp_path / f"{settings.models.name}.new"
    mine.write_text("a draft of my own", encoding="utf-8")
    settings.models.chmod(0o640)
    before = set(settings.models.parent.iterdir())
    await calibrate.run(settings, seconds=None, write=True)
    assert mine.read_text(encoding="utf-8") == "a draft of my own"
    assert settings.models.stat().st_mode & 0o777 in (0o640, 0o666)  # Windows has no modes
    assert set(settings.models.parent.iterdir()) == before


async def test_a_variation_has_a_price_of_its_own_where_it_is_quicker(tmp_path: Path) -> None:
    settings = await drawn(tmp_path, [(request("sdxl"), 40.0), (request("sdxl", strength=0.6), 24.0)])
    told = await calibrate.run(settings, seconds=1, write=True)
    assert "10 (vary 6)" in told
    spec = Catalogue.load(settings.models)["sdxl"]
    assert (spec.price("imagine", 4), spec.price("vary", 4), spec.price("reroll", 1)) == (40, 24, 10)


async def test_without_measurements_there_is_nothing_to_propose(tmp_path: Path) -> None:
    settings = await drawn(tmp_path, [])
    with pytest.raises(StartupError, match="Nothing was drawn here yet"):
        await calibrate.run(settings, seconds=None, write=False)


async def test_the_bot_has_to_be_stopped_first(tmp_path: Path) -> None:
    settings = await drawn(tmp_path, [(request("easel"), 2.0)])
    running = await Database.open(settings.data)
    with pytest.raises(DataFolderBusy):
        await calibrate.run(settings, seconds=None, write=False)
    await running.close()


def test_a_picture_costs_at_least_a_credit() -> None:
    assert calibrate.price(Measured(seconds=0.1, vary=0.05, jobs=1), 1) == Price(cost=1, vary=None)
    assert calibrate.price(Measured(seconds=2.5, vary=1.4, jobs=1), 1) == Price(cost=3, vary=1)


@pytest.mark.parametrize(
    ("entry", "price", "after"),
    [
        ("cost = 2 # dear\n", Price(cost=5, vary=None), {"cost": 5}),
        ("", Price(cost=5, vary=3), {"cost": 5, "prices": {"vary": 3}}),
        ("prices = { vary = 9 }\n", Price(cost=5, vary=None), {"cost": 5}),
        (
            "prices = { reroll = 0, vary = 9 }\n",
            Price(cost=5, vary=3),
            {"cost": 5, "prices": {"reroll": 0, "vary": 3}},
        ),
        ("prices = { vary = 0 }\n", Price(cost=5, vary=None), {"cost": 5, "prices": {"vary": 0}}),
    ],
)
def test_only_the_prices_of_the_file_change(tmp_path: Path, entry: str, price: Price, after: dict[str, object]) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        (ROOT / "models.toml").read_text(encoding="utf-8").replace('key = "sd15"\n', f'key = "sd15"\n{entry}'),
        encoding="utf-8",
    )
    old = path.read_text(encoding="utf-8")
    new = calibrate.rewritten(old, Catalogue.load(path), {"sd15": price})
    before, now = ({one["key"]: one for one in tomllib.loads(text)["model"]} for text in (old, new))
    for name in ("cost", "prices"):
        before["sd15"].pop(name, None)
    assert now == before | {"sd15": before["sd15"] | after}


def test_a_file_that_can_not_be_edited_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    old = (ROOT / "models.toml").read_text(encoding="utf-8") + "\n[model.prices]\nvary = 1\n"
    path.write_text(old, encoding="utf-8")
    with pytest.raises(StartupError, match="by hand"):
        calibrate.rewritten(old, Catalogue.load(path), {"flux-schnell": Price(cost=7, vary=5)})


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "much"])
def test_a_credit_buys_some_time(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["calibrate", "--seconds", seconds])
    assert "must be a number above 0" in capsys.readouterr().err
