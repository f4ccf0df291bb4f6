"""What is the same for every model: looking up from a long computation, and its pictures as Pillow's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn


class BrokenImage(RuntimeError):
    """The pictures came out as NaN or blank."""


def blocks(pipe: Any) -> Iterator[nn.Module]:
    """The repeated blocks of every network of a pipeline: places to look up from a long computation."""
    for component in pipe.components.values():
        if isinstance(component, nn.Module):
            for module in component.modules():
                if isinstance(module, nn.ModuleList):
                    yield from filter(None, module)


def look_up(pipe: Any, pulse: Callable[[], None]) -> None:
    """Call `pulse` before every block, which may raise to leave the computation."""

    def hook(_module: nn.Module, _arguments: Any) -> None:
        pulse()

    for block in blocks(pipe):
        block.register_forward_pre_hook(hook)


def to_pixels(source: Image.Image) -> torch.Tensor:
    """An RGB picture as (1, 3, height, width) in 0..1."""
    scaled = np.array(source, dtype=np.float32) / 255
    return torch.from_numpy(scaled).permute(2, 0, 1).unsqueeze(0)


def to_picture(decoded: torch.Tensor) -> Image.Image:
    """A decoded picture, (3, height, width) in 0..1, as Pillow's. Raises BrokenImage for NaN."""
    low, high = decoded.aminmax()  # NaN goes through both
    if not bool(low.isfinite() & high.isfinite()):
        raise BrokenImage("a picture has values that aren't numbers")
    return Image.merge("RGB", [Image.fromarray(band.numpy()) for band in _to_levels(decoded).cpu()])


def none_blank(pictures: Iterable[Image.Image]) -> None:
    """Raises BrokenImage for a picture of which every pixel is the same: a dark picture of something isn't blank."""
    if any(all(low == high for low, high in picture.getextrema()) for picture in pictures):  # type: ignore[misc]
        raise BrokenImage("a picture is blank")


def _to_levels(values: torch.Tensor) -> torch.Tensor:
    """Values in 0..1 as 0..255."""
    return values.float().mul(255).clamp_(0, 255).round_().to(torch.uint8)
