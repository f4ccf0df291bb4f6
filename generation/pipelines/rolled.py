"""Pictures that continue themselves: between two steps the latents are shifted around, so that no place is their edge.

What leaves on one side comes in on the other, and the network joins it as it joins any other place. The VAE decodes with
a margin from the other side, which is cut off. Nothing of an architecture is changed: padding that wraps around, which
UNets could be given, takes the sense of place from some, and transformers have no padding.
"""

from __future__ import annotations

import copy
import functools
import random
from typing import Any

import torch

_MARGIN = 8
"""Latents that the VAE sees of the other side."""
_LATE = 0.9
"""Where pictures stand upright, only in the last tenth of the steps they are shifted up and down."""


class Rolled:
    """The latents of one call, for pictures of a size, (width, height), in steps of `unit`; all are pixels.

    `upright` is for a model whose pictures all have a ground and a sky. Shifts are the same in each call, so that a picture
    of a batch is that which its seed draws alone.
    """

    def __init__(self, size: tuple[int, int], *, unit: int, upright: bool) -> None:
        self._size, self._unit, self._upright = size, unit, upright
        self._random = random.Random(0)
        self._right = self._down = 0

    def follow(self, pipe: Any) -> None:
        """Have the pipeline's scheduler shift the latents after each step, and what it remembers of earlier ones."""
        scheduler, step, done = pipe.scheduler, pipe.scheduler.step, 0

        @functools.wraps(step)
        def rolled(output: Any, timestep: Any, sample: Any, *more: Any, **options: Any) -> Any:
            nonlocal done
            result = step(output, timestep, sample, *more, **options)
            done += 1
            late = not self._upright or done >= _LATE * len(scheduler.timesteps)
            right, down = (self._unit * self._random.randrange(side // self._unit) for side in self._size)
            down *= late
            self._right, self._down = (self._right + right) % self._size[0], (self._down + down) % self._size[1]

            def moved(kept: Any) -> Any:
                if isinstance(kept, list):
                    return [moved(one) for one in kept]
                same = torch.is_tensor(kept) and kept.shape == sample.shape
                return self._shifted(kept, right, down) if same else kept

            vars(scheduler).update({name: moved(kept) for name, kept in vars(scheduler).items()})
            shifted = self._shifted(result[0], right, down)
            if isinstance(result, tuple):
                return (shifted, *result[1:])
            result["prev_sample"] = shifted
            return result

        scheduler.step = rolled

    def back(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents as if they had not been shifted, in the scheduler's layout or the VAE's."""
        return self._shifted(latents, -self._right, -self._down)

    def decoder(self, vae: Any) -> Any:
        """The VAE, over the same weights: it shifts back what it decodes, and sees its edges joined."""
        joined = copy.copy(vae)

        @functools.wraps(vae.decode)
        def decode(latents: torch.Tensor, *more: Any, **options: Any) -> Any:
            latents = self.back(latents)
            margins = {dim: min(_MARGIN, latents.shape[dim]) for dim in (-2, -1)}
            for dim, margin in margins.items():
                last = latents.narrow(dim, latents.shape[dim] - margin, margin)
                latents = torch.cat([last, latents, latents.narrow(dim, 0, margin)], dim)
            output = vae.decode(latents, *more, **options)
            picture = output[0]
            scale = picture.shape[-1] // latents.shape[-1]
            for dim, margin in margins.items():
                picture = picture.narrow(dim, scale * margin, picture.shape[dim] - 2 * scale * margin)
            return (picture,) if isinstance(output, tuple) else type(output)(sample=picture)

        joined.decode = decode
        return joined

    def _shifted(self, latents: torch.Tensor, right: int, down: int) -> torch.Tensor:
        """Latents of any layout shifted by so many pixels."""
        width, height = self._size
        shape, across = latents.shape, (-1, -2)
        if latents.dim() == 3:  # cells in rows
            rows = round((shape[1] * height / width) ** 0.5)
            latents, across = latents.view(shape[0], rows, -1, shape[2]), (2, 1)
        elif latents.dim() == 5 and shape[2] != 1:  # a frame, rows, columns, channels
            across = (3, 2)
        columns, rows = (latents.shape[dim] for dim in across)
        return latents.roll((right * columns // width, down * rows // height), across).reshape(shape)
