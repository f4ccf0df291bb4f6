"""From one denoising step to a guess of the finished latents, for every scheduler in use: what previews show."""

from __future__ import annotations

from typing import Any

import torch


def clean_latents(
    scheduler: Any, output: Any, predicted: torch.Tensor, timestep: torch.Tensor, before: torch.Tensor
) -> torch.Tensor:
    """The x0 behind a step from `before` with the network's output `predicted`.

    Many schedulers say it themselves. For the others latents are `alpha * x0 + sigma * noise`
    (https://arxiv.org/abs/2202.00512, equation 8 and appendix D for the kinds of prediction).
    """
    said = getattr(output, "pred_original_sample", None)
    if said is not None:
        return torch.as_tensor(said)
    alpha_squared = scheduler.alphas_cumprod.to(before.device)[timestep.long()]
    alpha, sigma = alpha_squared**0.5, (1 - alpha_squared) ** 0.5
    guess: torch.Tensor
    match scheduler.config.prediction_type:
        case "epsilon":
            guess = (before - sigma * predicted) / alpha
        case "v_prediction":
            guess = alpha * before - sigma * predicted
        case _:
            guess = predicted
    return guess.to(before.dtype)
