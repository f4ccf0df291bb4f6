"""Decoding one picture after the other, so that what is done with one goes on beside the decoding of the next."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import torch


def one_by_one(vae: Any, told: Callable[[torch.Tensor], None]) -> Any:
    """The VAE, over the same weights, which tells of each picture that it decodes, (3, height, width) in 0..1.

    VAEs give -1..1, which diffusers' pipelines bring to 0..1 afterwards.
    """
    telling = copy.copy(vae)

    @functools.wraps(vae.decode)
    def decode(latents: torch.Tensor, *more: Any, **options: Any) -> Any:
        pictures = []
        for single in torch.split(latents, 1):
            output = vae.decode(single, *more, **options)
            pictures.append(output[0])
            frame = output[0][0, :, 0] if output[0].dim() == 5 else output[0][0]
            told((frame.float() * 0.5 + 0.5).clamp(0, 1))
        whole = torch.cat(pictures)
        return (whole,) if isinstance(output, tuple) else type(output)(sample=whole)

    telling.decode = decode
    return telling
