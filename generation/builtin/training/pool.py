"""The pool of training pictures on disk: picture number i of a size and a seed is always the same."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.builtin.drawing.choice import choose_scene
from generation.builtin.drawing.picture import draw
from generation.builtin.drawing.scenes import Scene

Pictures = NDArray[np.uint8]

SHARES: dict[tuple[int, int], float] = {
    (256, 256): 0.64,
    (320, 192): 0.10,
    (192, 320): 0.10,
    (384, 192): 0.08,
    (192, 384): 0.08,
}
"""The sizes (columns, rows) that are trained, from 1:2 to 2:1 with about one area, and how often each comes."""
CHUNK = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The pictures of one size: uint8, shape (n, rows, columns, 3); usual ones, or those that training leaves out."""

    size: tuple[int, int]
    seed: int
    pictures: Pictures
    held_out: bool = False

    @property
    def name(self) -> str:
        """The size in words, for file names."""
        return "x".join(map(str, self.size))

    def scene(self, index: int) -> Scene:
        """The scene of one picture, chosen again without drawing it."""
        return choose_scene(_generator(self.seed, self.size, index), held_out=self.held_out)


def _generator(seed: int, size: tuple[int, int], index: int) -> np.random.Generator:
    return np.random.default_rng((seed, *size, index))


def picture_at(seed: int, size: tuple[int, int], index: int, *, held_out: bool = False) -> tuple[Scene, Pictures]:
    """One scene and its picture, uint8, shape (rows, columns, 3)."""
    rng = _generator(seed, size, index)
    scene = choose_scene(rng, held_out=held_out)
    return scene, np.asarray(draw(rng, scene, size))


def _draw_chunk(seed: int, size: tuple[int, int], held_out: bool, start: int) -> Pictures:
    chunk = range(start, start + CHUNK)
    return np.stack([picture_at(seed, size, index, held_out=held_out)[1] for index in chunk])


def _open_part(folder: Path, seed: int, size: tuple[int, int], count: int, held_out: bool) -> Part:
    """Draws the first `count` pictures of a size into a file and maps it; goes on where it was."""
    columns, rows = size
    path = folder / f"{'held-out' if held_out else 'pictures'}-{columns}x{rows}.bin"
    progress = path.with_suffix(".done")
    done = int(progress.read_text()) if progress.exists() else 0
    count = max(count, done)
    mapped = np.memmap(path, np.uint8, mode="r+" if path.exists() else "w+", shape=(count, rows, columns, 3))
    starts = range(done, count, CHUNK)
    drawn = partial(_draw_chunk, seed, size, held_out)
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for start, chunk in zip(starts, workers.map(drawn, starts), strict=True):
            mapped[start : start + CHUNK] = chunk
            progress.write_text(str(start + CHUNK))
    return Part(size=size, seed=seed, pictures=mapped, held_out=held_out)


def draw_pool(folder: Path, seed: int, count: int, *, held_out: bool = False) -> Sequence[Part]:
    """About `count` pictures of all sizes, at least some of each, drawn where they are missing."""
    return [
        _open_part(folder, seed, size, max(round(count * share / CHUNK), 1) * CHUNK, held_out)
        for size, share in SHARES.items()
    ]
