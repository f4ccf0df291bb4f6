"""Running out of memory, for real: in a process whose address space is limited after the model is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import os, resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from generation.catalogue import Catalogue
from generation.contract import *
from generation.engine import Engine

def limit(spare):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + spare if spare else resource.RLIM_INFINITY, resource.RLIM_INFINITY))

engine = Engine(tuple(Catalogue.load(Path(sys.argv[1])).values()), torch.device("cpu"))
def draw(count, side, spare=0):
    request = TextToImage(
        model="sd", prompt="a", width=side, height=side, steps=1, guidance=0.0, seeds=tuple(range(count)))
    limit(spare)
    try:
        *_, progress, last = engine.run(request)
    finally:
        limit(0)
    return (progress.steps, None) if isinstance(last, Finished) else (0, last)

assert draw(4, 64)[0] == 1
assert draw(4, 256, 2**22)[1].reason is FailureReason.OUT_OF_MEMORY
assert draw(4, 64)[0] == 1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_too_little_memory(tiny_models: Path) -> None:
    """A failure that says so, and the next request is drawn."""
    command = [sys.executable, "-c", PROGRAM, str(tiny_models / "models.toml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
