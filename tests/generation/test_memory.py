"""Running out of memory, for real: in a process whose address space is limited after the model is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generation import tiny

ROOT = Path(__file__).parents[2]

PROGRAM = """
import resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from generation import residency
from generation.catalogue import Catalogue
from generation.contract import *
from generation.engine import Engine

BALLAST = 2**28
real_load = residency.load
def load_with_ballast(*arguments, **options):
    ballast = torch.empty(BALLAST, dtype=torch.uint8)
    loaded = real_load(*arguments, **options)
    loaded.pipe.ballast = ballast
    return loaded

def limit(spare):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + spare if spare else resource.RLIM_INFINITY, resource.RLIM_INFINITY))

engine = Engine(tuple(Catalogue.load(Path(sys.argv[1])).values()), torch.device("cpu"), changed=lambda: told.append(warm()))
told = []
def draw(count, side, spare=0, model="sd"):
    request = TextToImage(sampling=Sampling(
        model=model, prompt="a", width=side, height=side, steps=1, guidance=0.0, seeds=tuple(range(count))))
    limit(spare)
    try:
        *_, progress, last = engine.run(request)
    finally:
        limit(0)
    return (progress.steps, None) if isinstance(last, Finished) else (0, last)

def warm():
    return {key for key, status in engine.states().items() if status.state is ModelState.WARM}
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")


def run(steps: str, models: Path) -> None:
    """Run the steps, lines of Python, behind the program; they must end well. Memory goes back as soon as it's freed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + steps, str(models / "models.toml")],
        cwd=ROOT,
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_too_little_memory(tiny_models: Path) -> None:
    """A failure that says so, and the next request is drawn."""
    steps = """
assert draw(4, 64)[0] == 1
assert draw(4, 256, 2**22)[1].reason is FailureReason.OUT_OF_MEMORY
assert draw(4, 64)[0] == 1
"""
    run(steps, tiny_models)


def test_another_model_makes_room_for_a_large_picture(tiny_models: Path) -> None:
    """All images at once, since the room is enough for them then; the other model comes back when it's asked for."""
    steps = """
residency.load = load_with_ballast
assert draw(4, 256)[0] == draw(1, 64, model="sdxl")[0] == 1
assert warm() == {"sd", "sdxl"}
assert draw(4, 256, 2**12) == (1, None)
assert told[-1] == warm() == {"sd"}
assert draw(1, 64, model="sdxl")[0] == 1
assert warm() == {"sd", "sdxl"}
"""
    run(steps, tiny_models)


def test_another_model_makes_room_for_one_that_is_loaded(tiny_models: Path, tmp_path: Path) -> None:
    """A model that doesn't fit beside the other, although its listed size says so, is loaded in its place."""
    folder = os.path.relpath(tiny_models / "sd", tmp_path)
    entries = (tiny.entry(key, "stable-diffusion", folder) for key in ("sd", "second"))
    (tmp_path / "models.toml").write_text("".join(entries), encoding="utf-8")
    steps = """
residency.load = load_with_ballast
assert draw(1, 64)[0] == 1
assert draw(1, 64, BALLAST * 3 // 4, model="second") == (1, None)
assert warm() == {"second"}
"""
    run(steps, tmp_path)
