"""A training run: the loop that every stage shares, its checkpoints and its reports."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from generation.builtin.training.device import DEVICE
from generation.builtin.training.muon import Muon

SAVE_EVERY = 100
REPORT_EVERY = 50
LARGEST_GRADIENT = 1.0

Schedule = Callable[[int, int], float]
"""The learning rate's factor, 0..1, from the step and the number of steps."""


def one_cycle(step: int, steps: int) -> float:
    """A short warm-up, then a cosine down to a hundredth."""
    progress = step / steps
    if progress < 0.03:
        return progress / 0.03 + 0.01
    return 0.01 + 0.99 * 0.5 * (1.0 + float(np.cos(np.pi * (progress - 0.03) / 0.97)))


def make_optimisers(
    module: nn.Module, ends: Sequence[str], matrix_rate: float, other_rate: float, weight_decay: float
) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the matrices inside, AdamW for the rest: norms, biases, and what is named in `ends`."""
    inside: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        is_inside = parameter.ndim >= 2 and not any(end in name for end in ends)
        (inside if is_inside else rest).append(parameter)
    return (
        Muon(inside, lr=matrix_rate, momentum=0.95, weight_decay=weight_decay),
        torch.optim.AdamW(rest, lr=other_rate, betas=(0.9, 0.98), weight_decay=0.0),
    )


class Run:
    """Modules and optimisers that are trained together, as they stand after `step` steps; kept in one file."""

    def __init__(
        self, path: Path, modules: Mapping[str, nn.Module], optimisers: Sequence[torch.optim.Optimizer]
    ) -> None:
        self.path, self.modules, self.optimisers, self.step = path, modules, optimisers, 0
        for module in modules.values():
            module.to(DEVICE)
        self._rates = [optimiser.param_groups[0]["lr"] for optimiser in optimisers]
        if path.exists():
            self._load()

    def _load(self) -> None:
        state = torch.load(self.path, map_location=DEVICE, weights_only=True)
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step = state["step"]

    def save(self) -> None:
        """Writes the state beside its place and renames it there."""
        state = {
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
        }
        fresh = self.path.with_suffix(".fresh")
        torch.save(state, fresh)
        fresh.rename(self.path)

    def go_on(
        self,
        steps: int,
        loss: Callable[[], Tensor],
        schedule: Schedule,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """Steps until `steps` are done, those of earlier runs counted in, saving and reporting as it goes."""
        started, begun, losses = time.monotonic(), self.step, []
        while self.step < steps:
            losses.append(self._advance(loss(), schedule(self.step, steps)))
            after()
            self.step += 1
            if self.step % REPORT_EVERY == 0:
                pace = (time.monotonic() - started) / (self.step - begun)
                recent = float(np.mean(losses[-REPORT_EVERY:]))
                print(
                    f"{self.path.stem} step {self.step} of {steps}  loss {recent:.4f}  "
                    f"{pace:.2f} s a step, {(steps - self.step) * pace / 60:.0f} min to go",
                    flush=True,
                )
            if self.step % SAVE_EVERY == 0:
                self.save()
        self.save()

    def _advance(self, loss: Tensor, factor: float) -> float:
        groups = [group for optimiser in self.optimisers for group in optimiser.param_groups]
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        parameters = [parameter for group in groups for parameter in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        for optimiser, rate in zip(self.optimisers, self._rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
            optimiser.step()
        return float(loss.detach())
