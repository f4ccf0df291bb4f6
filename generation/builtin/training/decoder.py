"""A stage between the U-Net and the export: the decoder alone, on the latents that the U-Net was trained with.

The encoder stands still, so the U-Net's latents keep their meaning while what they decode to grows sharper.
A little noise on the latents teaches the decoder to forgive the U-Net's small errors.
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from generation.builtin.training.autoencoder import picture_loss
from generation.builtin.training.device import DEVICE, half_precision
from generation.builtin.training.encode import as_input
from generation.builtin.training.pool import Pictures
from generation.builtin.training.run import Run, make_optimisers, one_cycle

BATCH = 3
LEARNING_RATE = 3e-4
LATENT_NOISE = 0.06


def decoder_loss(vae: AutoencoderKL, latents: Tensor, batch: Tensor) -> Tensor:
    """One step's loss on whole pictures, the latents noisy."""
    noisy = latents + LATENT_NOISE * torch.rand(len(latents), 1, 1, 1, device=DEVICE) * torch.randn_like(latents)
    with half_precision():
        made = vae.decode(noisy).sample.float()
    return picture_loss(made, batch)


def tune_decoder(
    folder: Path,
    vae: AutoencoderKL,
    latents: NDArray[np.float16],
    pictures: Pictures,
    seed: int,
    steps: int,
) -> AutoencoderKL:
    """Trains the decoder until `steps` are done, earlier runs counted in; the whole autoencoder."""
    torch.manual_seed(seed)
    optimisers = make_optimisers(vae.decoder, ("conv_out",), LEARNING_RATE, LEARNING_RATE, 0.0)
    run = Run(folder / "vae-tuned.pt", {"vae": vae}, optimisers)
    rng = np.random.default_rng((seed, run.step))

    def loss() -> Tensor:
        chosen = rng.integers(0, len(latents), BATCH)
        known = torch.from_numpy(latents[chosen].astype(np.float32)).to(DEVICE)
        return decoder_loss(vae, known, as_input(pictures[chosen]))

    run.go_on(steps, loss, one_cycle)
    return vae
