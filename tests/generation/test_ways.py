"""Every way of making a picture on the built-in model, whose pictures can be judged; and what can't be carried out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from bot.settings.settings import PROJECT
from generation.calls import plan
from generation.catalogue import Catalogue
from generation.contract import (
    Blend,
    Edit,
    Failed,
    FailureReason,
    Finished,
    ImageToImage,
    Inpaint,
    Outpaint,
    Progressed,
    Request,
    Sampling,
    TextToImage,
    Tile,
    Upscale,
    from_json,
    to_json,
)
from generation.engine import Engine
from generation.pipelines.base import to_picture
from generation.pipelines.model import Model
from tests.generation.requests import decoded, encoded, picture

SIDE = 192
PROMPT = "a house by a lake on a sunny day"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine((Catalogue.load(PROJECT / "models.toml")["easel"],), torch.device("cpu"))


@pytest.fixture(scope="module")
def house(engine: Engine) -> Image.Image:
    return draw(engine, TextToImage(sampling=sampling()))[0]


def sampling(prompt: str = PROMPT, width: int = SIDE, height: int = SIDE, **changes: Any) -> Sampling:
    values: dict[str, Any] = {"steps": 12, "guidance": 4.0, "seeds": (1,)}
    return Sampling(model="easel", prompt=prompt, width=width, height=height, **values | changes)


def draw(engine: Engine, request: Request) -> list[Image.Image]:
    *events, last = engine.run(request)
    assert isinstance(last, Finished), last
    steps = [event for event in events if isinstance(event, Progressed)]
    assert steps[-1].step == steps[-1].steps
    assert [event.step for event in steps] == sorted(event.step for event in steps)
    return [decoded(image).convert("RGB") for image in last.images]


def refused(engine: Engine, request: Request) -> str:
    *_, last = engine.run(request)
    assert isinstance(last, Failed), last
    assert last.reason is FailureReason.BAD_REQUEST
    return last.detail


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def step_at(image: Image.Image, column: int) -> float:
    """How much larger the step between a column and the one before it is than the steps just beside it."""
    values = levels(image)
    steps = abs(np.diff(values, axis=1)).mean(axis=(0, 2))
    beside = np.concatenate([steps[column - 9 : column - 1], steps[column : column + 8]])
    return float(steps[column - 1] / max(1.0, beside.mean()))


def detail(image: Image.Image) -> float:
    """How much a pixel differs from the mean of its four neighbours, on average."""
    grey = np.asarray(image.convert("L")).astype(float)
    around = (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]) / 4
    return float(abs(grey[1:-1, 1:-1] - around).mean())


def test_a_part_is_drawn_anew_and_the_rest_stays(engine: Engine, house: Image.Image) -> None:
    mask = Image.new("L", house.size, 0)
    ImageDraw.Draw(mask).rectangle((0, 0, SIDE, 60), fill=255)
    asked = Inpaint(
        sampling=sampling("a house by a lake at night"), strength=1.0, source=encoded(house), mask=encoded(mask)
    )
    (drawn,) = draw(engine, asked)
    assert np.array_equal(levels(drawn)[61:], levels(house)[61:])
    assert levels(drawn)[:40].mean() < levels(house)[:40].mean() - 30, "the sky is that of the night"


def test_a_picture_is_continued_without_a_seam(engine: Engine, house: Image.Image) -> None:
    wide = Outpaint(sampling=sampling(width=2 * SIDE), place=(0, 0, SIDE, SIDE), source=encoded(house))
    (drawn,) = draw(engine, wide)
    assert drawn.size == (2 * SIDE, SIDE)
    assert np.array_equal(levels(drawn)[:, :SIDE], levels(house))
    assert step_at(drawn, SIDE) < 3
    assert abs(levels(drawn)[:30, -60:].mean(axis=(0, 1)) - levels(house)[:30].mean(axis=(0, 1))).max() < 40, "the sky"


def test_copies_of_a_tile_join(engine: Engine) -> None:
    (tile,) = draw(engine, Tile(sampling=sampling("a forest in winter")))
    twice = Image.new("RGB", (2 * SIDE, SIDE))
    for left in (0, SIDE):
        twice.paste(tile, (left, 0))
    (plain,) = draw(engine, TextToImage(sampling=sampling("a forest in winter")))
    apart = Image.new("RGB", (2 * SIDE, SIDE))
    for left in (0, SIDE):
        apart.paste(plain, (left, 0))
    assert step_at(twice, SIDE) < 2 < step_at(apart, SIDE)


def test_a_larger_picture_shows_the_same_and_has_no_seams(engine: Engine, house: Image.Image) -> None:
    large = Upscale(sampling=sampling(width=2 * SIDE, height=2 * SIDE), strength=0.15, source=encoded(house))
    (drawn,) = draw(engine, large)
    assert drawn.size == (2 * SIDE, 2 * SIDE)
    small = drawn.resize(house.size, Image.Resampling.BOX)
    assert abs(levels(small) - levels(house)).mean() < 12
    enlarged = house.resize(drawn.size, Image.Resampling.LANCZOS)
    assert abs(levels(drawn) - levels(enlarged)).mean() > 1, "detail is drawn"
    for edge_of_a_tile in (2 * SIDE - 256, 256):
        assert step_at(drawn, edge_of_a_tile) < 2


def test_a_larger_picture_gains_detail_and_nothing_else(engine: Engine, house: Image.Image) -> None:
    """Told of the house, each of its parts would get one, and the sky above it too."""
    large = Upscale(sampling=sampling(width=2 * SIDE, height=2 * SIDE), strength=0.4, source=encoded(house))
    (drawn,) = draw(engine, large)
    enlarged = house.resize(drawn.size, Image.Resampling.LANCZOS)
    sky = slice(0, SIDE // 2)
    assert abs(levels(drawn)[sky] - levels(enlarged)[sky]).mean() < 4
    assert detail(drawn) > 1.04 * detail(enlarged)


def test_a_plain_part_of_a_larger_picture_is_no_blank_picture(engine: Engine, house: Image.Image) -> None:
    source = Image.new("RGB", (SIDE, SIDE), "white")
    source.paste(house.resize((64, 64)), (0, 0))
    large = Upscale(sampling=sampling(width=512, height=512, steps=10), strength=0.1, source=encoded(source))
    assert draw(engine, large)[0].size == (512, 512)


def test_strength_says_how_much_of_a_larger_picture_is_drawn_anew(engine: Engine, house: Image.Image) -> None:
    enlarged = levels(house.resize((256, 256), Image.Resampling.LANCZOS))
    off = []
    for strength in (0.1, 0.5):
        asked = Upscale(sampling=sampling(width=256, height=256), strength=strength, source=encoded(house))
        off.append(abs(levels(draw(engine, asked)[0]) - enlarged).mean())
    assert off[0] < off[1]


def test_a_blend_has_something_of_both(engine: Engine, house: Image.Image) -> None:
    (night,) = draw(engine, TextToImage(sampling=sampling("a castle in the hills at night", seeds=(3,))))
    both = Blend(sampling=sampling("a castle by a lake"), strength=0.4, sources=(encoded(house), encoded(night)))
    alone = ImageToImage(sampling=sampling("a castle by a lake"), strength=0.4, source=encoded(house))
    blended, only = levels(draw(engine, both)[0]), levels(draw(engine, alone)[0])
    darkness = [image[:40].mean() for image in (levels(night), blended, only)]
    assert darkness == sorted(darkness)


def test_what_it_can_not_do_is_said(engine: Engine, house: Image.Image) -> None:
    edit = Edit(sampling=sampling("make it night"), sources=(encoded(house),))
    assert refused(engine, edit) == "Easel built-in can't change a picture as words say"


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (Inpaint(sampling=sampling(), strength=1.0, source=encoded(picture(32, 32)), mask=b""), "damaged"),
        (
            Inpaint(
                sampling=sampling(),
                strength=1.0,
                source=encoded(picture(32, 32)),
                mask=encoded(Image.new("L", (32, 32), 0)),
            ),
            "nothing white",
        ),
        (Outpaint(sampling=sampling(), place=(0, 0, SIDE, SIDE), source=encoded(picture(32, 32))), "nothing to draw"),
        (Outpaint(sampling=sampling(), place=(-8, 0, 64, 64), source=encoded(picture(32, 32))), "nothing to draw"),
        (Blend(sampling=sampling(), strength=0.5), "0 pictures"),
        (Blend(sampling=sampling(), strength=0.5, sources=(encoded(picture(32, 32)),) * 6), "6 pictures"),
        (ImageToImage(sampling=sampling(), strength=0.0, source=encoded(picture(32, 32))), "strength"),
        (Upscale(sampling=sampling(width=8192), strength=0.3, source=encoded(picture(32, 32))), "4096"),
    ],
)
def test_pictures_and_places_that_make_no_sense_are_refused(engine: Engine, request_: Request, why: str) -> None:
    assert why in refused(engine, request_)


@pytest.mark.parametrize(
    "request_",
    [
        Inpaint(sampling=sampling(), strength=0.5, source=b"s", mask=b"m"),
        Edit(sampling=sampling(), sources=(b"s",)),
        Outpaint(sampling=sampling(), place=(0, 0, 64, 64), source=b"s"),
        Tile(sampling=sampling()),
        Blend(sampling=sampling(), strength=0.5, sources=(b"s", b"t")),
        Upscale(sampling=sampling(), strength=0.3, source=b"s"),
    ],
)
def test_a_stored_request_comes_back_without_its_pictures(request_: Request) -> None:
    stored = from_json(to_json(request_))
    assert type(stored) is type(request_)
    assert stored.sampling == request_.sampling
    assert getattr(stored, "place", None) == getattr(request_, "place", None)
    assert not getattr(stored, "source", b"")
    assert not getattr(stored, "sources", ())


def test_a_picture_that_continues_itself_is_shown_upright_while_it_is_drawn(engine: Engine) -> None:
    """Its latents are shifted around after each step: previews must not jump."""
    asked, drawn = Tile(sampling=sampling("a red flower in a meadow on a sunny day", steps=25)), list[torch.Tensor]()
    model = engine._residency.model("easel")
    assert isinstance(model, Model)
    call = next(plan(asked, model.spec).calls(asked.sampling))
    shown = [model.preview(step, (SIDE, SIDE)) for step in model.draw(call, drawn.append)]
    for early in shown[15:-1]:
        assert early is not None
        late = levels(to_picture(drawn[0]).resize(early[0].size, Image.Resampling.BOX))
        off = [abs(np.roll(levels(early[0]), by, axis=1) - late).mean() for by in range(early[0].width)]
        assert off.index(min(off)) == 0
