"""Inpainting by image-to-image: after each step, what lies outside of the mask is the source again, as noisy as the rest.

It is what diffusers' inpainting does for models without channels of their own for a mask (blended latent diffusion,
https://arxiv.org/abs/2111.14818), for models whose latents it doesn't take: it insists on four channels.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from generation.pipelines.base import to_pixels
from generation.pipelines.latents import encode


def keep_outside(pipe: Any, sources: Sequence[Image.Image], mask: Image.Image, seeds: Sequence[int]) -> None:
    """Have the pipeline's scheduler keep the sources outside of the mask. Latents are (images, channels, rows, columns)."""
    scheduler, step = pipe.scheduler, pipe.scheduler.step
    clean = torch.cat([encode(pipe, 2 * to_pixels(source) - 1) for source in sources]).expand(len(seeds), -1, -1, -1)
    shown = mask.resize((clean.shape[-1], clean.shape[-2]), Image.Resampling.BOX)
    inside = torch.from_numpy(np.array(shown, dtype=np.float32) / 255).to(clean)
    noise = torch.stack([torch.randn(clean.shape[1:], generator=torch.Generator("cpu").manual_seed(s)) for s in seeds])
    noise = noise.to(clean)

    @functools.wraps(step)
    def kept(output: Any, timestep: Any, sample: Any, *more: Any, **options: Any) -> Any:
        latents, *rest = step(output, timestep, sample, *more, **options)
        at = int((scheduler.timesteps == timestep).nonzero()[0]) + 1
        old = clean
        if at < len(scheduler.timesteps):
            old = scheduler.add_noise(clean, noise, scheduler.timesteps[at : at + 1])
        return (inside * latents + (1 - inside) * old.to(latents), *rest)

    scheduler.step = kept
