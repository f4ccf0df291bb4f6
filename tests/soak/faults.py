"""What goes wrong between the bot and Discord, drawn from a seed: which request meets which fault."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What happens to a request."""

    ERROR = "5xx of Discord, not applied"
    ERROR_AFTER = "5xx, though it was applied"
    CLOUDFLARE = "52x of Cloudflare, not applied"
    LIMIT = "429 of a bucket"
    GLOBAL_LIMIT = "429 for all routes"
    CLOUDFLARE_LIMIT = "429 of Cloudflare"
    RESET = "connection reset, not applied"
    RESET_AFTER = "connection reset, though it was applied"
    HTML = "200 with a page, applied"
    HANG = "slow answer"
    LONG_HANG = "very slow answer"


SHARES = {
    Kind.ERROR: 6,
    Kind.ERROR_AFTER: 3,
    Kind.CLOUDFLARE: 4,
    Kind.LIMIT: 4,
    Kind.GLOBAL_LIMIT: 1,
    Kind.CLOUDFLARE_LIMIT: 2,
    Kind.RESET: 4,
    Kind.RESET_AFTER: 4,
    Kind.HTML: 1,
    Kind.HANG: 2,
    Kind.LONG_HANG: 0.3,
}
"""How often each comes, relative to the others."""

STATUSES = {
    Kind.ERROR: (500, 502, 503, 504),
    Kind.ERROR_AFTER: (500, 502, 504, 524),
    Kind.CLOUDFLARE: (520, 521, 522, 523, 524),
}
STORM_EVERY, STORM_SECONDS = 20.0, 3.0
"""A storm comes at random, once in so many seconds, and lasts so long."""
STORM_FACTOR, STORM_MOST = 4.0, 0.7
"""In a storm, faults are so many times as likely, up to this probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault; `seconds` is how long the bot is to wait, `late` whether the wait comes after the request is applied."""

    kind: Kind
    status: int
    seconds: float
    late: bool


@dataclass(slots=True, kw_only=True)
class Weather:
    """The faults of one soak, each request's with the probability `rate`. It is calm until `armed` is set.

    The seconds are what the bot is told to wait, and how long the slow and the very slow answers take at most.
    """

    source: random.Random
    rate: float
    retry_after: float = 0.3
    hang: float = 1.5
    long_hang: float = 20.0
    armed: bool = False
    met: Counter[Kind] = field(default_factory=Counter)
    without: frozenset[Kind] = frozenset()
    _storm_begins: float = 0.0

    def fault(self) -> Fault | None:
        """What the next request meets; None: nothing."""
        if not self.armed or self.source.random() >= self._rate():
            return None
        kinds = [kind for kind in SHARES if kind not in self.without]
        kind = self.source.choices(kinds, [SHARES[kind] for kind in kinds])[0]
        self.met[kind] += 1
        return Fault(
            kind=kind,
            status=self.source.choice(STATUSES.get(kind, (0,))),
            seconds=self._seconds(kind),
            late=self.source.random() < 0.5,
        )

    def _seconds(self, kind: Kind) -> float:
        longest = {Kind.HANG: self.hang, Kind.LONG_HANG: self.long_hang}.get(kind, self.retry_after)
        return self.source.uniform(0.1, 1.0) * longest

    def _rate(self) -> float:
        now = time.monotonic()
        if now > self._storm_begins + STORM_SECONDS:
            self._storm_begins = now + self.source.expovariate(1 / STORM_EVERY)
        if now < self._storm_begins:
            return self.rate
        return max(self.rate, min(STORM_MOST, self.rate * STORM_FACTOR))
