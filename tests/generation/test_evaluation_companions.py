"""The yardsticks of the companions, and how the guide says to load them."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw

from generation.builtin.companions import base, controlnet, image_prompt, lora
from generation.builtin.companions.edges import edges
from generation.builtin.companions.stained_glass import stained_glass
from generation.builtin.evaluation import companions
from generation.builtin.evaluation.__main__ import parse_arguments
from generation.builtin.evaluation.companions import Bench, choose_subjects
from generation.builtin.evaluation.generate import Sampling
from generation.builtin.evaluation.probe import Probe
from generation.builtin.training.denoiser import TrainingSet

ROOT = Path(__file__).parents[2]
WEIGHTS = ROOT / "generation" / "builtin" / "weights"
SMALL = (128, 128)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three companions as they are before training."""
    folder = tmp_path_factory.mktemp("untrained")
    torch.manual_seed(1)
    data = TrainingSet(parts=[], empty=np.zeros(32, np.int16))
    lora.StyleLora(base.load_base(WEIGHTS), data).export(folder)
    controlnet.EdgeControl(base.load_base(WEIGHTS), data, []).export(folder)
    image_prompt.ImagePrompt(base.load_base(WEIGHTS), data, []).export(folder)
    return folder


@pytest.fixture
def bench(untrained: Path) -> Bench:
    pipeline: Any = StableDiffusionPipeline.from_pretrained(WEIGHTS, use_safetensors=True, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    return Bench(
        pipeline=pipeline,
        folder=untrained,
        subjects=choose_subjects(5, 2, SMALL),
        sampling=Sampling(steps=2, batch=2),
    )


def test_companions_that_learned_nothing_do_next_to_nothing(bench: Bench) -> None:
    style, lead = companions.measure_lora(bench)
    assert (style.measured, style.met) == ("0.0 %", False)
    follows, lines = companions.measure_controlnet(bench)
    assert (follows.measured, follows.met) == ("0.0 %", False)
    for figure in (lead, lines):
        without, having = re.findall(r"[\d.]+", figure.measured)
        assert without == having
    nearer, *rest = companions.measure_image_prompt(bench, Probe.load())
    assert nearer.target
    assert len(rest) == 2


def test_lead_lines_are_told_from_other_dark_parts() -> None:
    for subject in choose_subjects(5, 8):
        leaded = stained_glass(np.random.default_rng(1), subject.picture)
        assert companions.lead_share(leaded) > companions.lead_share(subject.picture) + companions.MORE_LEAD
    night = Image.new("RGB", (128, 128), "black")
    assert companions.lead_share(night) == 0.0


def test_lines_agree_with_themselves_and_hardly_with_others() -> None:
    square, disc = Image.new("RGB", (128, 128)), Image.new("RGB", (128, 128))
    ImageDraw.Draw(square).rectangle((10, 10, 50, 50), fill="white")
    ImageDraw.Draw(disc).ellipse((70, 70, 120, 120), fill="white")
    one, other = edges(square), edges(disc)
    assert companions.line_agreement(one, one) == 1.0
    assert companions.line_agreement(one, other) == 0.0
    assert companions.line_agreement(one, edges(Image.new("RGB", (128, 128)))) == 0.0


def test_colours_are_compared_place_by_place() -> None:
    half = Image.new("RGB", (128, 128))
    half.paste((200, 200, 200), (0, 0, 64, 128))
    mirrored = half.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert companions.colours_apart(half, half) == 0.0
    assert companions.colours_apart(half, mirrored) == 200.0


def test_subjects_are_in_no_style_and_repeat_for_a_seed() -> None:
    subjects = choose_subjects(3, 6, SMALL)
    assert [subject.wish for subject in subjects] == [subject.wish for subject in choose_subjects(3, 6, SMALL)]
    assert {subject.scene.style for subject in subjects} == {""}
    assert {subject.picture.size for subject in subjects} == {SMALL}


def test_companions_that_are_missing_are_said_to_be(tmp_path: Path) -> None:
    options = parse_arguments(["companions", "--companions", str(tmp_path)])
    with pytest.raises(FileNotFoundError, match="Train them"):
        options.run(options)


def test_the_guide_loads_every_companion_as_written(untrained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs" / "builtin-model.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code = "\n".join(blocks).replace("num_inference_steps=25", "num_inference_steps=1")
    assert "generation/builtin/companions/weights" in code
    names: dict[str, Any] = {}
    exec(code.replace("generation/builtin/companions/weights", str(untrained)), names)
    for name in ("picture", "window", "like_a_drawing", "like_a_picture"):
        assert names[name].size == (256, 256)
