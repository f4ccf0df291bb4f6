"""The pool of training pictures on disk: picture number i of a seed is always the same scene and drawing."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.builtin.canvas import SIZE
from generation.builtin.scenes import Scene, choose_scene, draw

Pictures = NDArray[np.uint8]

CHUNK = 200


def scene_at(seed: int, index: int) -> Scene:
    """The scene of one picture, chosen again without drawing it."""
    return choose_scene(np.random.default_rng((seed, index)))


def picture_at(seed: int, index: int) -> Pictures:
    """One picture, uint8, shape (SIZE, SIZE, 3)."""
    rng = np.random.default_rng((seed, index))
    return np.asarray(draw(rng, choose_scene(rng)))


def _draw_chunk(seed: int, start: int) -> Pictures:
    return np.stack([picture_at(seed, index) for index in range(start, start + CHUNK)])


def _drawn_chunks(seed: int, count: int, done: int) -> Iterator[tuple[int, Pictures]]:
    starts = range(done, count, CHUNK)
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        yield from zip(starts, workers.map(partial(_draw_chunk, seed), starts), strict=True)


def draw_pool(folder: Path, seed: int, count: int) -> Pictures:
    """Draws the first `count` pictures (a multiple of CHUNK) into a file and maps it; goes on where it was."""
    shape = (count, SIZE, SIZE, 3)
    path = folder / f"pictures-{seed}-{count}.bin"
    progress = path.with_suffix(".done")
    mapped = np.memmap(path, np.uint8, mode="r+" if path.exists() else "w+", shape=shape)
    done = int(progress.read_text()) if progress.exists() else 0
    for start, chunk in _drawn_chunks(seed, count, done):
        mapped[start : start + CHUNK] = chunk
        progress.write_text(str(start + CHUNK))
    return mapped
