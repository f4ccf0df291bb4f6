"""The first stage of training: the autoencoder, on crops of drawn pictures.

Loss: absolute error, that of edges at two scales, and a light pull of the latents towards a unit normal.
Half of the time latents and target are mirrored together, so that a mirrored picture has mirrored latents
and the U-Net may train on both.
"""

import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional

from generation.builtin.architecture import LATENT_CHANNELS, make_vae
from generation.builtin.training.muon import Muon
from generation.builtin.training.pool import Pictures

LEARNING_RATE = 2e-3
KL_WEIGHT = 1e-4
FIRST_LOG_VARIANCE = -5.0
"""The latents' noise at the start: little, lest the decoder learn to do without them."""
SAVE_EVERY = 100
REPORT_EVERY = 50
CROPS = ((0.5, 5, 128), (1.0, 2, 256))
"""Until which share of the time, how many crops make a batch, and how wide they are."""


def crops(rng: np.random.Generator, pictures: Pictures, count: int, side: int) -> Tensor:
    """Random square crops, float, shape (count, 3, side, side), values -1..1."""
    rows, columns = pictures.shape[1:3]
    picked = []
    for index in rng.integers(0, len(pictures), count):
        top, left = int(rng.integers(0, rows - side + 1)), int(rng.integers(0, columns - side + 1))
        picked.append(pictures[index, top : top + side, left : left + side])
    batch = torch.from_numpy(np.stack(picked)).permute(0, 3, 1, 2).float() / 127.5 - 1.0
    return batch.contiguous(memory_format=torch.channels_last)


def edges(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Differences between neighbouring pixels, down and across."""
    return pictures[:, :, 1:] - pictures[:, :, :-1], pictures[:, :, :, 1:] - pictures[:, :, :, :-1]


def picture_loss(made: Tensor, target: Tensor) -> Tensor:
    """Absolute error of pixels plus that of edges, at full and at half size."""
    loss = (made - target).abs().mean()
    for _ in range(2):
        for made_edge, target_edge in zip(edges(made), edges(target), strict=True):
            loss = loss + 0.5 * (made_edge - target_edge).abs().mean()
        made, target = functional.avg_pool2d(made, 2), functional.avg_pool2d(target, 2)
    return loss


def vae_loss(vae: AutoencoderKL, batch: Tensor, mirrored: bool) -> Tensor:
    """One step's loss; the passes through the network run in bfloat16."""
    with torch.autocast("cpu", torch.bfloat16):
        posterior = vae.encode(batch).latent_dist
        latents = posterior.sample()
        made = vae.decode(latents.flip(3) if mirrored else latents).sample.float()
    kl = 0.5 * (posterior.mean.float() ** 2 + posterior.var.float() - 1.0 - posterior.logvar.float()).mean()
    loss: Tensor = picture_loss(made, batch.flip(3) if mirrored else batch) + KL_WEIGHT * kl
    return loss


def one_cycle(progress: float) -> float:
    """The learning rate's factor: a short warm-up, then a cosine down to a hundredth."""
    if progress < 0.03:
        return progress / 0.03 + 0.01
    return 0.01 + 0.99 * 0.5 * (1.0 + float(np.cos(np.pi * (progress - 0.03) / 0.97)))


def make_optimisers(vae: AutoencoderKL) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the convolutions inside, AdamW for the rest: ends, norms, biases."""
    ends = ("encoder.conv_in", "decoder.conv_out", "quant_conv")
    inside: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in vae.named_parameters():
        (inside if parameter.ndim >= 2 and not any(end in name for end in ends) else rest).append(parameter)
    return (
        Muon(inside, lr=LEARNING_RATE, momentum=0.95, weight_decay=0.01),
        torch.optim.AdamW(rest, lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.0),
    )


def _open_main_path(vae: AutoencoderKL) -> None:
    """Starts as a plain averaging pyramid: what by-passes the residual branches does not fade.

    PyTorch's own start shrinks the signal about a hundredfold on its way; colours are then learned slowly.
    """
    for name, module in vae.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        if "conv_shortcut" in name or name.endswith(("quant_conv", "conv_in", "encoder.conv_out")):
            nn.init.orthogonal_(module.weight[:, :, module.kernel_size[0] // 2, module.kernel_size[1] // 2])
        if "downsamplers" in name:
            module.weight *= 0.3
            module.weight += torch.eye(len(module.weight))[:, :, None, None] / 9.0
        if "upsamplers" in name:
            module.weight *= 0.3
            module.weight[:, :, 1, 1] += torch.eye(len(module.weight))
        if name.endswith("conv2"):
            module.weight *= 0.5
        if name.endswith("conv_in") and module.bias is not None:
            nn.init.uniform_(module.bias, -1.0, 1.0)


def new_vae(start: Path | None = None) -> AutoencoderKL:
    """An untrained autoencoder whose latents start almost free of noise; or that of a pipeline folder."""
    if start:
        known: AutoencoderKL = AutoencoderKL.from_pretrained(start / "vae", torch_dtype=torch.float32)
        return known.to(memory_format=torch.channels_last)
    vae = make_vae().to(memory_format=torch.channels_last)
    with torch.no_grad():
        _open_main_path(vae)
        vae.quant_conv.weight[LATENT_CHANNELS:] = 0.0
        vae.quant_conv.bias[LATENT_CHANNELS:] = FIRST_LOG_VARIANCE
    return vae


class VAETraining:
    """The run's whole state: what is saved, loaded, and advanced by one step at a time."""

    def __init__(self, folder: Path, pictures: Pictures, seed: int, start: Path | None = None) -> None:
        torch.manual_seed(seed)
        self.path = folder / "vae.pt"
        self.pictures = pictures
        self.vae = new_vae(start)
        self.optimisers = make_optimisers(self.vae)
        self.step, self.spent = 0, 0.0
        if self.path.exists():
            state = torch.load(self.path, weights_only=True)
            self.vae.load_state_dict(state["vae"])
            for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(saved)
            self.step, self.spent = state["step"], state["spent"]
        self.rng = np.random.default_rng((seed, self.step))

    def save(self) -> None:
        """Writes the state beside its place and renames it there."""
        state = {
            "vae": self.vae.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "spent": self.spent,
        }
        fresh = self.path.with_suffix(".fresh")
        torch.save(state, fresh)
        fresh.rename(self.path)

    def advance(self, seconds: float) -> float:
        """One step towards an end after `seconds` of training; the step's loss."""
        started, progress = time.monotonic(), self.spent / seconds
        count, side = next((count, side) for until, count, side in CROPS if progress < until)
        loss = vae_loss(self.vae, crops(self.rng, self.pictures, count, side), bool(self.rng.integers(2)))
        self.vae.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.vae.parameters(), 1.0)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = LEARNING_RATE * one_cycle(progress)
            optimiser.step()
        self.step, self.spent = self.step + 1, self.spent + time.monotonic() - started
        return float(loss.detach())


def train_vae(
    folder: Path, pictures: Pictures, seed: int, minutes: float, start: Path | None = None
) -> AutoencoderKL:
    """Trains until `minutes` are spent, earlier runs counted in, saving as it goes."""
    training, losses = VAETraining(folder, pictures, seed, start), []
    while training.spent < minutes * 60.0:
        losses.append(training.advance(minutes * 60.0))
        if training.step % REPORT_EVERY == 0:
            recent = float(np.mean(losses[-REPORT_EVERY:]))
            print(
                f"vae step {training.step}  {training.spent / 60:.1f} of {minutes} min  loss {recent:.4f}",
                flush=True,
            )
        if training.step % SAVE_EVERY == 0:
            training.save()
    training.save()
    return training.vae
