"""The heartbeat file: the running bot writes into it how its parts fare, and `easel health` reads it.

The file is replaced as a whole, so that a reader meets all of it, and only the bot's own user may read it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

SECONDS = 15
"""How often a running bot writes it."""

STALE_SECONDS = 60
"""A bot whose heartbeat file is older than this is taken for stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """How a part of the bot fares. `words` is a clause for the host, of nobody's prompts and ids."""

    name: str
    well: bool
    words: str


def write(path: Path, components: Iterable[Component]) -> None:
    """Replace the file. Raises OSError."""
    fresh = path.with_name(f"{path.name}.new")
    text = json.dumps({"components": [asdict(each) for each in components]}, ensure_ascii=False)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.chmod(0o600)  # also one that an earlier version left
    fresh.replace(path)


def remove(path: Path) -> None:
    """At an orderly end: a bot that was stopped isn't taken for one that is stuck. Raises OSError."""
    path.unlink(missing_ok=True)


def report(path: Path, *, now: float) -> tuple[bool, str]:
    """Whether the bot of this file is well at `now`, in Unix seconds, and the words that say why not."""
    try:
        age = now - path.stat().st_mtime
        components = read(path)
    except FileNotFoundError:
        return False, f"Not running: there is no {path}."
    except (OSError, ValueError) as error:
        return False, f"Not known: {path} can't be read: {error}."
    if age >= STALE_SECONDS:
        return False, f"Not running, or stuck: the last heartbeat was {age:.0f} s ago."
    lines = [f"The last heartbeat was {age:.0f} s ago."]
    lines += [f"{'✓' if each.well else '✗'} {each.name}: {each.words}" for each in components]
    return all(each.well for each in components), "\n".join(lines)


def read(path: Path) -> list[Component]:
    """What was written. Raises OSError, and ValueError for a file that holds something else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["components"]
        return [Component(name=str(e["name"]), well=e["well"] is True, words=str(e["words"])) for e in found]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("it is no heartbeat of this version") from error
