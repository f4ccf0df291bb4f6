"""Writes the trained parts as a diffusers pipeline folder in half precision, and the preview factors."""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTextModel

from generation.builtin.architecture import make_scheduler
from generation.builtin.tokens import make_tokenizer


def preview_factors(latents: Tensor, pictures: Tensor) -> dict[str, list[list[float]] | list[float]]:
    """The linear map from scaled latents to RGB in 0..1 that fits best.

    `latents` is (n, channels, height, width) as a sampler holds them; `pictures` is (n, 3, H, W), 0..1.
    The answer is `factors`, one [r, g, b] for each channel, and `bias`.
    """
    small = functional.interpolate(pictures, latents.shape[2:], mode="area")
    known = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1]).double()
    wanted = small.permute(0, 2, 3, 1).reshape(-1, 3).double()
    known = torch.cat([known, torch.ones(len(known), 1, dtype=torch.double)], dim=1)
    solved = np.asarray(torch.linalg.lstsq(known, wanted).solution).round(5).tolist()
    return {"factors": solved[:-1], "bias": solved[-1]}


def export_pipeline(
    folder: Path,
    vae: AutoencoderKL,
    unet: UNet2DConditionModel,
    text_encoder: CLIPTextModel,
    preview: dict[str, list[list[float]] | list[float]],
) -> None:
    """Writes the folder beside its final place and swaps it in, so that a reader never sees half of it."""
    fresh = folder.with_name(folder.name + ".fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    pipeline = StableDiffusionPipeline(
        vae=vae.half(),
        text_encoder=text_encoder.half(),
        tokenizer=make_tokenizer(),
        unet=unet.half(),
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(fresh, safe_serialization=True)
    _load_in_single_precision(fresh / "text_encoder" / "config.json")
    for path in fresh.rglob("*.safetensors"):
        path.chmod(0o644)
    (fresh / "preview.json").write_text(json.dumps(preview))
    old = folder.with_name(folder.name + ".old")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _load_in_single_precision(config_path: Path) -> None:
    """Names float32 as the text encoder's type.

    Otherwise transformers follows the file's own type and diffusers does not: a plain load would mix the two.
    """
    config = json.loads(config_path.read_text())
    config_path.write_text(json.dumps({**config, "dtype": "float32"}, indent=2) + "\n")
