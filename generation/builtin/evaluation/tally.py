"""Counts, for each attribute and value that was asked for, how often it was read off the picture."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from generation.builtin.evaluation.tables import print_table, share

RARE = 5
"""Values that were asked for less often are not ranked."""
WORST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each (attribute, value) was asked for and seen, and what was read instead."""

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    mistaken: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, wanted: Mapping[str, str], reading: Mapping[str, str]) -> None:
        """Counts one picture: what it should show and what was read off it."""
        for name, value in wanted.items():
            self.asked[name, value] += 1
            if reading[name] == value:
                self.right[name, value] += 1
            else:
                self.mistaken[name, value, reading[name]] += 1

    def attributes(self) -> list[str]:
        """The attributes that were asked for, in the order of their first asking."""
        return list(dict.fromkeys(name for name, _ in self.asked))

    def counts(self, attribute: str | None = None) -> tuple[int, int]:
        """How often one attribute, or any, was asked for and how often it was right."""
        keys = [key for key in self.asked if attribute in (None, key[0])]
        return sum(self.asked[key] for key in keys), sum(self.right[key] for key in keys)

    def percent(self, attribute: str | None = None) -> float:
        """The share of what was asked for that was right, in per cent."""
        asked, right = self.counts(attribute)
        return share(right, asked)

    def lowest(self) -> tuple[str, float]:
        """The attribute that is right least often, and its share in per cent."""
        shares = [(self.percent(name), name) for name in self.attributes()]
        percent, name = min(shares, default=(100.0, "nothing asked"))
        return name, percent

    def print(self, target: float) -> None:
        """The attributes, those under `target` per cent marked, and then the worst values."""
        rows = []
        for name in [*self.attributes(), None]:
            asked, right = self.counts(name)
            percent = share(right, asked)
            rows.append((name or "all", str(asked), str(right), f"{percent:.1f}", "" if percent >= target else "low"))
        print_table(("attribute", "asked", "right", "%", f"(target {target:g})"), rows)
        self._print_worst()

    def _print_worst(self) -> None:
        ranked = sorted(
            (share(self.right[key], asked), key)
            for key, asked in self.asked.items()
            if asked >= RARE and self.right[key] < asked
        )
        rows = [
            (
                f"{name} {value or 'none'}",
                str(self.asked[name, value]),
                f"{percent:.1f}",
                self._instead(name, value),
            )
            for percent, (name, value) in ranked[:WORST_SHOWN]
        ]
        if rows:
            print_table(("worst values", "asked", "%", "read instead"), rows)

    def _instead(self, name: str, value: str) -> str:
        """The two readings that most often took the value's place."""
        others = Counter({key[2]: n for key, n in self.mistaken.items() if key[:2] == (name, value)})
        return ", ".join(f"{other or 'none'} {count}" for other, count in others.most_common(2))


def tally(wanted: Sequence[Mapping[str, str]], readings: Sequence[Mapping[str, str]]) -> Tally:
    """The count over many pictures."""
    counted = Tally()
    for one, reading in zip(wanted, readings, strict=True):
        counted.add(one, reading)
    return counted
