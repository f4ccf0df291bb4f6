"""What every family offers to the engine, and the few things that all of them do the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import nn

from generation.contract import Request
from generation.pipelines.previews import Factors


class BrokenImage(RuntimeError):
    """The pictures came out as NaN or blank."""


class Drawing(Protocol):
    """One request being drawn. Its state is its own, so that several may be advanced in turns."""

    @property
    def steps(self) -> int:
        """How many times `step` is to be called."""
        ...

    def step(self) -> None:
        """Run one denoising step."""
        ...

    def estimate(self) -> torch.Tensor:
        """The latest step's guess of the finished latents, (images, channels, height, width)."""
        ...

    def decode(self) -> torch.Tensor:
        """The pictures, (images, 3, height, width) in -1..1."""
        ...


class Pipeline(Protocol):
    """A loaded model. `pipe` is diffusers' pipeline, `factors` turn latents into a preview."""

    pipe: Any
    factors: Factors

    def begin(self, request: Request, source: Image.Image | None) -> Drawing:
        """Encode prompt and source, and make the noise. `source` has the request's size."""
        ...


def dtype_for(device: torch.device, preferred: torch.dtype) -> torch.dtype:
    """The family's half precision on an accelerator, single precision on a CPU."""
    return torch.float32 if device.type == "cpu" else preferred


def place(pipe: Any, device: torch.device, *, offload: bool) -> None:
    """Put the weights where they work. Offloading needs an accelerator."""
    if offload and device.type != "cpu":
        pipe.enable_model_cpu_offload(device=device)
    else:
        pipe.to(device)


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


def fresh_scheduler(pipe: Any) -> Any:
    """A scheduler with the model's own configuration and no state: schedulers remember, and must not be shared."""
    return type(pipe.scheduler).from_config(pipe.scheduler.config)


def generators(seeds: Sequence[int]) -> list[torch.Generator]:
    """One generator for each image, on the CPU, so that a seed means the same noise on every device."""
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def first_step(steps: int, strength: float) -> int:
    """Where in the schedule image-to-image begins; at least the last step is left."""
    return min(steps - min(int(steps * strength), steps), steps - 1)


def to_pixels(source: Image.Image) -> torch.Tensor:
    """An RGB picture as (1, 3, height, width) in -1..1."""
    scaled = np.array(source, dtype=np.float32) / 255
    return 2 * torch.from_numpy(scaled).permute(2, 0, 1).unsqueeze(0) - 1


def to_pictures(decoded: torch.Tensor) -> list[Image.Image]:
    """Decoded pictures, (images, 3, height, width) in -1..1, as Pillow's. Raises BrokenImage for NaN and blank ones.

    Blank means that every pixel is the same: a dark picture of something isn't.
    """
    low, high = decoded.amin((2, 3)), decoded.amax((2, 3))  # NaN goes through both
    if not bool((low.isfinite() & high.isfinite()).all()):
        raise BrokenImage("a picture has values that aren't numbers")
    if bool((_to_levels(low) == _to_levels(high)).all(dim=1).any()):
        raise BrokenImage("a picture is blank")
    return [Image.fromarray(_to_levels(picture).permute(1, 2, 0).contiguous().cpu().numpy()) for picture in decoded]


def _to_levels(values: torch.Tensor) -> torch.Tensor:
    """Values in -1..1 as 0..255."""
    return values.float().mul(127.5).add_(127.5).clamp_(0, 255).round_().to(torch.uint8)
