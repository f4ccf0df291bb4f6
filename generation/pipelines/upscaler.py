"""Swin2SR: pictures made larger in one pass, faster than by drawing, and without new things in them.

https://arxiv.org/abs/2209.11345. It takes no words, no seed and no steps.
"""

from __future__ import annotations

from collections.abc import Generator
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

    def draw(self, call: Call) -> Generator[Step, None, torch.Tensor]:
        """Yield a step for each source; return them in their own size, (images, 3, height, width) in 0..1, sharper.

        A source is a part of a picture that was enlarged: it is made as small as it was, and then large by the network.
        """
        drawn = []
        for number, source in enumerate(call.sources, start=1):
            drawn.append(self._enlarged(source))
            yield Step(done=number, of=len(call.sources), guess=lambda: drawn[-1])
        return torch.cat(drawn)

    def preview(self, _step: Step, _size: tuple[int, int]) -> None:
        """There is none: it takes one pass."""

    @torch.no_grad()
    def _enlarged(self, source: Image.Image) -> torch.Tensor:
        factor, (width, height) = self._network.config.upscale, source.size
        small = source.resize((-(-width // factor), -(-height // factor)), Image.Resampling.LANCZOS)
        pixels = to_pixels(small).to(self._network.device, self._network.dtype)
        large: torch.Tensor = self._network(pixel_values=pixels).reconstruction
        return large[:, :, :height, :width].clamp(0, 1)
