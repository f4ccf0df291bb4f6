"""The middle stage of training: evens out the autoencoder's latents and encodes the pool with it once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from generation.builtin.training.device import DEVICE, half_precision
from generation.builtin.training.pool import Part, Pictures

BATCH = 16
SAMPLE = 512
"""How many pictures the latents' mean and spread are measured on."""


def as_input(pictures: Pictures) -> Tensor:
    """Pictures as the autoencoder takes them: float, (n, 3, side, side), -1..1."""
    batch = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    batch = batch.to(DEVICE).float() / 127.5 - 1.0
    return batch.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def encode_pictures(vae: AutoencoderKL, pictures: Pictures) -> NDArray[np.float16]:
    """The pictures' mean latents, scaled as the U-Net sees them; in bfloat16 arithmetic, kept as float16."""
    parts = []
    for start in range(0, len(pictures), BATCH):
        with half_precision():
            latents = vae.encode(as_input(pictures[start : start + BATCH])).latent_dist.mean
        parts.append((latents.float() * vae.config.scaling_factor).cpu().numpy().astype(np.float16))
    return np.concatenate(parts)


@torch.no_grad()
def even_out(vae: AutoencoderKL, pictures: Pictures) -> None:
    """Gives each latent channel mean 0 and spread 1 over the pictures, in place.

    The change is folded into the 1x1 convolutions on both sides of the latents, so what is decoded stays
    the same and the scaling factor becomes 1.
    """
    encoded = torch.from_numpy(encode_pictures(vae, pictures).astype(np.float32))
    latents = encoded.to(DEVICE) / vae.config.scaling_factor
    mean, spread = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    into, out = vae.quant_conv, vae.post_quant_conv
    count = len(mean)
    out.bias += out.weight[:, :, 0, 0] @ mean
    out.weight *= spread[None, :, None, None]
    into.weight[:count] /= spread[:, None, None, None]
    into.bias[:count] = (into.bias[:count] - mean) / spread
    into.bias[count:] -= 2.0 * spread.log()
    vae.register_to_config(scaling_factor=1.0)


def encode_pool(folder: Path, vae: AutoencoderKL, pool: Sequence[Part]) -> list[NDArray[np.float16]]:
    """Evens out the latents once, then encodes every part of the pool; or reads what was kept."""
    vae_path = folder / "vae-even.pt"
    if vae_path.exists():
        vae.load_state_dict(torch.load(vae_path, map_location=DEVICE, weights_only=True))
        vae.register_to_config(scaling_factor=1.0)
    else:
        even_out(vae, pool[0].pictures[:SAMPLE])
        torch.save(vae.state_dict(), vae_path)
    return [_encode_part(folder / f"latents-{part.name}.npy", vae, part.pictures) for part in pool]


def _encode_part(path: Path, vae: AutoencoderKL, pictures: Pictures) -> NDArray[np.float16]:
    """The latents of as many pictures as there are; those encoded before are kept."""
    if path.exists() and len(kept := np.load(path)) >= len(pictures):
        return np.asarray(kept[: len(pictures)], np.float16)
    latents = encode_pictures(vae, pictures)
    np.save(path, latents)
    return latents
