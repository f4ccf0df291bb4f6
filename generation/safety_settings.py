"""The safety check of results as the host sets it up: which classifier looks, and what it counts as unsafe. No torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

UNSAFE_LABELS = ("nsfw", "porn", "pornography", "hentai", "explicit", "nude", "unsafe")
"""What common classifiers call pictures for adults. "sexy", which some have for swimwear, is left out."""

_HUB_ID = re.compile(r"(?P<id>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyCheck:
    """A classifier, the labels of its that mean unsafe, in any case, and from which probability, 0 to 1.

    `source` is a folder, or a Hugging Face id, behind which `@` may pin a revision.
    """

    source: str | Path
    labels: tuple[str, ...]
    threshold: float

    @property
    def revision(self) -> str | None:
        """The pinned revision of a Hugging Face repository."""
        found = None if isinstance(self.source, Path) else _HUB_ID.fullmatch(self.source)
        return found["revision"] if found else None

    @property
    def repository(self) -> str:
        """What to load: the folder, or the Hugging Face id without its revision."""
        return str(self.source).removesuffix(f"@{self.revision}")


def read_source(text: str) -> str | Path:
    """A Hugging Face id, perhaps with `@revision`, or the path of a folder: what begins with a dot, a tilde or a slash.

    Raises ValueError for neither.
    """
    if _HUB_ID.fullmatch(text):
        return text
    if not re.match(r"[./\\~]|[A-Za-z]:[\\/]", text):
        raise ValueError
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # "~somebody" who does not exist
        raise ValueError from error
