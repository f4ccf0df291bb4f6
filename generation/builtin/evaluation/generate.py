"""Draws many pictures with the pipeline in batches: from words, from pictures, and into a masked part of them.

Every picture has a generator of its own, so that it depends on its wish and hardly on its neighbours.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor
from torch.nn import functional

from generation.builtin.architecture import PICTURE_SIZE
from generation.builtin.training.device import DEVICE
from generation.builtin.training.encode import as_input

Draw = Callable[[list[int], dict[str, Any]], list[Image.Image]]
"""Draws one batch, given its wishes' indices and what every diffusers pipeline is told."""
BLENDED = 4
"""Over how many pixels inside the mask an inpainted part is blended in: a quarter of what one latent covers."""
NO_HINTS: Mapping[str, Sequence[Image.Image]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One picture to draw; `size` is (columns, rows)."""

    prompt: str
    seed: int
    size: tuple[int, int] = (PICTURE_SIZE, PICTURE_SIZE)
    negative: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How pictures are drawn; the defaults are the model's own."""

    steps: int = 25
    guidance: float = 4.0
    batch: int = 12


def load_pipeline(weights: Path) -> Any:
    """The pipeline of an exported folder, quiet, in single precision."""
    pipeline = StableDiffusionPipeline.from_pretrained(weights, use_safetensors=True, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(DEVICE)


def generate(
    pipeline: Any,
    wishes: Sequence[Wish],
    sampling: Sampling,
    hints: Mapping[str, Sequence[Image.Image]] = NO_HINTS,
) -> list[Image.Image]:
    """A picture for each wish, in order; `hints` are pictures beside each wish, by diffusers' name for them."""

    def draw(batch: list[int], told: dict[str, Any]) -> list[Image.Image]:
        width, height = wishes[batch[0]].size
        given = {name: [pictures[index] for index in batch] for name, pictures in hints.items()}
        made: list[Image.Image] = pipeline(width=width, height=height, **given, **told).images
        return made

    return _in_batches(wishes, sampling, draw)


def redraw(
    pipeline: Any,
    wishes: Sequence[Wish],
    sources: Sequence[Image.Image],
    strength: float,
    sampling: Sampling,
) -> list[Image.Image]:
    """Image-to-image: each source drawn anew to that share (0..1) of the steps."""
    redrawing = _redrawing(pipeline)

    def draw(batch: list[int], told: dict[str, Any]) -> list[Image.Image]:
        made: list[Image.Image] = redrawing(image=[sources[index] for index in batch], strength=strength, **told).images
        return made

    return _in_batches(wishes, sampling, draw)


def inpaint(
    pipeline: Any,
    wishes: Sequence[Wish],
    sources: Sequence[Image.Image],
    mask: NDArray[np.bool_],
    sampling: Sampling,
) -> list[Image.Image]:
    """The sources drawn anew where the mask (rows, columns) is true, before compositing.

    diffusers' own StableDiffusionInpaintPipeline, which AutoPipelineForInpainting picks too, raises ValueError for any
    U-Net but those of 4 and 9 channels. What it does with the former is done here: after each step the unmasked latents
    are put back, as noisy as the step left the others.
    """
    redrawing = _redrawing(pipeline)

    def draw(batch: list[int], told: dict[str, Any]) -> list[Image.Image]:
        chosen = [sources[index] for index in batch]
        keep = _keeper(pipeline, chosen, mask, [wishes[index].seed for index in batch])
        made: list[Image.Image] = redrawing(image=chosen, strength=1.0, callback_on_step_end=keep, **told).images
        return made

    return _in_batches(wishes, sampling, draw)


@torch.no_grad()
def recode(pipeline: Any, pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """Each picture encoded and decoded again: the least that any redrawing changes."""
    made: list[Image.Image] = []
    for picture in pictures:
        latents = pipeline.vae.encode(as_input(np.stack([np.asarray(picture)]))).latent_dist.mode()
        made += pipeline.image_processor.postprocess(pipeline.vae.decode(latents).sample)
    return made


def composite(source: Image.Image, drawn: Image.Image, mask: NDArray[np.bool_]) -> Image.Image:
    """The drawn picture inside the mask, blended in over its outermost pixels; the source's own pixels outside."""
    layers = [Image.fromarray(mask.astype(np.uint8) * 255)]
    for _ in range(BLENDED):
        layers.append(layers[-1].filter(ImageFilter.MinFilter(3)))
    weights = np.mean([np.asarray(layer, np.float64) for layer in layers], axis=0)
    return Image.composite(drawn, source, Image.fromarray(weights.round().astype(np.uint8)))


def _redrawing(pipeline: Any) -> Any:
    redrawing = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    redrawing.set_progress_bar_config(disable=True)
    return redrawing


@torch.no_grad()
def _keeper(
    pipeline: Any, sources: Sequence[Image.Image], mask: NDArray[np.bool_], seeds: Sequence[int]
) -> Callable[..., dict[str, Tensor]]:
    """What puts the unmasked latents back at the end of a step."""
    vae = pipeline.vae
    clean = vae.encode(as_input(np.stack([np.asarray(source) for source in sources]))).latent_dist.mode()
    clean = clean * vae.config.scaling_factor
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    noise = torch.stack([torch.randn(clean.shape[1:], generator=generator) for generator in generators])
    noise = noise.to(DEVICE)
    fresh = functional.interpolate(torch.from_numpy(mask)[None, None].float(), clean.shape[2:], mode="area")
    fresh = (fresh > 0).float().to(DEVICE)

    def keep(pipe: Any, index: int, _time: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        left = pipe.scheduler.timesteps[index + 1 : index + 2]
        kept = pipe.scheduler.add_noise(clean, noise, left) if len(left) else clean
        return {"latents": fresh * tensors["latents"] + (1.0 - fresh) * kept}

    return keep


def _in_batches(wishes: Sequence[Wish], sampling: Sampling, draw: Draw) -> list[Image.Image]:
    """Draws wishes of one size together, telling how far it is."""
    made: dict[int, Image.Image] = {}
    started = time.monotonic()
    order = sorted(range(len(wishes)), key=lambda index: wishes[index].size)
    for _, group in groupby(order, key=lambda index: wishes[index].size):
        alike = list(group)
        for start in range(0, len(alike), sampling.batch):
            batch = alike[start : start + sampling.batch]
            told = _told([wishes[index] for index in batch], sampling)
            made.update(zip(batch, draw(batch, told), strict=True))
            pace = len(made) / (time.monotonic() - started)
            print(f"drew {len(made)} of {len(wishes)}  {pace:.2f} pictures/s", flush=True)
    return [made[index] for index in range(len(wishes))]


def _told(wishes: Sequence[Wish], sampling: Sampling) -> dict[str, Any]:
    return {
        "prompt": [wish.prompt for wish in wishes],
        "negative_prompt": [wish.negative for wish in wishes],
        "generator": [torch.Generator().manual_seed(wish.seed) for wish in wishes],
        "num_inference_steps": sampling.steps,
        "guidance_scale": sampling.guidance,
    }
