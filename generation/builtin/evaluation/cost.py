"""What the model costs: the size of its folder, loading it, and four pictures at the default steps."""

import time
from argparse import Namespace
from pathlib import Path

from generation.builtin.evaluation.generate import Sampling, Wish, generate, load_pipeline
from generation.builtin.evaluation.sheet import PROMPTS
from generation.builtin.evaluation.tables import Figure, at_most

MEGABYTES_TARGET, LOADING_TARGET, DRAWING_TARGET = 30.0, 3.0, 8.0
IMAGES = 4


def megabytes(folder: Path) -> float:
    """The size of all files in the folder, in millions of bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def run(options: Namespace) -> list[Figure]:
    """The command `cost`. Each run is a new process, so loading is measured cold but for the disk and the imports."""
    started = time.perf_counter()
    pipeline = load_pipeline(options.weights)
    loaded = time.perf_counter()
    wishes = [Wish(prompt=prompt, seed=options.seed) for prompt in PROMPTS[:IMAGES]]
    generate(pipeline, wishes, Sampling(batch=IMAGES))
    drawn = time.perf_counter()
    return [
        at_most("folder of weights", megabytes(options.weights), MEGABYTES_TARGET, "MB"),
        at_most("loading", loaded - started, LOADING_TARGET, "s"),
        at_most(f"{IMAGES} pictures at default steps", drawn - loaded, DRAWING_TARGET, "s"),
    ]
