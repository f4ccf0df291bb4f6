"""Has strangers' files read by processes of their own (`bot.pictures.inspector`), which are started on demand and killed in time."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.errors import BadPicture, ShuttingDown
from bot.pictures.environment import without_secrets
from bot.pictures.inspector import SECONDS, described
from bot.pictures.limiter import Limiter
from bot.pictures.verifier import Share, Standing, Verdict
from generation.containers import BadSource
from generation.read_metadata import Description

_ROOT = Path(__file__).resolve().parents[2]
_GRACE = 5.0
"""Seconds beyond those after which the process ends itself: for its start, and where it can't."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What a file says of itself, and what its Content Credentials prove; None if it has none."""

    description: Description
    verdict: Verdict | None


class Inspection:
    """Reads files for people, within a limit. `trust` is the PEM file of issuers whom the host trusts."""

    def __init__(self, limit: Limiter, *, trust: Path | None, patience: float = SECONDS + _GRACE) -> None:
        self._limit, self._trust, self._patience = limit, trust, patience
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def running(self) -> int:
        """How many processes read at this moment."""
        return len(self._running)

    async def read(self, user_id: int, fetch: Callable[[], Awaitable[bytes]]) -> Inspected:
        """What the file that `fetch` brings says. Raises Busy, and BadPicture for a file that can't be read."""
        async with self._limit.place(user_id):
            return await self._limit.run(self.inspect, await fetch())

    def inspect(self, data: bytes) -> Inspected:
        """What a file says. Raises BadPicture. Blocks: use a thread."""
        checks = importlib.util.find_spec("c2pa") is not None
        arguments = (["check", str(self._trust)] if self._trust else ["check"]) if checks else []
        lines = self._answer(data, arguments)
        try:
            description = described(lines[0]) if lines else None
        except BadSource as error:
            raise BadPicture(str(error)) from error
        if description is None:
            raise BadPicture("it takes more time or memory than there is for it")
        verdict = _verdict(lines[1:], checks=checks) if description.signed else None
        return Inspected(description=description, verdict=verdict)

    def close(self) -> None:
        """Kill what runs, and start nothing more."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()

    def _answer(self, data: bytes, arguments: list[str]) -> list[Any]:
        """What the process says until it ends, or is killed: its lines that are whole."""
        process = self._start(arguments)
        try:
            said, complaint = process.communicate(data, timeout=self._patience)
        except subprocess.TimeoutExpired:
            process.kill()
            said, complaint = process.communicate()
        finally:
            with self._lock:
                self._running.discard(process)
        if process.returncode:
            why = complaint.decode(errors="replace").strip().rpartition("\n")[2].partition(":")[0]
            _log.info("a file could not be read to its end", status=process.returncode, error=why[:80])
        return [json.loads(line) for line in said.splitlines(keepends=True) if line.endswith(b"\n")]

    def _start(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise ShuttingDown
            process = subprocess.Popen(
                [sys.executable, "-E", "-s", "-m", "bot.pictures.inspector", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=_ROOT,
                env=without_secrets(),
            )
            self._running.add(process)
        return process


def _verdict(lines: list[Any], *, checks: bool) -> Verdict | None:
    """The verdict in the second line; without one, the credentials ended the process."""
    if not checks:
        return Verdict(standing=Standing.UNCHECKED)
    if not lines:
        return Verdict(standing=Standing.UNREADABLE)
    found = lines[0]
    return found and Verdict(**found | {"standing": Standing(found["standing"]), "share": Share(found["share"])})
