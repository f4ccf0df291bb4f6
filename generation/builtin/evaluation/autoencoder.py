"""How well the autoencoder restores a picture: PSNR in dB of each picture, then the mean over pictures."""

from argparse import Namespace
from collections import defaultdict
from math import inf, log10

import numpy as np
import torch
from diffusers import AutoencoderKL

from generation.builtin.evaluation.rendered import rendered
from generation.builtin.evaluation.tables import Figure, at_least, print_table
from generation.builtin.training.device import DEVICE
from generation.builtin.training.encode import as_input
from generation.builtin.training.pool import Pictures

TARGET = 32.0
REPORT_EVERY = 20


def psnr(one: Pictures, other: Pictures) -> float:
    """The peak signal-to-noise ratio of two pictures in dB; infinite where they are the same."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return 10.0 * log10(255.0**2 / error) if error else inf


@torch.no_grad()
def restored(vae: AutoencoderKL, picture: Pictures) -> Pictures:
    """The picture (rows, columns, 3) encoded and decoded, rounded to uint8."""
    latents = vae.encode(as_input(np.stack([picture]))).latent_dist.mode()
    levels = ((vae.decode(latents).sample[0] * 0.5 + 0.5).clamp(0.0, 1.0) * 255.0).round()
    made: Pictures = levels.permute(1, 2, 0).to(torch.uint8).cpu().numpy()
    return made


def run(options: Namespace) -> list[Figure]:
    """The command `autoencoder`."""
    vae = AutoencoderKL.from_pretrained(options.weights / "vae", torch_dtype=torch.float32).to(DEVICE)
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for done, (scene, picture) in enumerate(rendered(options.seed, options.pictures), 1):
        value = psnr(picture, restored(vae, picture))
        rows, columns, _ = picture.shape
        for group in ("all", f"style {scene.style or 'plain'}", f"size {columns}x{rows}"):
            groups[group].append(value)
        if done % REPORT_EVERY == 0:
            print(f"restored {done} of {options.pictures}  mean {np.mean(groups['all']):.2f} dB", flush=True)
    lines = [
        (group, str(len(values)), f"{np.mean(values):.2f}", f"{min(values):.2f}")
        for group, values in sorted(groups.items())
    ]
    print_table(("pictures", "count", "mean dB", "least dB"), lines)
    return [
        at_least("autoencoder, mean of each picture's PSNR", float(np.mean(groups["all"])), TARGET, "dB"),
        Figure(what="autoencoder, least PSNR", measured=f"{min(groups['all']):.1f} dB"),
    ]
