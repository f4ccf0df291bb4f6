"""The bot's process: it is started, listened to, and stopped as a host would."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil

from tests.soak.state import Soak, Stuck

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 60.0
"""How long the bot may take to end after SIGTERM."""
_START_SECONDS = 120.0
_TICK_SECONDS = 0.05
_LAST_LINES = 20


class Bot:
    """One life of the bot, which tells the soak how it is getting on."""

    def __init__(self, soak: Soak, address: str) -> None:
        self._soak, self._address = soak, address
        self._memory: list[tuple[int, int, int]] = []
        self._left: list[str] | None = None

    async def start(self) -> None:
        """Start it and wait until it is connected. Raises Stuck."""
        soak = self._soak
        soak.lives += 1
        sessions = soak.gateway.met["session begun"]
        with soak.log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.soak.life",
                str(soak.data),
                self._address,
                f"{soak.plan.seed} {soak.lives}",
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if not name.startswith("EASEL_")},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self._hearing = asyncio.create_task(self._hear(), name="the bot's output")
        deadline = time.monotonic() + _START_SECONDS
        while soak.gateway.met["session begun"] == sessions or None not in soak.town.commands:
            self.check_alive()
            if time.monotonic() > deadline:
                raise Stuck(f"the bot did not start\n{self._last_words()}")
            await asyncio.sleep(_TICK_SECONDS)

    async def stop(self) -> None:
        """Ask it to end, and note how it did."""
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)
        try:
            status = await asyncio.wait_for(self._child.wait(), STOP_SECONDS)
        except TimeoutError:
            self._soak.endings.append(f"life {self._soak.lives} did not end within {STOP_SECONDS:.0f} s")
            await self.kill()
            return
        await self._hearing
        if status != 0:
            self._soak.endings.append(f"life {self._soak.lives} ended with status {status}")
        self._soak.endings += [f"life {self._soak.lives} left task {name}" for name in self._left or ()]

    async def kill(self) -> None:
        """End it in any case."""
        if self._child.returncode is None:
            self._child.kill()
            await self._child.wait()
        await self._hearing

    def check_alive(self) -> None:
        """Raises Stuck."""
        if self._child.returncode is not None:
            status = self._child.returncode
            raise Stuck(f"the bot ended by itself, with status {status}\n{self._last_words()}")

    async def _hear(self) -> None:
        process = psutil.Process(self._child.pid)
        assert self._child.stdout is not None
        async for line in self._child.stdout:
            self._take(line, process)

    def _take(self, line: bytes, process: psutil.Process) -> None:
        """Take in a line of its output."""
        try:
            said = json.loads(line)
        except ValueError:
            return  # the invitation
        soak = self._soak
        if said["kind"] == "jobs":
            soak.states, soak.owed = said["states"], said["owed"]
            with contextlib.suppress(psutil.NoSuchProcess):
                self._memory.append((soak.accepted, process.memory_info().rss, said["blocks"]))
            if len(self._memory) > len(soak.memory):
                soak.memory = self._memory
        elif said["kind"] == "ended":
            self._left = said["tasks"]

    def _last_words(self) -> str:
        return "\n".join(self._soak.log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
