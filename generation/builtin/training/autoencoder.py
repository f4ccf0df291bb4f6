"""The first stage of training: the autoencoder, on crops of drawn pictures.

Loss: absolute error, that of edges at two scales, squared error, and a light pull of the latents towards a unit
normal. Half of the time latents and target are mirrored together, so that a mirrored picture has mirrored latents
and the U-Net may train on both. Going on from known weights, latents are held near what they were, so that a U-Net
trained on those needs only to get used to the new ones.
"""

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional

from generation.builtin.architecture import LATENT_CHANNELS, make_vae
from generation.builtin.training.device import DEVICE, half_precision
from generation.builtin.training.pool import Pictures
from generation.builtin.training.run import Run, make_optimisers, one_cycle

LEARNING_RATE = 2e-3
GENTLE = 0.2
"""The learning rate's factor where training goes on from known weights."""
SQUARE_WEIGHT = 4.0
KL_WEIGHT = 1e-4
HOLD_WEIGHT = 0.02
"""Of the squared way from the known encoder's latents, where training goes on from known weights."""
FIRST_LOG_VARIANCE = -5.0
"""The latents' noise at the start: little, lest the decoder learn to do without them."""
ENDS = ("encoder.conv_in", "decoder.conv_out", "quant_conv")
"""Layers that AdamW trains, since they begin or end the network."""
CROPS = ((0.7, 8, 128), (1.0, 2, 256))
"""Until which share of the steps, how many crops make a batch, and how wide they are."""


def _crop(rng: np.random.Generator, pictures: Pictures, side: int) -> Pictures:
    rows, columns = pictures.shape[1:3]
    top, left = int(rng.integers(0, rows - side + 1)), int(rng.integers(0, columns - side + 1))
    return pictures[int(rng.integers(len(pictures))), top : top + side, left : left + side]


def _detail(crop: Pictures) -> float:
    """How much neighbouring pixels differ; on every other row, to be quick."""
    return float(np.abs(np.diff(crop[::2].astype(np.int16), axis=1)).mean())


def crops(rng: np.random.Generator, pictures: Pictures, count: int, side: int) -> Tensor:
    """Square crops, float, shape (count, 3, side, side), values -1..1: of two at random the one with more detail."""
    picked = [max((_crop(rng, pictures, side) for _ in range(2)), key=_detail) for _ in range(count)]
    batch = torch.from_numpy(np.stack(picked)).permute(0, 3, 1, 2)
    batch = batch.to(DEVICE).float() / 127.5 - 1.0
    return batch.contiguous(memory_format=torch.channels_last)


def edges(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Differences between neighbouring pixels, down and across."""
    return pictures[:, :, 1:] - pictures[:, :, :-1], pictures[:, :, :, 1:] - pictures[:, :, :, :-1]


def picture_loss(made: Tensor, target: Tensor) -> Tensor:
    """Absolute and squared error of pixels, plus absolute error of edges at full and at half size."""
    loss = (made - target).abs().mean() + SQUARE_WEIGHT * functional.mse_loss(made, target)
    for _ in range(2):
        for made_edge, target_edge in zip(edges(made), edges(target), strict=True):
            loss = loss + 0.5 * (made_edge - target_edge).abs().mean()
        made, target = functional.avg_pool2d(made, 2), functional.avg_pool2d(target, 2)
    return loss


def vae_loss(vae: AutoencoderKL, batch: Tensor, mirrored: bool, known: AutoencoderKL | None = None) -> Tensor:
    """One step's loss; the passes through the network run in bfloat16. Latents are held near those of `known`."""
    with half_precision():
        posterior = vae.encode(batch).latent_dist
        latents = posterior.sample()
        made = vae.decode(latents.flip(3) if mirrored else latents).sample.float()
    target = batch.flip(3) if mirrored else batch
    mean = posterior.mean.float()
    kl = 0.5 * (mean**2 + posterior.var.float() - 1.0 - posterior.logvar.float()).mean()
    loss: Tensor = picture_loss(made, target) + KL_WEIGHT * kl
    if known is not None:
        with torch.no_grad(), half_precision():
            held = known.encode(batch).latent_dist.mean.float()
        loss = loss + HOLD_WEIGHT * functional.mse_loss(mean, held)
    return loss


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


def train_vae(folder: Path, pictures: Pictures, seed: int, steps: int, start: Path | None = None) -> AutoencoderKL:
    """Trains until `steps` are done, earlier runs counted in.

    A new run begins with random weights, or with those of the pipeline folder `start`.
    """
    torch.manual_seed(seed)
    vae = new_vae(start)
    known = deepcopy(vae).to(DEVICE).requires_grad_(False) if start else None
    rate = LEARNING_RATE * (GENTLE if start else 1.0)
    run = Run(folder / "vae.pt", {"vae": vae}, make_optimisers(vae, ENDS, rate, rate, 0.01))
    rng = np.random.default_rng((seed, run.step))

    def loss() -> Tensor:
        count, side = next((count, side) for until, count, side in CROPS if run.step <= until * steps)
        return vae_loss(vae, crops(rng, pictures, count, side), bool(rng.integers(2)), known)

    run.go_on(steps, loss, one_cycle)
    return vae
