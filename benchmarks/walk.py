"""Counts the modules that a prompt passes from `/imagine` to the posted message, in a simulated Discord.

    python -m benchmarks.walk

A module counts if one of its functions runs meanwhile. A fake generator draws, so that the worker's side is left out.
Run it from the top of a checkout.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from tests.world import world

ROOT = Path.cwd()
PACKAGES = ("bot", "storage", "generation")


async def walk() -> set[str]:
    """The modules that run while one prompt is drawn, as paths."""
    ran: set[str] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            ran.add(frame.f_code.co_filename)

    threading.setprofile(note)  # before the world starts SQLite's thread and those that write files
    sys.setprofile(note)
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder)) as easel:
            await easel.imagine(easel.ben, "a boat")  # what the first job of a run does besides
            await easel.rest()
            ran.clear()
            await easel.imagine(easel.ben, "a fox by a lake")
            await easel.rest()
            passed = set(ran)
            assert len(easel.results()) == 2
    sys.setprofile(None)
    inside = (Path(one) for one in passed if not one.startswith("<"))
    paths = (one.relative_to(ROOT) for one in inside if one.is_relative_to(ROOT))
    return {str(one) for one in paths if one.parts[0] in PACKAGES}


if __name__ == "__main__":
    found = asyncio.run(walk())
    for package in PACKAGES:
        print(f"{package}: {sum(one.startswith(package) for one in found)} modules")
    print(f"in all: {len(found)}")
    if "--list" in sys.argv:
        print(*sorted(found), sep="\n")
