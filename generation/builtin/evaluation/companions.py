"""Whether the companions do what they are for: each draws the same prompts and seeds with and without it.

The style LoRA is to bring lead lines, the ControlNet to follow the lines that it is shown, the image prompt to come near
the picture that it is shown. Prompts, lines and pictures are of freshly drawn scenes.
"""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from generation.builtin.architecture import PICTURE_SIZE
from generation.builtin.captions import caption
from generation.builtin.companions import controlnet, image_prompt, lora
from generation.builtin.companions.edges import edges
from generation.builtin.companions.stained_glass import LEAD_WIDTH
from generation.builtin.drawing.scenes import Scene
from generation.builtin.evaluation.generate import Sampling, Wish, generate, load_pipeline
from generation.builtin.evaluation.probe import Probe, visible
from generation.builtin.evaluation.tables import Figure, at_least, share
from generation.builtin.evaluation.tally import tally
from generation.builtin.training.device import DEVICE
from generation.builtin.training.pool import picture_at

TARGET = 90.0
"""Of pictures that come out better with the companion, as for negative prompts: it does what it says."""
DARKER = 40
"""By how many levels (0..255) a line must be darker than what lies on both sides of it."""
WINDOW = 2 * LEAD_WIDTH + 1
"""A dark part narrower than so many pixels is a line."""
MORE_LEAD = 0.05
"""By how much of the picture the lines must grow to be a style; rendered stained glass has 0.35, other pictures 0.02."""
NEAR = 3
"""The distance in pixels up to which a line is where it was asked for."""
PATCHES = 4
"""Colours are compared between so many patches each way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A scene in no style as it is drawn, and the wish that words it."""

    scene: Scene
    picture: Image.Image
    wish: Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The model, what it is to draw, how, and the folder of the companions' weights."""

    pipeline: Any
    folder: Path
    subjects: Sequence[Subject]
    sampling: Sampling

    @property
    def pictures(self) -> list[Image.Image]:
        """The subjects as they are drawn."""
        return [subject.picture for subject in self.subjects]

    @property
    def wishes(self) -> list[Wish]:
        """The subjects' wishes."""
        return [subject.wish for subject in self.subjects]


def choose_subjects(seed: int, count: int, size: tuple[int, int] = (PICTURE_SIZE, PICTURE_SIZE)) -> list[Subject]:
    """Fresh scenes in no style, drawn in that size (columns, rows), with a wording and a seed each."""
    subjects: list[Subject] = []
    index = 0
    while len(subjects) < count:
        scene, pixels = picture_at(seed, size, index)
        index += 1
        if not scene.style:
            words = caption(Random(f"{seed} {index}"), scene)
            wish = Wish(prompt=words, seed=seed + index, size=size)
            subjects.append(Subject(scene=scene, picture=Image.fromarray(pixels), wish=wish))
    return subjects


def lead_share(picture: Image.Image) -> float:
    """The share of the picture (0..1) in thin dark lines: what a closing of its brightness fills."""
    grey = picture.convert("L")
    closed = grey.filter(ImageFilter.MaxFilter(WINDOW)).filter(ImageFilter.MinFilter(WINDOW))
    filled = np.asarray(closed, np.int16) - np.asarray(grey, np.int16)
    return float((filled > DARKER).mean())


def line_agreement(lines: Image.Image, hint: Image.Image) -> float:
    """How well two edge maps agree (0..1): the harmonic mean of the shares of each that lie near the other."""
    shares = [_share_near(lines, hint), _share_near(hint, lines)]
    return 2.0 * shares[0] * shares[1] / sum(shares) if all(shares) else 0.0


def _share_near(lines: Image.Image, others: Image.Image) -> float:
    drawn: NDArray[np.bool_] = np.asarray(lines) > 0
    near = np.asarray(others.filter(ImageFilter.MaxFilter(2 * NEAR + 1))) > 0
    return float(near[drawn].mean()) if drawn.any() else 0.0


def colours_apart(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures' patches in levels (0..255)."""
    patches = (
        np.asarray(picture.resize((PATCHES, PATCHES), Image.Resampling.BOX), np.float64) for picture in (one, other)
    )
    return float(np.abs(np.subtract(*patches)).mean())


def measure_lora(bench: Bench) -> list[Figure]:
    """On how many pictures the style LoRA brings more lead lines; both times the prompt calls for the style."""
    wishes = [replace(wish, prompt=f"{lora.TRIGGER} {wish.prompt}") for wish in bench.wishes]
    before = generate(bench.pipeline, wishes, bench.sampling)
    bench.pipeline.load_lora_weights(bench.folder / lora.FILE_NAME)
    after = generate(bench.pipeline, wishes, bench.sampling)
    bench.pipeline.unload_lora_weights()
    without, having = ([lead_share(picture) for picture in pictures] for pictures in (before, after))
    risen = sum(more - less > MORE_LEAD for less, more in zip(without, having, strict=True))
    return [
        at_least("LoRA: pictures with more lead lines than without", share(risen, len(wishes)), TARGET),
        Figure(
            what="LoRA: share of the picture in thin dark lines",
            measured=_from_to(100.0 * float(np.mean(without)), 100.0 * float(np.mean(having)), "%"),
        ),
    ]


def measure_controlnet(bench: Bench) -> list[Figure]:
    """On how many pictures the edges follow the hint better with the ControlNet than by the prompt alone."""
    hints = [edges(picture) for picture in bench.pictures]
    loaded = ControlNetModel.from_pretrained(bench.folder / controlnet.FOLDER_NAME, use_safetensors=True)
    controlled = StableDiffusionControlNetPipeline.from_pipe(bench.pipeline, controlnet=loaded.to(DEVICE))
    controlled.set_progress_bar_config(disable=True)
    before = generate(bench.pipeline, bench.wishes, bench.sampling)
    after = generate(controlled, bench.wishes, bench.sampling, {"image": hints})
    without, having = (
        [line_agreement(edges(picture), hint) for picture, hint in zip(pictures, hints, strict=True)]
        for pictures in (before, after)
    )
    risen = sum(more > less for less, more in zip(without, having, strict=True))
    return [
        at_least("ControlNet: pictures nearer to the lines than without", share(risen, len(hints)), TARGET),
        Figure(
            what="ControlNet: agreement of lines",
            measured=_from_to(100.0 * float(np.mean(without)), 100.0 * float(np.mean(having)), "%"),
        ),
    ]


def measure_image_prompt(bench: Bench, probe: Probe) -> list[Figure]:
    """How much nearer pictures come to the one that is shown, without a word; one at a time, as it wants them."""
    wishes = [replace(wish, prompt="") for wish in bench.wishes]
    sampling = replace(bench.sampling, batch=1)
    before = generate(bench.pipeline, wishes, sampling)
    bench.pipeline.load_ip_adapter(bench.folder, image_prompt.FOLDER_NAME, image_prompt.FILE_NAME)
    after = generate(bench.pipeline, wishes, sampling, {"ip_adapter_image": bench.pictures})
    bench.pipeline.unload_ip_adapter()
    without, having = (
        [colours_apart(*pair) for pair in zip(pictures, bench.pictures, strict=True)] for pictures in (before, after)
    )
    nearer = sum(less < more for more, less in zip(without, having, strict=True))
    shown = [visible(subject.scene) for subject in bench.subjects]
    agreed = [tally(shown, probe.read(pictures)).percent() for pictures in (before, after)]
    return [
        at_least("image prompt: pictures nearer in colours than without", share(nearer, len(wishes)), TARGET),
        Figure(
            what="image prompt: colours apart",
            measured=_from_to(float(np.mean(without)), float(np.mean(having)), "levels"),
        ),
        Figure(what="image prompt: attributes that agree", measured=_from_to(agreed[0], agreed[1], "%")),
    ]


def _from_to(without: float, having: float, unit: str) -> str:
    return f"{without:.1f} {unit} without, {having:.1f} {unit} with it"


def run(options: Namespace) -> list[Figure]:
    """The command `companions`. Raises FileNotFoundError where they are not trained."""
    if not (options.companions / lora.FILE_NAME).exists():
        raise FileNotFoundError(
            f"There are no companions in {options.companions}. Train them: python -m generation.builtin.companions all"
        )
    bench = Bench(
        pipeline=load_pipeline(options.weights),
        folder=options.companions,
        subjects=choose_subjects(options.seed, options.prompts),
        sampling=Sampling(batch=options.batch),
    )
    return [*measure_lora(bench), *measure_controlnet(bench), *measure_image_prompt(bench, Probe.load())]
