"""Reads files as `/describe` does, in a process of its own, without a bot around it."""

from __future__ import annotations

from pathlib import Path

from bot.pictures.inspection import Inspected, Inspection
from bot.pictures.limiter import Limiter
from bot.pictures.verifier import Verdict


def inspected(data: bytes, anchors: Path | None = None, *, patience: float = 15) -> Inspected:
    """What a file says of itself, and what its Content Credentials prove."""
    inspection = Inspection(Limiter("files"), trust=anchors, patience=patience)
    try:
        return inspection.inspect(data)
    finally:
        inspection.close()


def verify(data: bytes, anchors: Path | None) -> Verdict | None:
    """What its Content Credentials prove; None where it has none."""
    return inspected(data, anchors).verdict
