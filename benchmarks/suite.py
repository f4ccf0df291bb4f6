"""The benchmarks by name, and how one is run: in a process that has done nothing else."""

from __future__ import annotations

import importlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from benchmarks.rows import Row

NAMES = (
    "acknowledgement",
    "overhead",
    "startup",
    "throughput",
    "first_picture",
    "encoding",
    "fairness",
    "servers",
)


def measure(name: str, *, quick: bool) -> list[Row]:
    """The rows of one benchmark."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        return processes.submit(_run, name, quick).result()


def _run(name: str, quick: bool) -> list[Row]:
    rows: list[Row] = importlib.import_module(f"benchmarks.{name}").run(quick=quick)
    return rows
