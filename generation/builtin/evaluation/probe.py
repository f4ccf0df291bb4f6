"""The probe: a small network that reads off a picture what it shows."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from generation.builtin.drawing.scenes import (
    COLOURS,
    GROUNDS,
    LUMINARIES,
    PLACES,
    SEASONS,
    SHAPES,
    SIZES,
    STYLES,
    THINGS,
    TIMES,
    WATERS,
    WEATHERS,
    Scene,
    attributes,
)
from generation.builtin.training.device import DEVICE
from generation.builtin.training.encode import as_input
from generation.builtin.training.pool import Pictures

PROBE_PATH = Path(__file__).with_name("probe.safetensors")
SKIPPED = -100
"""The label of an attribute that cannot be seen; cross-entropy passes over it."""
WIDTHS = (32, 64, 80, 96)
BATCH = 50

CLASSES: dict[str, tuple[str, ...]] = {
    "time": TIMES,
    "weather": WEATHERS,
    "ground": GROUNDS,
    "water": WATERS,
    "season": SEASONS,
    "luminary": LUMINARIES,
    "thing": ("", *THINGS),
    "colour": COLOURS,
    "wall": COLOURS,
    "shape": SHAPES,
    "background": COLOURS,
    "size": SIZES,
    "count": ("1", "2", "3", "4"),
    "place": PLACES,
    "style": ("", *STYLES),
}
"""What the probe tells apart, for each attribute; "" where absence can be seen."""


def visible(scene: Scene) -> dict[str, str]:
    """The attributes of the scene that a probe can learn: all but a thing's usual colour."""
    return {name: value for name, value in attributes(scene).items() if value in CLASSES[name]}


def encode(scene: Scene) -> list[int]:
    """The class of every attribute, in the order of `CLASSES`, or SKIPPED."""
    seen = visible(scene)
    return [CLASSES[name].index(seen[name]) if name in seen else SKIPPED for name in CLASSES]


def halved(pictures: Pictures) -> Tensor:
    """Pictures (n, rows, columns, 3) as the probe takes them: float, (n, 3, rows / 2, columns / 2), -1..1."""
    return functional.avg_pool2d(as_input(pictures), 2)


def _convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after))


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_convolution(width, width), nn.ReLU(), _convolution(width, width))

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same shape."""
        return functional.relu(features + self.body(features))


class Probe(nn.Module):
    """Half a million parameters, for pictures of any size from about 128 pixels a side."""

    def __init__(self) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for before, after in zip((3, *WIDTHS), WIDTHS, strict=False):
            stages += [_convolution(before, after, stride=2), nn.ReLU(), Residual(after)]
        self.trunk = nn.Sequential(*stages)
        pooled = WIDTHS[-1] * 6
        self.heads = nn.ModuleDict({name: nn.Linear(pooled, len(known)) for name, known in CLASSES.items()})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """For each attribute the scores (n, classes) of halved pictures (n, 3, rows, columns), -1..1."""
        seen = self.trunk(pictures)
        corners = functional.adaptive_avg_pool2d(seen, 2).flatten(1)
        pooled = torch.cat([seen.mean((2, 3)), seen.amax((2, 3)), corners], dim=1)
        return {name: head(pooled).float() for name, head in self.heads.items()}

    @torch.no_grad()
    def read(self, pictures: Sequence[Image.Image] | Pictures) -> list[dict[str, str]]:
        """What each RGB picture shows, of every attribute the likeliest value; sizes may be mixed."""
        self.to(DEVICE).eval()
        readings: list[dict[str, str]] = []
        for _, group in groupby((np.asarray(picture, np.uint8) for picture in pictures), np.shape):
            alike = list(group)
            for start in range(0, len(alike), BATCH):
                readings += self._read_batch(np.stack(alike[start : start + BATCH]))
        return readings

    def _read_batch(self, pictures: Pictures) -> list[dict[str, str]]:
        found = {name: scores.argmax(1).tolist() for name, scores in self(halved(pictures)).items()}
        return [{name: CLASSES[name][int(found[name][index])] for name in CLASSES} for index in range(len(pictures))]

    def save(self, path: Path, notes: Mapping[str, str]) -> None:
        """Writes half-precision weights with the classes and the notes as metadata."""
        weights = {
            name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
            for name, value in self.state_dict().items()
        }
        save_file(weights, path, {**notes, "classes": json.dumps(CLASSES)})
        path.chmod(0o644)

    @classmethod
    def load(cls, path: Path = PROBE_PATH) -> Self:
        """The trained probe. Raises FileNotFoundError without one, ValueError if it knows another world."""
        if not path.exists():
            raise FileNotFoundError(f"There is no {path}. Train it: python -m generation.builtin.evaluation probe")
        with safe_open(path, "pt") as opened:
            known = json.loads(opened.metadata()["classes"])
        if known != {name: list(values) for name, values in CLASSES.items()}:
            raise ValueError(f"{path} was trained on another set of attributes. Train it again.")
        probe = cls()
        probe.load_state_dict(load_file(path))
        return probe.eval()
