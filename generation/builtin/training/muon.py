"""Muon: momentum whose direction is orthogonalised, for the matrices of a network.

The autoencoder needs a fraction of AdamW's steps with it. Jordan et al., "Muon: An optimizer for hidden layers in
neural networks" (2024), gives the quintic Newton-Schulz iteration and its coefficients; the step is scaled to
AdamW's usual size as in Liu et al., arXiv:2502.16982, section 2.2.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalise(matrices: Tensor, iterations: int = 4) -> Tensor:
    """Nearly the closest matrices with orthonormal rows or columns, (n, rows, columns); works in bfloat16."""
    wide = matrices.bfloat16()
    tall = wide.shape[1] > wide.shape[2]
    if tall:
        wide = wide.mT
    wide = wide / (wide.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(iterations):
        square = wide @ wide.mT
        wide = _A * wide + (_B * square + _C * square @ square) @ wide
    found: Tensor = (wide.mT if tall else wide).to(matrices.dtype)
    return found


class Muon(torch.optim.Optimizer):
    """Steps every parameter as a matrix of (outputs, everything else); convolutions too."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One update from the gradients that are set; matrices of one shape together, for a GPU's sake."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.flatten(1).shape].append(parameter)
            for parameters in alike.values():
                self._step_alike(parameters, group)

    def _step_alike(self, parameters: Sequence[Tensor], group: dict[str, Any]) -> None:
        directions = [self._direction(parameter, group["momentum"]).flatten(1) for parameter in parameters]
        size = 0.2 * max(directions[0].shape) ** 0.5
        for parameter, change in zip(parameters, orthogonalise(torch.stack(directions)), strict=True):
            parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
            parameter.add_(change.reshape(parameter.shape), alpha=-group["lr"] * size)

    def _direction(self, parameter: Tensor, momentum: float) -> Tensor:
        """The gradient with Nesterov's momentum."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        average = state["momentum"].lerp_(parameter.grad, 1.0 - momentum)
        return parameter.grad.lerp(average, momentum)
