"""Remembers which events were taken up: after a break of the connection, Discord may send one again.

It does so to the same process only, so that memory is enough. A new process starts a new session.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MOST = 10_000
"""As many of the latest events are remembered: more than come in the minutes within which Discord resumes a session."""


@dataclass(slots=True, kw_only=True)
class _Taken:
    at: float
    breaks: int
    """How often the connection had broken before."""
    over: bool = False
    """Whether the next event with this key is another one, as long as the connection doesn't break."""


class RecentEvents:
    """The latest events, by a key that tells them apart."""

    def __init__(
        self, *, span: float = math.inf, most: int = MOST, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """For `span` seconds an event with the same key is the same event. `seconds` is a monotonic clock."""
        self._span, self._most, self._seconds = span, most, seconds
        self._taken: dict[Hashable, _Taken] = {}
        self._breaks = 0

    def is_new(self, key: Hashable) -> bool:
        """Whether the event was not taken up before. From now on it was."""
        now, known = self._seconds(), self._taken.get(key)
        lately = known is not None and now - known.at < self._span
        if known is not None and lately and not (known.over and known.breaks == self._breaks):
            return False
        self._taken.pop(key, None)  # it becomes the latest
        self._taken[key] = _Taken(at=now, breaks=self._breaks)
        while len(self._taken) > self._most:
            del self._taken[next(iter(self._taken))]
        return True

    def is_over(self, key: Hashable) -> None:
        """A person took back what they did, so that they can do it again."""
        if (known := self._taken.get(key)) is not None:
            known.over = True

    def connection_broke(self) -> None:
        """From now on, events from before may come again."""
        self._breaks += 1
