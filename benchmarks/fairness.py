"""Who waits how long, and who gets how much of the GPU, with Easel's queue and in the order of asking."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import days
from benchmarks.days import HEAVY, HOUR, LIGHT, MIDDLE, MIX, Visit
from benchmarks.rows import Row, median, percentile
from benchmarks.virtual_day import Fair, FirstCome, Queue, Served, play

FAIR = 0.95
CLOSE = 0.25
"""How far an estimate may be off at the median."""

_ORDERS: Mapping[str, Callable[[], Queue]] = {"in the order of asking": FirstCome, "with Easel's queue": Fair}
_ALWAYS = (LIGHT, MIDDLE, HEAVY, MIDDLE, LIGHT, HEAVY, MIDDLE, LIGHT)
_WEIGHTS = (1.0, 1.0, 1.0, 1.0, 2.0, 1.0, 0.5, 1.0)
_GREEDY = 3
"""Which of those eight people has fifty jobs in line; the others have two."""


def run(*, quick: bool, recorded: Path | None = None) -> list[Row]:
    """See the module. `recorded` is a day of the host's own."""
    source = random.Random(1)
    hours = 2.0 if quick else 8.0
    mixed = days.poisson(source, hours=hours, load=0.8, people=100)
    crowd = days.poisson(source, hours=hours, load=0.6, people=100, weights=(1, 1, 2))
    crowd += days.greedy(source, at=0.5 * HOUR, person=1000)
    evening = days.read(recorded or days.SAMPLE)
    if quick:
        evening = [one for one in evening if 18.5 * HOUR < one.at < 20 * HOUR]
    rows = _always_busy(hours)
    rows += _day("mixed day, load 0.8", mixed, held_to_targets=True)
    rows += _day("day with one greedy person", crowd)
    return rows + _day("recorded evening", evening)


def _always_busy(hours: float) -> list[Row]:
    """Eight people who always want more, one of them with fifty jobs: who gets how much?"""
    source = random.Random(3)
    people = list(enumerate(zip(_ALWAYS, _WEIGHTS, strict=True)))

    def wishes(person: int, count: int) -> list[Visit]:
        kind, weight = people[person][1]
        return [days.visit(source, kind, at=0, person=person, weight=weight) for _ in range(count)]

    first = [one for person, _ in people for one in wishes(person, 50 if person == _GREEDY else 2)]
    refill = {person: wishes(person, round(hours * 4000)) for person, _ in people}
    rows = []
    for name, order in _ORDERS.items():
        served = asyncio.run(play(order(), first, refill, until=hours * HOUR))
        index = jain(list(_service(served, len(people)).values()))
        fair = order is Fair
        rows.append(
            Row(
                what=f"eight people who always wait, one with 50 jobs, {name}: Jain's index of GPU seconds by weight",
                measured=f"{index:.3f}",
                target=f"≥ {FAIR}" if fair else "",
                met=index >= FAIR if fair else None,
            )
        )
    return rows


def _service(served: Sequence[Served], people: int) -> dict[int, float]:
    """GPU seconds divided by weight, of each person."""
    got = dict.fromkeys(range(people), 0.0)
    for one in served:
        got[one.visit.person] += one.visit.seconds / one.visit.weight
    return got


def jain(shares: Sequence[float]) -> float:
    """Jain's index: 1 for equal shares, 1/n when one of n has it all (Jain, Chiu and Hawe, DEC-TR-301, 1984)."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


def _day(name: str, visits: Sequence[Visit], *, held_to_targets: bool = False) -> list[Row]:
    plain, fair = (asyncio.run(play(order(), visits)) for order in _ORDERS.values())
    rows = [
        Row(what=f"{name}, {len(visits):,} jobs, {order}: waits", measured=_waits(served))
        for order, served in zip(_ORDERS, (plain, fair), strict=True)
    ]
    if held_to_targets:
        rows.append(_against(plain, fair))
    return [*rows, _shares(name, plain, fair), _estimates(name, fair)]


def _against(plain: Sequence[Served], fair: Sequence[Served]) -> Row:
    """The targets of a mixed load."""
    middle = median(_waited(fair)) / median(_waited(plain))
    light = percentile(_waited(fair, LIGHT.model), 95) / percentile(_waited(plain, LIGHT.model), 95)
    heavy = percentile(_waited(fair, HEAVY.model), 95) / percentile(_waited(plain, HEAVY.model), 95)
    return Row(
        what="the same, against the order of asking",
        measured=f"median {middle:.2f}×, light p95 {light:.2f}×, heavy p95 {heavy:.2f}×",
        target="≤ 0.50×, ≤ 0.33×, ≤ 1.60×",
        met=middle <= 0.5 and light <= 1 / 3 and heavy <= 1.6,
    )


def _waits(served: Sequence[Served]) -> str:
    """Median, 95th percentile and maximum of the seconds beyond one's own drawing, for each kind of job."""
    parts = []
    for kind in MIX:
        waits = _waited(served, kind.model)
        parts.append(f"{kind.model} {median(waits):.0f}/{percentile(waits, 95):.0f}/{max(waits):.0f} s")
    return f"{', '.join(parts)} (median/p95/max)"


def _waited(served: Sequence[Served], model: str | None = None) -> list[float]:
    return [one.waited for one in served if model in (None, one.visit.model)]


def _shares(name: str, plain: Sequence[Served], fair: Sequence[Served]) -> Row:
    before, after = jain(due(plain)), jain(due(fair))
    return Row(
        what=f"{name}: Jain's index of the part that each got of the share due to them",
        measured=f"{after:.3f}, in the order of asking {before:.3f}",
    )


def due(served: Sequence[Served]) -> list[float]:
    """For each person: GPU seconds, as a part of an even share by weight while they waited; at most all of it."""
    edges = sorted(
        [(one.visit.at, 1, one.visit) for one in served] + [(one.done, -1, one.visit) for one in served],
        key=lambda edge: edge[:2],
    )
    jobs: dict[int, int] = defaultdict(int)
    weights: dict[int, float] = {}
    share: dict[int, float] = defaultdict(float)
    before = 0.0
    for at, change, one in edges:
        everybody = sum(weights.values())
        for person, weight in weights.items():
            share[person] += (at - before) * weight / everybody
        before = at
        jobs[one.person] += change
        weights[one.person] = one.weight
        if not jobs[one.person]:
            del weights[one.person]
    got: dict[int, float] = defaultdict(float)
    for each in served:
        got[each.visit.person] += each.visit.seconds
    return [min(1.0, got[person] / share[person]) for person in got]


def _estimates(name: str, served: Sequence[Served]) -> Row:
    """How far what people were told when they asked was from what they met."""
    met = [(one.told, one.done - one.visit.at) for one in served if one.told is not None]
    off = [abs(told - took) / took for told, took in met]
    return Row(
        what=f"{name}: estimates, off by (median, p90)",
        measured=f"{median(off):.0%}, {percentile(off, 90):.0%}, of {len(met):,} told",
        target=f"median ≤ {CLOSE:.0%}",
        met=median(off) <= CLOSE,
    )
