"""A container without a token says how its playground is reached, since publishing a port does not do it."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).parents[2]
PATIENCE = 90


async def first_lines(data: Path, number: int) -> list[str]:
    """What the bot says at first in a container as the Dockerfile makes it."""
    assert "    container=docker \\\n" in (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "EASEL_"))}
    environment = kept | {"container": "docker", "EASEL_DATA": str(data), "EASEL_PLAYGROUND_PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", stdout=PIPE, env=environment, cwd=PROJECT
    )
    assert process.stdout is not None
    try:
        return [(await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode() for _ in range(number)]
    finally:
        process.terminate()
        await process.communicate()


async def test_the_log_says_how_to_reach_the_page(tmp_path: Path) -> None:
    lines = await first_lines(tmp_path, 6)
    address = urlsplit(lines[1].strip())
    assert address.hostname == "127.0.0.1", "nothing opens the page to a network"
    assert "docker run --rm --network host easel" in lines[3]
    assert f"ssh -L {address.port}:127.0.0.1:{address.port} HOST" in lines[4]
    assert "DISCORD_TOKEN" in lines[5]


def test_the_readme_says_so_too() -> None:
    page = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert "docker run --rm --network host easel" in page
