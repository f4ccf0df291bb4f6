"""Previews: latents to small pictures by a linear map, which costs under a millisecond.

The map is what a model's folder says in `preview.json`, or else it is fitted on the model's own VAE when it is
loaded: encode smooth random colours, and solve for the factors that give them back (least squares). So a preview
fits any VAE, without a table for each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

_FIT_IMAGES, _FIT_CELLS, _FIT_COLOURS = 4, 12, 5
"""The fit looks at 4 pictures of 12×12 latent cells, each made of 5×5 random colours."""
_PROBE = 64
"""The side of a picture that tells how many pixels a latent stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """`latents @ weight + bias` is RGB in 0..1: weight (channels, 3), bias (3,), both on the CPU."""

    weight: torch.Tensor
    bias: torch.Tensor

    def pictures(self, latents: torch.Tensor) -> list[Image.Image]:
        """Latents, (images, channels, height, width), as pictures of one pixel for each cell."""
        cells = latents.detach().float().cpu().permute(0, 2, 3, 1)
        colours = (cells @ self.weight + self.bias).nan_to_num(0.5).clamp(0, 1)
        return [Image.fromarray(picture.numpy()) for picture in (colours * 255).round().to(torch.uint8)]


def read(folder: Path | None) -> Factors | None:
    """The factors that a model's folder brings along, or None."""
    file = folder / "preview.json" if folder else None
    if file is None or not file.is_file():
        return None
    data = json.loads(file.read_text(encoding="utf-8"))
    return Factors(weight=torch.tensor(data["factors"]).float(), bias=torch.tensor(data["bias"]).float())


@torch.no_grad()
def fit(encode: Callable[[torch.Tensor], torch.Tensor]) -> Factors:
    """Fit the map on `encode`, from pictures in -1..1 to latents."""
    cell = _PROBE // encode(torch.zeros(1, 3, _PROBE, _PROBE)).shape[-1]
    seeded = torch.Generator("cpu").manual_seed(0)
    colours = torch.rand(_FIT_IMAGES, 3, _FIT_COLOURS, _FIT_COLOURS, generator=seeded)
    side = _FIT_CELLS * cell
    pictures = torch.nn.functional.interpolate(colours, (side, side), mode="bicubic", align_corners=True).clamp(0, 1)
    latents = encode(pictures * 2 - 1).float().cpu()
    wanted = torch.nn.functional.adaptive_avg_pool2d(pictures, (latents.shape[-2], latents.shape[-1]))
    rows = latents.permute(0, 2, 3, 1).flatten(0, 2)
    rows = torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
    solution = torch.linalg.lstsq(rows, wanted.permute(0, 2, 3, 1).flatten(0, 2)).solution
    return Factors(weight=solution[:-1], bias=solution[-1])
