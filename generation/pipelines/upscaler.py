"""Swin2SR: pictures made larger in one pass, faster than by drawing, and without new things in them.

https://arxiv.org/abs/2209.11345. It takes no words, no seed and no steps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import torch
from PIL import Image

from generation.calls import Call
from generation.catalogue import ModelSpec
from generation.pipelines.base import to_pixels
from generation.pipelines.stepwise import Step


class _Parts:
    """The network, with what a pipeline of diffusers offers beside drawing."""

    def __init__(self, network: Any) -> None:
        self.components = {"network": network}

    def maybe_free_model_hooks(self) -> None:
        """It has none."""

    def remove_all_hooks(self) -> None:
        """It has none."""


class Upscaler:
    """A loaded network, to be used as a `Model` is."""

    def __init__(self, network: Any, spec: ModelSpec) -> None:
        self.pipe, self.spec = _Parts(network), spec
        self._network = network

    def draw(self, call: Call, seen: Callable[[torch.Tensor], None]) -> Generator[Step, None, None]:
        """Show each source in its own size, sharper, (3, height, width) in 0..1, and yield a step for it.

        A source is a part of a picture that was enlarged: it is made as small as it was, and then large by the network.
        """
        for number, source in enumerate(call.sources, start=1):
            large = self._enlarged(source)
            seen(large)
            yield Step(done=number, of=len(call.sources), guess=lambda: large)  # noqa: B023

    def preview(self, _step: Step, _size: tuple[int, int]) -> None:
        """There is none: it takes one pass."""

    @torch.no_grad()
    def _enlarged(self, source: Image.Image) -> torch.Tensor:
        factor, (width, height) = self._network.config.upscale, source.size
        small = source.resize((-(-width // factor), -(-height // factor)), Image.Resampling.LANCZOS)
        pixels = to_pixels(small).to(self._network.device, self._network.dtype)
        large: torch.Tensor = self._network(pixel_values=pixels).reconstruction
        return large[0, :, :height, :width].clamp(0, 1)
