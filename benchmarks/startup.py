"""From the start of the bot's process until it is logged in and knows its server, and what it weighs then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

from benchmarks.rows import Row, median


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """Seconds from the process's start, and its resident memory in bytes."""

    imported: float
    ready: float
    torch: bool
    memory: int


def run(*, quick: bool) -> list[Row]:
    """Several starts; the first on an empty data folder, the others on that same folder."""
    with tempfile.TemporaryDirectory(prefix="easel-benchmark-") as folder:
        starts = [_start(folder) for _ in range(3 if quick else 9)]
    ready, imported = median([one.ready for one in starts]), median([one.imported for one in starts])
    memory, torch = median([one.memory for one in starts]) / 1e6, any(one.torch for one in starts)
    return [
        Row(
            what=f"Bot process, start to ready (median of {len(starts)}; the worker starts beside it)",
            measured=f"{ready:.2f} s, of which imports {imported:.2f} s; the first {starts[0].ready:.2f} s",
            target="≤ 1.5 s",
            met=ready <= 1.5,
        ),
        Row(
            what="Bot process, memory when ready",
            measured=f"{memory:.0f} MB, torch {'imported' if torch else 'not imported'}",
            target="≤ 120 MB, no torch",
            met=memory <= 120 and not torch,
        ),
    ]


def _start(folder: str) -> _Start:
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.start_child", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"DISCORD_TOKEN": ""},
        text=True,
    ) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        memory = int(psutil.Process(process.pid).memory_info().rss)
        process.communicate()
    return _Start(imported=facts["imported"] - began, ready=facts["ready"] - began, torch=facts["torch"], memory=memory)
