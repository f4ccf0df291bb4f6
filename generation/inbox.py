"""What is put into the supervising thread's inbox: calls from the event loop, and words of the worker process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from generation import wire
from generation.child import Child, Gone
from generation.contract import Request


class WorkerUnavailable(RuntimeError):
    """The worker process doesn't start; the message holds its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Draw this. `returned` says that it was handed to a worker which ended before it began."""

    ticket: str
    request: Request
    returned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stop this."""

    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TellReady:
    """Resolve the future once the worker is ready, or with WorkerUnavailable."""

    future: asyncio.Future[wire.Ready]


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """End the worker and this thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Something came from a worker process."""

    child: Child
    word: wire.FromWorker | Gone


Item = Submit | Cancel | TellReady | Close | Heard


def settle(future: asyncio.Future[wire.Ready], outcome: wire.Ready | WorkerUnavailable) -> None:
    if future.done():
        return
    if isinstance(outcome, WorkerUnavailable):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
