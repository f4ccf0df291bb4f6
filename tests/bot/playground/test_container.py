"""A container: what its image holds, what it may do, where it writes, and what it says without a token."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from bot.health import heartbeat
from bot.health.heartbeat import Component

PROJECT = Path(__file__).parents[3]
PATIENCE = 90
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")

WATCH = """
import os, sys

def watch(event, details):
    path = None
    if event == "open" and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        path = details[0]
    elif event in ("os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.utime", "os.truncate", "os.symlink"):
        path = details[1] if event == "os.symlink" else details[0]
    elif event in ("os.rename", "os.link"):
        path = details[1]
    if isinstance(path, (str, bytes)):
        path = os.path.realpath(os.fsdecode(path))
        if not path.startswith(tuple(os.environ["MAY_WRITE"].split(":"))):
            os.write(report, f"{event} {path}\\n".encode())

report = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(report, f"watched {sys.argv if hasattr(sys, 'argv') else ''}\\n".encode())
sys.addaudithook(watch)
"""
"""Writes down where a Python process writes, the worker's included, before it does: also as a user who may write anywhere."""


def image_environment(data: Path) -> dict[str, str]:
    """The environment that the Dockerfile makes, with the data elsewhere."""
    block = re.search(r"^ENV ((?:.*\\\n)*.*)", DOCKERFILE, flags=re.MULTILINE)
    assert block is not None
    made = dict(pair.split("=", 1) for pair in block[1].replace("\\\n", " ").split())
    return {name: re.sub(r"^/data\b", str(data), value) for name, value in made.items()}


@asynccontextmanager
async def container(data: Path, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The bot as it runs in a container of that image, without a token."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DISCORD_", "EASEL_", "XDG_", "TORCH"))  # torch sets some where a test imports it
    }
    environment = kept | image_environment(data) | {"EASEL_PLAYGROUND_PORT": "0"} | more
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        stdout=PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        cwd=PROJECT,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def lines_of(process: asyncio.subprocess.Process, number: int) -> list[str]:
    assert process.stdout is not None
    return [(await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode() for _ in range(number)]


async def test_the_log_says_how_to_reach_the_page(tmp_path: Path) -> None:
    async with container(tmp_path) as process:
        lines = await lines_of(process, 6)
    address = urlsplit(lines[1].strip())
    assert address.hostname == "127.0.0.1", "nothing opens the page to a network"
    assert "docker run --rm --network host easel" in lines[3]
    assert f"ssh -L {address.port}:127.0.0.1:{address.port} HOST" in lines[4]
    assert "DISCORD_TOKEN" in lines[5]


def test_the_page_for_hosts_says_so_too() -> None:
    page = (PROJECT / "docs" / "hosting.md").read_text(encoding="utf-8")
    assert "docker run --rm --network host easel" in page
    assert "docker compose build --build-arg EXTRAS=playground" in page


@pytest.mark.skipif(os.name == "nt", reason="a container is no Windows")
async def test_a_root_that_can_t_be_written_to_is_no_hindrance(tmp_path: Path) -> None:
    """The bot and the process that draws write into the data and the temporary folder only."""
    data, temporary, hook = tmp_path / "data", tmp_path / "tmp", tmp_path / "hook"
    for folder in (data, temporary, hook):
        folder.mkdir()
    (hook / "sitecustomize.py").write_text(WATCH)
    report = tmp_path / "report"
    allowed = ":".join(map(str, (data, temporary, "/dev/", "/proc/")))
    watched = {"PYTHONPATH": str(hook), "WATCHED": str(report), "MAY_WRITE": allowed}
    async with container(data, TMPDIR=str(temporary), HOME="/nonexistent", **watched) as process:
        await lines_of(process, 2)
        await asyncio.wait_for(until_the_worker_is_ready(data / "heartbeat"), PATIENCE)
    lines = report.read_text().splitlines()
    assert len([line for line in lines if line.startswith("watched")]) >= 2, "the bot and the worker"
    assert [line for line in lines if not line.startswith("watched")] == []


async def until_the_worker_is_ready(path: Path) -> None:
    ready = Component(name="worker", well=True, words="ready")
    while ready not in told(path):  # noqa: ASYNC110 - the file is all that a container shows
        await asyncio.sleep(0.1)


def told(path: Path) -> list[Component]:
    return heartbeat.read(path) if path.exists() else []


@pytest.mark.parametrize(
    ("extras", "holds"),
    [("", []), ("playground", ["simcord"]), ("c2pa playground", ["c2pa-python", "simcord"])],
)
def test_the_image_holds_what_it_is_built_with(extras: str, holds: list[str]) -> None:
    (program,) = re.findall(r'python -c "(import os, tomllib; .*)" \\\n', DOCKERFILE)
    command = ["sh", "-c", f'"{sys.executable}" -c "{program}"']
    printed = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, "EXTRAS": extras}, check=True, capture_output=True, text=True
    )
    names = {re.split(r"[\[><=!; ]", line)[0] for line in printed.stdout.splitlines()}
    assert {"discord.py", "torch"} <= names
    assert sorted(names & {"simcord", "c2pa-python"}) == sorted(holds)


def test_the_container_may_do_nothing_that_it_need_not() -> None:
    service: Mapping[str, object] = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]["easel"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["tmpfs"] == "/tmp"
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "\nUSER easel\n" in DOCKERFILE


def test_the_health_check_is_health_s_own_command() -> None:
    assert 'CMD ["python", "-m", "bot", "health"]' in DOCKERFILE
