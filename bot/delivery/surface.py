"""The kinds of messages that carry our buttons."""

from __future__ import annotations

from enum import StrEnum


class Surface(StrEnum):
    """A kind of message of ours that carries buttons."""

    PROGRESS = "progress"
    """A job that waits or runs."""
    GRID = "grid"
    """A result with all its pictures."""
    SINGLE = "single"
    """One picture at full size."""
