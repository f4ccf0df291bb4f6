"""Days of asking: synthetic ones, and recorded ones in a small CSV format.

`python -m benchmarks.days` writes the sample, `recorded/evening.csv`, again. A recorded day has a line for each job:
`at` (seconds since the day's start), `person`, `weight`, `model`, `width`, `height`, `steps`, `images` and `seconds`
(of drawing, as measured).
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

SAMPLE = Path(__file__).parent / "recorded" / "evening.csv"
HOUR = 3600.0

NOISE = 0.08
"""The deviation of the logarithm of what equal jobs take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Jobs of one model: the seconds that four pictures take, and how many of a hundred jobs are for it."""

    model: str
    steps: int
    seconds: float
    percent: float


LIGHT = Kind(model="turbo", steps=4, seconds=1.2, percent=55)
MIDDLE = Kind(model="sdxl", steps=30, seconds=6.0, percent=33)
HEAVY = Kind(model="flux", steps=28, seconds=16.0, percent=12)
MIX = (LIGHT, MIDDLE, HEAVY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A job that somebody asks for, and what it takes to draw."""

    at: float
    person: int
    weight: float
    model: str
    width: int
    height: int
    steps: int
    images: int
    seconds: float


def visit(source: random.Random, kind: Kind, *, at: float, person: int, weight: float = 1.0) -> Visit:
    """A job of this kind with a size and a number of pictures as people choose them."""
    width, height = source.choice(((1024, 1024), (1024, 1024), (1216, 832), (832, 1216), (1344, 768)))
    images = source.choices((4, 1), (4, 1))[0]
    part = (0.15 + 0.85 * images / 4) * width * height / 1024**2
    seconds = kind.seconds * part * math.exp(source.gauss(0, NOISE))
    return Visit(
        at=round(at, 1),
        person=person,
        weight=weight,
        model=kind.model,
        width=width,
        height=height,
        steps=kind.steps,
        images=images,
        seconds=round(seconds, 2),
    )


def poisson(
    source: random.Random,
    *,
    hours: float,
    load: float,
    people: int,
    kinds: Sequence[Kind] = MIX,
    weights: Sequence[float] = (1.0,),
) -> list[Visit]:
    """People who come at random, each for one to five jobs with half a minute between; `load` leaves loading out."""
    rate = load / sum(kind.seconds * kind.percent / 100 for kind in kinds) / 3
    visits, at = [], 0.0
    while (at := at + source.expovariate(rate)) < hours * HOUR:
        person = source.randrange(people)
        moment = at
        kind = source.choices(kinds, [one.percent for one in kinds])[0]
        for _ in range(source.randint(1, 5)):
            weight = weights[person % len(weights)]
            visits.append(visit(source, kind, at=moment, person=person, weight=weight))
            moment += source.expovariate(1 / 30)
    return sorted(visits, key=lambda one: one.at)


def greedy(source: random.Random, *, at: float, person: int, jobs: int = 50) -> list[Visit]:
    """One person who asks for fifty jobs at once."""
    return [visit(source, MIDDLE, at=at, person=person) for _ in range(jobs)]


def evening(seed: int = 20) -> list[Visit]:
    """An evening as a server of a few hundred members may have it, with two greedy people."""
    source = random.Random(seed)
    day: list[Visit] = []
    for start, hours, load in ((16, 2, 0.3), (18, 3, 0.7), (21, 1, 0.4)):
        part = poisson(source, hours=hours, load=load, people=200, weights=(1, 1, 1, 1, 1, 1, 1, 2))
        day += [_moved(one, start * HOUR) for one in part]
    day += greedy(source, at=19 * HOUR, person=900, jobs=40) + greedy(source, at=20.5 * HOUR, person=901, jobs=25)
    return sorted(day, key=lambda one: one.at)


def _moved(one: Visit, by: float) -> Visit:
    return Visit(**asdict(one) | {"at": round(one.at + by, 1)})


def write(path: Path, visits: Iterable[Visit]) -> None:
    """Keep a day."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Visit)], lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(one) for one in visits)


def read(path: Path) -> list[Visit]:
    """A day that was kept."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [_visit(row) for row in csv.DictReader(file)]
    return sorted(rows, key=lambda one: one.at)


def _visit(row: dict[str, str]) -> Visit:
    return Visit(
        at=float(row["at"]),
        person=int(row["person"]),
        weight=float(row["weight"]),
        model=row["model"],
        width=int(row["width"]),
        height=int(row["height"]),
        steps=int(row["steps"]),
        images=int(row["images"]),
        seconds=float(row["seconds"]),
    )


if __name__ == "__main__":
    write(SAMPLE, evening())
