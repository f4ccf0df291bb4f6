"""The rows of the table that the benchmarks print, and the few statistics that they share."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured thing. `met` is None for a figure that has no target and only explains others."""

    what: str
    measured: str
    target: str = ""
    met: bool | None = None


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that at least `percent` of them do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def spread(seconds: Sequence[float]) -> str:
    """Median, 99th percentile and maximum in milliseconds."""
    p50, p99, most = percentile(seconds, 50), percentile(seconds, 99), max(seconds)
    return f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, max {most * 1000:.1f} ms"
