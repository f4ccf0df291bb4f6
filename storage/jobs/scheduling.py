"""Who is next, as plain arithmetic on the first few in line; `queue.py` reads and writes what it needs.

The line is in the order of start-time fair queuing (Goyal, Vin and Cheng, SIGCOMM 1996), over servers and then over
the people of each. A job's `turn` is the later of its server's virtual clock and the end of its owner's turn before.
It lasts as many seconds as it keeps the GPU, divided by its weight. Servers take turns by the same rule.

From that order `choose` departs for jobs that are done much sooner than the first, because they are light or because
their model is loaded, and never so far that anybody is held up for more than `PATIENCE`.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

PATIENCE = 30.0
"""Seconds of others' drawing by which a job is passed over in all, and of turn by which a person gets ahead."""

AGEING = 0.9
"""The virtual clock advances with each drawn second at least by this part of what even shares would make of it.

So nobody starves: what is asked for later goes before a job only until the GPU has drawn 1/0.9 of the seconds that even
shares among those in sight (`WINDOW`) would need for its owner's earlier jobs. It stays below 1, as a clock that runs
ahead of the turns in line would serve people in the order of asking.
"""

WINDOW = 32
"""How many of the line are looked at."""

MUCH_SOONER = 0.5
"""The part of another job's seconds that a job may take at most to be drawn before it out of turn."""

USUAL_LOAD = 5.0
"""Seconds that loading a model is taken for until it has been seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A job in line. `seconds` of drawing and `load` of loading its model are expected; `delayed` says by how many
    seconds it has been passed over. `turn` is its turn among its server's jobs, `server_turn` where it begins among
    the jobs of all servers."""

    id: str
    guild_id: int
    user_id: int
    model: str
    turn: float
    server_turn: float
    server_weight: float
    seconds: float
    load: float
    delayed: float = 0.0

    def takes(self, warm: Collection[str]) -> float:
        """Seconds until it is done, once it has begun."""
        return self.seconds + (0.0 if self.model in warm else self.load)


def choose(line: Sequence[Waiting], warm: Collection[str]) -> int:
    """The place of the next job in a line that is sorted by `server_turn` and not empty.

    Everybody's own jobs keep their order in each server. `warm` are the loaded models. For everyone passed over,
    `delayed` grows by what the chosen one takes.
    """
    first = line[0]
    best, best_burden, slack = 0, _burden(first, warm), PATIENCE - first.delayed
    heads, seen = {first.guild_id: first}, {(first.guild_id, first.user_id)}
    for place, job in enumerate(line[1:], start=1):
        head = heads.setdefault(job.guild_id, job)
        early = max(job.turn - head.turn, head.server_turn - first.server_turn)
        burden, owner = _burden(job, warm), (job.guild_id, job.user_id)
        much_sooner = burden <= MUCH_SOONER * best_burden and job.takes(warm) <= slack
        if much_sooner and early <= PATIENCE and owner not in seen:
            best, best_burden = place, burden
        slack = min(slack, PATIENCE - job.delayed)
        seen.add(owner)
    return best


def sharers(weights: Mapping[int, float]) -> float:
    """The weights of all these people: an even share is one's own weight divided by that."""
    return sum(weights.values())


def _burden(job: Waiting, warm: Collection[str]) -> float:
    """What drawing it now costs all who wait: a cold model is loaded, and what is loaded now has to be loaded again."""
    return job.seconds if job.model in warm else job.seconds + 2 * job.load


def foresee(line: Sequence[Waiting], *, warm: Collection[str], busy: Sequence[float]) -> dict[str, float]:
    """Seconds until each job of the line is done, by its id, if nobody comes and all take as long as expected.

    `busy` holds the seconds until each worker is free. Several warm models mean that there is room for another.
    """
    left, loaded, free = list(line), set(warm), list(busy)
    heapq.heapify(free)
    done: dict[str, float] = {}
    while left:
        place = choose(left[:WINDOW], loaded)
        job = left.pop(place)
        takes = job.takes(loaded)
        left[:place] = [_passed_over(one, by=job, takes=takes) for one in left[:place]]
        left.sort(key=lambda one: one.server_turn)
        loaded = {job.model} | (loaded if len(warm) > 1 or job.model in loaded else set())
        done[job.id] = heapq.heappop(free) + takes
        heapq.heappush(free, done[job.id])
    return done


def _passed_over(one: Waiting, *, by: Waiting, takes: float) -> Waiting:
    """A job whose place another has taken: where both are of one server, its turn begins later."""
    later = by.seconds / by.server_weight if by.guild_id == one.guild_id else 0.0
    return replace(one, delayed=one.delayed + takes, server_turn=one.server_turn + later)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """What draws: how many jobs at once, and which models are loaded."""

    capacity: int = 1
    warm: frozenset[str] = frozenset()


NONE_WARM = Workers()
"""One worker that has loaded nothing, or about which nothing is known."""
