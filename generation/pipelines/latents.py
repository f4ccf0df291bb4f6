"""Latents between a VAE and a scheduler: their layouts, and how they are scaled."""

from __future__ import annotations

from typing import Any

import torch

from generation.families import Layout


def spatial(latents: torch.Tensor, layout: Layout, size: tuple[int, int]) -> torch.Tensor:
    """Latents of any layout as (images, channels, rows, columns). `size` is the pictures', (width, height) in pixels."""
    if latents.dim() == 5:  # one frame, before or behind the channels
        return latents[:, :, 0] if latents.shape[2] == 1 else latents[:, 0].movedim(-1, 1)
    if latents.dim() == 4:
        return latents
    images, cells, depth = latents.shape
    width, height = size
    rows = max(1, round((cells * height / width) ** 0.5))
    columns = cells // rows
    grid = latents.view(images, rows, columns, depth)
    if layout is not Layout.PACKED:
        return grid.permute(0, 3, 1, 2)
    patches = grid.view(images, rows, columns, depth // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return patches.reshape(images, depth // 4, 2 * rows, 2 * columns)


@torch.no_grad()
def encode(pipe: Any, pixels: torch.Tensor, *, scaled: bool = True) -> torch.Tensor:
    """Pictures in -1..1, (images, 3, height, width), as the scheduler's latents, (images, channels, rows, columns).

    `scaled` as a family declares it.
    """
    vae = pipe.vae
    pixels = pixels.to(pipe._execution_device, vae.dtype)
    video = "causal" in str(type(vae.encoder)).lower() or hasattr(vae.config, "temperal_downsample")
    output = vae.encode(pixels.unsqueeze(2) if video else pixels)
    latents = output.latent_dist.mode() if hasattr(output, "latent_dist") else output.latent
    return _normalised(vae, latents[:, :, 0] if latents.dim() == 5 else latents, scaled=scaled)


def _normalised(vae: Any, latents: torch.Tensor, *, scaled: bool) -> torch.Tensor:
    """As the denoiser knows them: by each channel's statistics, or by one factor and one shift."""
    if hasattr(vae, "bn"):  # AutoencoderKLFlux2 normalises patches of 2×2 by what its batch norm has seen
        folded = torch.nn.functional.pixel_unshuffle(latents, 2)
        mean, variance = vae.bn.running_mean.view(1, -1, 1, 1), vae.bn.running_var.view(1, -1, 1, 1)
        normal = (folded - mean.to(folded)) / torch.sqrt(variance.to(folded) + vae.config.batch_norm_eps)
        return torch.nn.functional.pixel_shuffle(normal, 2)
    factor = vae.config.get("scaling_factor", 1.0) or 1.0
    mean, deviation = vae.config.get("latents_mean"), vae.config.get("latents_std")
    if mean is not None and deviation is not None:
        shape = (1, -1, 1, 1)
        centre, spread = torch.tensor(mean).view(shape).to(latents), torch.tensor(deviation).view(shape).to(latents)
        return (latents - centre) * (factor if scaled else 1.0) / spread
    return (latents - (vae.config.get("shift_factor") or 0.0)) * factor
