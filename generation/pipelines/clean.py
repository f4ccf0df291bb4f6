"""From one denoising step to the clean latents that it hints at, for every scheduler in use: what previews show."""

from __future__ import annotations

from typing import Any

import torch


def clean_latents(
    scheduler: Any, result: Any, predicted: torch.Tensor, timestep: torch.Tensor, before: torch.Tensor
) -> torch.Tensor:
    """The x0 behind a step from `before` with the network's output `predicted`, in the latents' layout.

    Many schedulers say it themselves. For the others latents are `alpha * x0 + sigma * noise`
    (https://arxiv.org/abs/2202.00512, equation 8 and appendix D for the kinds of prediction), or, where they flow,
    `(1 - sigma) * x0 + sigma * noise` with `predicted` = noise - x0 (https://arxiv.org/abs/2210.02747).
    """
    said = _said(scheduler, result)
    if said is not None:
        return torch.as_tensor(said).to(before.dtype)
    if "Flow" in type(scheduler).__name__:
        sigma = scheduler.sigmas[scheduler.step_index - 1].to(before)
        return torch.as_tensor(before - sigma * predicted)
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


def _said(scheduler: Any, result: Any) -> torch.Tensor | None:
    """What the scheduler says itself: beside the next latents, or among the outputs that it keeps."""
    said = getattr(result, "pred_original_sample", None)
    if said is None and isinstance(result, tuple) and len(result) > 1 and torch.is_tensor(result[1]):
        said = result[1]
    if said is not None:
        return torch.as_tensor(said)
    kept = getattr(scheduler, "model_outputs", None)
    keeps_clean = str(scheduler.config.get("algorithm_type", "")).endswith("++") or scheduler.config.get("predict_x0")
    return torch.as_tensor(kept[-1]) if keeps_clean and kept and kept[-1] is not None else None
