"""One worker process and its pipes. Reads and writes happen on threads of its own, so that nobody waits for a pipe.

What it reads comes out through `deliver`, called on the reading thread; the last thing delivered is `Gone`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from generation import wire

log = logging.getLogger("generation.worker")

_ROOT = Path(__file__).resolve().parent.parent
_LAST_WORDS = 12
"""How many lines of a worker's output are kept to explain its end."""
_LINGER_SECONDS = 5.0
"""How long a worker may live after it has closed its pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The process has ended. `status` is its exit status, negative for a signal; `words` its last lines."""

    status: int
    words: str


class Child:
    """A running worker process, from the moment that it is constructed (which forks: some milliseconds).

    Constructing raises OSError or RuntimeError if the system has no room for the process or its threads.
    """

    def __init__(self, deliver: Callable[[Child, wire.FromWorker | Gone], None]) -> None:
        self._deliver = deliver
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "generation.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=_ROOT,
            env=_environment(),
        )
        self._logger = threading.Thread(target=self._log, name="worker-log", daemon=True)
        self._writer = threading.Thread(target=self._write, name="worker-write", daemon=True)
        self._reader = threading.Thread(target=self._read, name="worker-read", daemon=True)
        try:
            for thread in (self._logger, self._writer, self._reader):
                thread.start()
        except BaseException:  # nobody would ever hear of this process again
            self._abandon()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, message: wire.ToWorker) -> None:
        """Send a message soon; never waits. To a process that has ended it is dropped.

        Raises what pickle raises for a message that can't be sent: errors of many kinds.
        """
        self._outbox.put(wire.pack(message))

    def dismiss(self) -> None:
        """Close the worker's input once everything sent was written; it exits when it sees that."""
        self._outbox.put(None)

    def kill(self) -> None:
        """End it at once, whatever it does. `Gone` follows."""
        self._process.kill()

    def join(self) -> None:
        """Wait for the threads; only after `Gone`, when they are about to end."""
        for thread in (self._reader, self._writer, self._logger):
            thread.join(_LINGER_SECONDS)

    def _abandon(self) -> None:
        """End a process that was started without all of its threads."""
        self._process.kill()
        self._outbox.put(None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LINGER_SECONDS)
        pipes = (self._process.stderr, self._process.stdin, self._process.stdout)
        for thread, pipe in zip((self._logger, self._writer, self._reader), pipes, strict=True):
            if thread.ident is None and pipe is not None:  # else the thread closes it
                pipe.close()

    def _read(self) -> None:
        stream = cast(BinaryIO, self._process.stdout)
        try:
            while True:
                self._deliver(self, cast(wire.FromWorker, wire.read(stream)))
        except (EOFError, OSError):
            pass
        except Exception as error:  # bytes that are no message raise nearly anything
            self._words.append(f"what it sent can't be understood: {type(error).__name__}")
            self._process.kill()
        try:
            status = self._process.wait(_LINGER_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._outbox.put(None)
        # a process that the worker started may hold the pipe open for as long as it likes
        self._logger.join(_LINGER_SECONDS)
        stream.close()
        self._deliver(self, Gone(status=status, words=" | ".join(self._words)))

    def _write(self) -> None:
        stream = cast(BinaryIO, self._process.stdin)
        with self._or_end("it can't be written to"), contextlib.suppress(OSError):
            while (message := self._outbox.get()) is not None:
                wire.put(stream, message)
        with contextlib.suppress(OSError):
            stream.close()

    def _log(self) -> None:
        with self._or_end("its words can't be read"), cast(IO[bytes], self._process.stderr) as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                if text:
                    self._words.append(text)
                    log.debug("%s", text)

    @contextlib.contextmanager
    def _or_end(self, why: str) -> Iterator[None]:
        """End the worker when the thread that serves one of its pipes fails: the next worker gets new threads."""
        try:
            yield
        except Exception as error:
            self._words.append(f"{why}: {type(error).__name__}")
            self._process.kill()


def _environment() -> dict[str, str]:
    """This process's environment, without the bot's own secrets, and with what torch has to find at its import."""
    environment = {name: value for name, value in os.environ.items() if "DISCORD" not in name.upper()}
    environment["OMP_WAIT_POLICY"] = "PASSIVE"
    environment["TOKENIZERS_PARALLELISM"] = "false"
    environment["HF_HUB_DISABLE_TELEMETRY"] = "1"
    environment["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    environment["PYTHONUNBUFFERED"] = "1"
    return environment
