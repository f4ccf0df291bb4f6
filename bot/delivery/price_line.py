"""The line in a result's message that says what the buttons under it cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from generation.catalogue import Catalogue
from storage.jobs.job import Job

_TITLE = "-# Credits: "
_BETWEEN = " · "


class PriceLine:
    """Writes and reads the line. `labels` says how it calls each action that has a button under a result."""

    def __init__(self, labels: Mapping[str, str], catalogue: Catalogue) -> None:
        self._labels = dict(sorted(labels.items(), key=lambda pair: pair[1]))
        self._catalogue = catalogue

    def under(self, words: str, job: Job, *, free: Collection[str]) -> str:
        """The words of a job's result with the line; without it if no button costs anything.

        `free` are the actions that the server made free.
        """
        prices = {name: self.price(name, job, free=free) for name in self._labels}
        kept = [line for line in words.split("\n") if not line.startswith(_TITLE)]
        line = _BETWEEN.join(self._part(name, price) for name, price in prices.items())
        return "\n".join([*kept, _TITLE + line] if any(prices.values()) else kept)

    def is_in(self, words: str) -> bool:
        """Whether a message may have the line: a progress message, which has no details, never has."""
        return "\n-# " in words

    def tells(self, words: str, action: str, price: int) -> bool:
        """Whether a message's words say that price."""
        lines = [line.removeprefix(_TITLE) for line in words.split("\n") if line.startswith(_TITLE)]
        return self._part(action, price) in [part for line in lines for part in line.split(_BETWEEN)]

    def price(self, action: str, job: Job, *, free: Collection[str]) -> int:
        """What an action on a job costs; nothing if its model is gone, since it can't be done then."""
        if action in free or job.model not in self._catalogue:
            return 0
        return self._catalogue[job.model].price(action, job.images)

    def _part(self, action: str, price: int) -> str:
        return f"{self._labels[action]} {price or 'free'}"
