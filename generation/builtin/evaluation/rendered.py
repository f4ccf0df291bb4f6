"""Freshly drawn pictures of all sizes, from a seed that training never used."""

from collections.abc import Iterator

import numpy as np

from generation.builtin.drawing.scenes import Scene
from generation.builtin.training.pool import SHARES, Pictures, picture_at


def choose_size(rng: np.random.Generator) -> tuple[int, int]:
    """One of the trained sizes (columns, rows), as often as it is trained."""
    sizes, odds = list(SHARES), np.fromiter(SHARES.values(), float)
    return sizes[int(rng.choice(len(sizes), p=odds / odds.sum()))]


def rendered(seed: int, count: int, *, held_out: bool = False) -> Iterator[tuple[Scene, Pictures]]:
    """Scenes and their pictures, uint8, (rows, columns, 3)."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        yield picture_at(seed, choose_size(rng), index, held_out=held_out)
