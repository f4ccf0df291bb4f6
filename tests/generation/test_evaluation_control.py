"""The yardsticks of control: a model that does not obey must miss their targets."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoPipelineForInpainting, StableDiffusionPipeline
from PIL import Image

from bot.features import vary
from generation.builtin.evaluation import control
from generation.builtin.evaluation.adherence import Outcome, Task
from generation.builtin.evaluation.control import Bench
from generation.builtin.evaluation.generate import Sampling, Wish, recode
from generation.builtin.evaluation.probe import Probe
from generation.builtin.evaluation.tables import Figure
from generation.builtin.training.pool import picture_at

WEIGHTS = Path(control.__file__).parents[1] / "weights"
COUNT = 6

Pictures = Sequence[Image.Image]


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Any]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    loaded = StableDiffusionPipeline.from_pretrained(WEIGHTS, use_safetensors=True, safety_checker=None)
    loaded.set_progress_bar_config(disable=True)
    yield loaded
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(pipeline=None, probe=Probe.load(), sampling=Sampling(), seed=5, count=COUNT)


@pytest.fixture(scope="module")
def known(bench: Bench) -> Outcome:
    """Rendered pictures in place of generated ones."""
    drawn = [picture_at(5, (256, 256), index) for index in range(COUNT)]
    pictures = [Image.fromarray(pixels) for _, pixels in drawn]
    wishes = [Wish(prompt=str(index), seed=index) for index in range(COUNT)]
    return Outcome(
        tasks=[Task(scene=scene, wish=wish) for (scene, _), wish in zip(drawn, wishes, strict=True)],
        pictures=pictures,
        readings=bench.probe.read(pictures),
    )


def met(figures: Sequence[Figure]) -> list[bool]:
    """Of the figures that have a target, whether each is met."""
    return [figure.met for figure in figures if figure.met is not None]


def next_ones(pictures: Pictures) -> list[Image.Image]:
    return [*pictures[1:], pictures[0]]


def mixed(pictures: Pictures, others: Pictures, share: float) -> list[Image.Image]:
    return [Image.blend(*pair, share) for pair in zip(pictures, others, strict=True)]


def test_the_subtle_strength_is_the_bots() -> None:
    assert control.SUBTLE == vary.SUBTLE


def test_a_strength_that_does_nothing_or_all_at_once_misses(
    bench: Bench, known: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = next_ones(known.pictures)
    monkeypatch.setattr(control, "generate", lambda *_: others)

    def measured(share: dict[float, float]) -> list[bool]:
        def redraw(_: Any, __: Any, sources: Pictures, strength: float, ___: Any) -> list[Image.Image]:
            return mixed(sources, others, share[strength])

        monkeypatch.setattr(control, "redraw", redraw)
        return met(control.measure_strengths(bench, known))

    assert measured(dict.fromkeys(control.STRENGTHS, 0.0)) == [False, True, False, True]
    assert measured(dict.fromkeys(control.STRENGTHS, 1.0)) == [False, False, True, False]
    assert measured({0.2: 0.05, 0.4: 0.3, 0.6: 0.5, 0.8: 0.8, 0.9: 0.9}) == [True, True, True, True]
    assert measured({0.2: 0.05, 0.4: 0.3, 0.6: 0.5, 0.8: 0.6, 0.9: 0.7}) == [True, True, False, True]


def test_a_layout_is_where_light_and_dark_are_whatever_their_colours(known: Outcome) -> None:
    drawn = known.pictures
    paler = mixed(drawn, [Image.new("RGB", picture.size, "white") for picture in drawn], 0.5)
    turned = [picture.convert("L").point(lambda level: 255 - level) for picture in drawn]
    assert control.mean_likeness(drawn, paler) > 0.99
    assert control.mean_likeness(drawn, turned) < -0.99
    assert control.mean_likeness(drawn, next_ones(drawn)) < 0.8


def test_inpainting_that_spills_over_or_does_not_fit_misses(
    bench: Bench, known: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "recode", lambda _, pictures: list(pictures))

    def measured(drawn: Pictures) -> list[bool]:
        monkeypatch.setattr(control, "inpaint", lambda *_: drawn)
        return met(control.measure_inpainting(bench, known))

    spot = Image.new("L", (256, 256))
    spot.paste(255, (80, 80, 176, 176))
    fitting = [
        Image.composite(other, source, spot)
        for source, other in zip(known.pictures, next_ones(known.pictures), strict=True)
    ]
    assert measured(fitting) == [True, True, True]
    assert measured(known.pictures) == [False, True, True]
    assert measured(next_ones(known.pictures)) == [True, False, False]


def test_the_step_across_a_border_is_measured_on_the_border_alone() -> None:
    pixels = np.full((16, 16, 3), 100, np.uint8)
    mask = np.zeros((16, 16), np.bool_)
    mask[4:12, 4:12] = True
    pixels[mask] = 110
    assert control.border_step([Image.fromarray(pixels)], mask) == 10.0
    pixels[6:8, 6:8] = pixels[0] = 255
    assert control.border_step([Image.fromarray(pixels)], mask) == 10.0


def test_guidance_that_does_nothing_misses(bench: Bench, known: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(guided: Outcome) -> list[bool]:
        monkeypatch.setattr(control, "draw_and_read", lambda *_: guided)
        return met(control.measure_guidance(bench, known))

    blind = bench.probe.read([Image.new("RGB", (256, 256), "grey")] * COUNT)
    assert drawn(known) == [False]
    assert drawn(replace(known, readings=blind)) == [True]


def test_diffusers_own_inpainting_refuses_the_models_latents(pipeline: Any) -> None:
    inpainting = AutoPipelineForInpainting.from_pipe(pipeline)
    picture, mask = Image.new("RGB", (64, 64), "red"), Image.new("L", (64, 64), 255)
    with pytest.raises(ValueError, match="either 4 or 9 input channels"):
        inpainting("a star", image=picture, mask_image=mask, height=64, width=64, num_inference_steps=1)


def test_coding_a_picture_changes_it_a_little(pipeline: Any) -> None:
    picture = Image.fromarray(picture_at(5, (256, 256), 1)[1])
    (coded,) = recode(pipeline, [picture])
    assert coded.size == picture.size
    assert 0.0 < control.mean_difference([picture], [coded]) < 15.0
