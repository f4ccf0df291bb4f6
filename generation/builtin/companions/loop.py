"""What a companion is, and how any of them is trained."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from generation.builtin.training.denoiser import warm_up_and_decay
from generation.builtin.training.device import DEVICE
from generation.builtin.training.run import Run


class Companion(Protocol):
    """Something small that is trained beside the built-in model."""

    name: str
    rate: float
    """The peak learning rate of AdamW."""

    @property
    def model(self) -> nn.Module:
        """The built-in model with the companion; what is to be trained wants gradients."""
        ...

    def losses(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """An endless row of losses, one of a batch each."""
        ...

    def export(self, folder: Path) -> list[Path]:
        """Writes half-precision safetensors for diffusers' own loaders; the files of weights."""
        ...


def train(folder: Path, companion: Companion, seed: int, steps: int) -> None:
    """Trains in place until `steps` are done, earlier runs counted in; the state is kept in the folder."""
    model = companion.model.to(DEVICE)
    trained = nn.ParameterList(parameter for parameter in model.parameters() if parameter.requires_grad)
    optimiser = torch.optim.AdamW(trained, lr=companion.rate, betas=(0.9, 0.98), weight_decay=0.01)
    run = Run(folder / f"{companion.name}.pt", {"trained": trained}, [optimiser])
    torch.manual_seed(seed + run.step)
    losses = companion.losses(np.random.default_rng((seed, run.step)))
    run.go_on(steps, lambda: next(losses), warm_up_and_decay)
