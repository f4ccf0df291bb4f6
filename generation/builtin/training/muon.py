"""Muon: momentum whose direction is orthogonalised, for the matrices of a network.

The autoencoder needs a fraction of AdamW's steps with it. Jordan et al., "Muon: An optimizer for hidden layers in
neural networks" (2024), gives the quintic Newton-Schulz iteration and its coefficients; the step is scaled to
AdamW's usual size as in Liu et al., arXiv:2502.16982, section 2.2.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalise(matrix: Tensor, iterations: int = 4) -> Tensor:
    """Nearly the closest matrix with orthonormal rows or columns; works in bfloat16."""
    wide = matrix.bfloat16()
    tall = wide.shape[0] > wide.shape[1]
    if tall:
        wide = wide.T
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(iterations):
        square = wide @ wide.T
        wide = _A * wide + (_B * square + _C * square @ square) @ wide
    found: Tensor = (wide.T if tall else wide).to(matrix.dtype)
    return found


class Muon(torch.optim.Optimizer):
    """Steps every parameter as a matrix of (outputs, everything else); convolutions too."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One update from the gradients that are set."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_one(parameter, parameter.grad, group)

    def _step_one(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        average = state["momentum"].lerp_(gradient, 1.0 - group["momentum"])
        direction = gradient.lerp(average, group["momentum"])
        matrix = direction.reshape(len(parameter), -1)
        size = 0.2 * max(matrix.shape) ** 0.5
        parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
        parameter.add_(orthogonalise(matrix).reshape(parameter.shape), alpha=-group["lr"] * size)
