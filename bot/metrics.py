"""Counts what the bot does, for Prometheus. No label holds an id of Discord's, and nothing here a person's words."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

_SECONDS = (0.5, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600)


class Metrics:
    """The counters of one bot, since its start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._claimed = Counter("easel_attempts", "Attempts at jobs that were begun.", registry=self.registry)
        self._finished = Counter(
            "easel_attempts_finished", "Attempts that ended with pictures.", ["model"], registry=self.registry
        )
        self._failed = Counter(
            "easel_attempts_failed",
            "Attempts that ended without pictures.",
            ["reason"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "easel_drawing_seconds",
            "Seconds of drawing for a job, without loading its model.",
            ["model"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._requests = Counter(
            "easel_discord_requests",
            "Requests to Discord by what came of them.",
            ["outcome"],
            registry=self.registry,
        )
        self.claims = 0
        """How many attempts were begun."""

    def claimed(self) -> None:
        """A job's attempt begins."""
        self.claims += 1
        self._claimed.inc()

    def finished(self, model: str, seconds: float) -> None:
        """An attempt with this model ended with pictures, after so many seconds of drawing."""
        self._finished.labels(model).inc()
        self._seconds.labels(model).observe(seconds)

    def failed(self, reason: str) -> None:
        """An attempt ended without pictures; `reason` is a FailureReason."""
        self._failed.labels(reason).inc()

    def requested(self, outcome: str) -> None:
        """A request to Discord ended: `outcome` is a status such as "200", or an error such as "ClientOSError"."""
        self._requests.labels(outcome).inc()
