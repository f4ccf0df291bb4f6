"""Remembers which events were taken up: after a resume, Discord may send one again.

It does so to the same process only, so that memory is enough. A new process starts a new session.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable

MOST = 10_000
"""As many of the latest events are remembered: more than come in the minutes within which Discord resumes a session."""


class RecentEvents:
    """The latest events, by a key that tells them apart."""

    def __init__(
        self, *, span: float = math.inf, most: int = MOST, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """For `span` seconds an event with the same key is the same event. `seconds` is a monotonic clock."""
        self._span, self._most, self._seconds = span, most, seconds
        self._taken: dict[Hashable, float] = {}

    def is_new(self, key: Hashable) -> bool:
        """Whether the event was not taken up before. From now on it was."""
        now = self._seconds()
        if now - self._taken.get(key, -math.inf) < self._span:
            return False
        self._taken.pop(key, None)  # it becomes the latest
        self._taken[key] = now
        while len(self._taken) > self._most:
            del self._taken[next(iter(self._taken))]
        return True
