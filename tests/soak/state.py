"""What a soak is to be, and how far it has got."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.faults import Kind, Weather
from tests.soak.gateway import Gateway
from tests.soak.people import People
from tests.soak.rest import Rest
from tests.soak.town import Town


class Stuck(AssertionError):
    """The bot did not do what was waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a soak is to be. `pace` is wishes in a second; `drops` the seconds between two breaks of the gateway.

    `faults` is how likely a request meets one, those `without` never. They begin when the bot is up, or `at_login`.
    The bot is stopped and started again so many times in between. `patience` is for how many seconds the bot may put right what they left, once they are over.
    """

    folder: Path
    jobs: int
    seed: int
    faults: float
    drops: float
    pace: float
    patience: float
    restarts: int = 0
    at_login: bool = False
    without: frozenset[Kind] = frozenset()


@dataclass(slots=True, kw_only=True)
class Soak:
    """A soak under way, and what `audit` looks at once it is over.

    `states` and `owed` are what the bot said last: its jobs by state, and how many of them are not done with. `memory` is
    how many jobs there were, the size of its process in bytes and the blocks that Python has allocated, of its longest life. `endings` says what was wrong when it was stopped.
    """

    plan: Plan
    town: Town
    weather: Weather
    gateway: Gateway
    rest: Rest
    people: People
    states: dict[str, int] = field(default_factory=dict)
    owed: int = 0
    memory: list[tuple[int, int, int]] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    lives: int = 0
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def accepted(self) -> int:
        return sum(self.states.values())

    @property
    def data(self) -> Path:
        return self.plan.folder / "data"

    @property
    def log(self) -> Path:
        return self.plan.folder / "log.jsonl"

    def is_quiet(self) -> bool:
        """Whether nothing is under way, as far as the bot and Discord know."""
        loading = any(record.loading for record in self.town.interactions.values())
        return not (self.owed or self.rest.under_way or loading or any(self.town.progress.values()))


def make(plan: Plan) -> Soak:
    """A soak whose every part draws from the seed, so that parts do not disturb each other's luck."""
    town = Town()
    weather = Weather(source=random.Random(f"weather {plan.seed}"), rate=plan.faults, without=plan.without)
    return Soak(
        plan=plan,
        town=town,
        weather=weather,
        gateway=Gateway(town, random.Random(f"gateway {plan.seed}")),
        rest=Rest(town, weather, trace=plan.folder / "requests.txt"),
        people=People(town, random.Random(f"people {plan.seed}")),
    )
