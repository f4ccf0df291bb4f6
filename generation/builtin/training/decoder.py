"""A stage between the U-Net and the export: the decoder alone, on the latents that the U-Net was trained with.

The encoder stands still, so the U-Net's latents keep their meaning while what they decode to grows sharper.
A little noise on the latents teaches the decoder to forgive the U-Net's small errors.
"""

import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn

from generation.builtin.training.autoencoder import one_cycle, picture_loss
from generation.builtin.training.encode import as_input
from generation.builtin.training.muon import Muon
from generation.builtin.training.pool import Pictures

BATCH = 3
LEARNING_RATE = 8e-4
LATENT_NOISE = 0.12
REPORT_EVERY = 50


def decoder_loss(vae: AutoencoderKL, latents: Tensor, batch: Tensor) -> Tensor:
    """One step's loss on whole pictures, the latents noisy."""
    noisy = latents + LATENT_NOISE * torch.rand(len(latents), 1, 1, 1) * torch.randn_like(latents)
    with torch.autocast("cpu", torch.bfloat16):
        made = vae.decode(noisy).sample.float()
    return picture_loss(made, batch)


def tune_decoder(
    folder: Path,
    vae: AutoencoderKL,
    latents: NDArray[np.float16],
    pictures: Pictures,
    seed: int,
    minutes: float,
) -> AutoencoderKL:
    """Trains the decoder for that many minutes and keeps the whole autoencoder; or reads what was kept."""
    path = folder / "vae-tuned.pt"
    if path.exists():
        vae.load_state_dict(torch.load(path, weights_only=True))
        return vae
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    optimisers = _optimisers(vae)
    spent, step, losses = 0.0, 0, []
    while spent < minutes * 60.0:
        started = time.monotonic()
        chosen = rng.integers(0, len(latents), BATCH)
        known = torch.from_numpy(latents[chosen].astype(np.float32))
        loss = decoder_loss(vae, known, as_input(pictures[chosen]))
        vae.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = LEARNING_RATE * one_cycle(spent / (minutes * 60.0))
            optimiser.step()
        losses.append(float(loss.detach()))
        spent, step = spent + time.monotonic() - started, step + 1
        if step % REPORT_EVERY == 0:
            recent = float(np.mean(losses[-REPORT_EVERY:]))
            print(f"decoder step {step}  {spent / 60:.1f} of {minutes} min  loss {recent:.4f}", flush=True)
    torch.save(vae.state_dict(), path)
    return vae


def _optimisers(vae: AutoencoderKL) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the decoder's convolutions, AdamW for its last one, its norms and its biases."""
    inside: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in vae.decoder.named_parameters():
        (inside if parameter.ndim >= 2 and "conv_out" not in name else rest).append(parameter)
    return (
        Muon(inside, lr=LEARNING_RATE, momentum=0.95, weight_decay=0.0),
        torch.optim.AdamW(rest, lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.0),
    )
