"""What an examination finds: `./easel doctor`'s, and `/admin doctor`'s."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

GB = 10**9
_TOO_LITTLE_DISK, _LITTLE_DISK = 1 * GB, 10 * GB


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    """As it should be."""
    NOTE = "note"
    """Works, with something worth knowing."""
    BROKEN = "broken"
    """Easel or a part of it does not work until this is mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `advice` says what to do, where there is something to do."""

    level: Level
    what: str
    advice: str = ""


def ok(what: str) -> Finding:
    """As it should be."""
    return Finding(level=Level.OK, what=what)


def note(what: str, advice: str = "") -> Finding:
    """Works, with something worth knowing."""
    return Finding(level=Level.NOTE, what=what, advice=advice)


def broken(what: str, advice: str) -> Finding:
    """Does not work until somebody follows the advice."""
    return Finding(level=Level.BROKEN, what=what, advice=advice)


def disk_room(what: str, free: int) -> Finding:
    """How good so many free bytes are."""
    if free < _TOO_LITTLE_DISK:
        return broken(what, "Make room, or set EASEL_DATA to a folder on another disk.")
    if free < _LITTLE_DISK:
        return note(what, "Pictures take about 2 MB each, and the weights of a model several GB.")
    return ok(what)
