"""What every companion is trained with: the built-in model, standing still, and the pool of pictures it learned from."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn

from generation.builtin.training.denoiser import CAPTIONS_EACH, Denoiser, TrainingSet, take_over
from generation.builtin.training.device import BATCH, DEVICE
from generation.builtin.training.encode import encode_pictures
from generation.builtin.training.pool import Part, Pictures

SAME_LATENTS = 0.05
"""The mean difference up to which two encodings are one autoencoder's: above float16's and bfloat16's rounding."""


def load_base(weights: Path) -> Denoiser:
    """The U-Net and the text encoder of a pipeline folder, in single precision, their weights fixed."""
    model = Denoiser()
    take_over(model, weights)
    return model.requires_grad_(False)


def load_vae(weights: Path) -> AutoencoderKL:
    """The autoencoder of a pipeline folder, in single precision."""
    vae: AutoencoderKL = AutoencoderKL.from_pretrained(weights / "vae", torch_dtype=torch.float32)
    return vae.to(DEVICE, memory_format=torch.channels_last)


def fingerprint(weights: Path) -> str:
    """Eight hex digits that tell this U-Net from any other."""
    data = (weights / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
    return hashlib.sha256(data).hexdigest()[:8]


def encode_once(vae: AutoencoderKL, pictures: Pictures, places: Sequence[Path]) -> NDArray[np.float16]:
    """The pictures' latents: from the first file among `places` that this autoencoder made.

    Where there is none they are encoded now and kept in the last place.
    """
    first = encode_pictures(vae, pictures[:2])
    for path in places:
        if path.exists() and len(kept := np.load(path, mmap_mode="r")) >= len(pictures):
            difference = np.abs(kept[:2].astype(np.float32) - first).mean()
            if difference < SAME_LATENTS:
                return np.asarray(kept[: len(pictures)], np.float16)
    print(f"encoding {len(pictures)} pictures into {places[-1]}", flush=True)
    latents = encode_pictures(vae, pictures)
    np.save(places[-1], latents)
    return latents


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Latents (n, channels, rows, columns), token ids (n, tokens), and which pictures of which part they show.

    `mirrored` (n) tells whose latents are mirrored.
    """

    latents: Tensor
    tokens: Tensor
    part: int
    chosen: NDArray[np.int64]
    mirrored: NDArray[np.bool_]

    def pictures(self, pool: Sequence[Part]) -> Pictures:
        """The pictures as they were drawn, not mirrored."""
        return np.asarray(pool[self.part].pictures[self.chosen])


def batches(rng: np.random.Generator, data: TrainingSet, uncaptioned: float) -> Iterator[Batch]:
    """Endless batches of pictures of one size, mirrored at random, and that share of them without a caption."""
    counts = np.asarray([len(part.latents) for part in data.parts], float)
    while True:
        which = int(rng.choice(len(counts), p=counts / counts.sum()))
        part = data.parts[which]
        chosen = rng.integers(0, len(part.latents), BATCH)
        mirrored = (rng.random(BATCH) < 0.5) & part.mirrorable[chosen]
        latents = torch.from_numpy(part.latents[chosen].astype(np.float32))
        latents = torch.where(torch.from_numpy(mirrored)[:, None, None, None], latents.flip(3), latents)
        tokens = part.tokens[chosen, rng.integers(0, CAPTIONS_EACH, BATCH)].copy()
        tokens[rng.random(BATCH) < uncaptioned] = data.empty
        yield Batch(
            latents=latents.to(DEVICE).contiguous(memory_format=torch.channels_last),
            tokens=torch.from_numpy(tokens.astype(np.int64)).to(DEVICE),
            part=which,
            chosen=chosen,
            mirrored=mirrored,
        )


class Hinted(nn.Module):
    """A model that takes a hint beside the words, with the hint already given."""

    def __init__(self, model: nn.Module, hint: Tensor) -> None:
        super().__init__()
        self.model, self.hint = model, hint

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """The predicted v, shaped like `noisy`."""
        predicted: Tensor = self.model(noisy, times, tokens, self.hint)
        return predicted
