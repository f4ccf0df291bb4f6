"""Runs a soak: the stand-in on a port of this machine, the bot in a process of its own, and people until enough jobs were accepted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from aiohttp import web

from tests.soak.faults import Kind, Weather
from tests.soak.gateway import Gateway
from tests.soak.people import People
from tests.soak.rest import API, MOST_REQUEST_BYTES, Rest
from tests.soak.town import Town

ROOT = Path(__file__).parents[2]
MOST_OWED = 60
"""People wait while so many jobs are under way."""
STOP_SECONDS = 60.0
"""How long the bot may take to end after SIGTERM."""
_START_SECONDS = 60.0
_TICK_SECONDS = 0.05
_QUIET_SECONDS = 3.0
"""Nothing is under way any more once nothing has been for so long."""


class Stuck(AssertionError):
    """The bot did not do what was waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a soak is to be. `pace` is wishes in a second; `drops` the seconds between two breaks of the gateway.

    `faults` is how likely a request meets one, those `without` never. They begin when the bot is up, or `at_login`.
    `patience` is for how many seconds the bot may put right what they left, once they are over.
    """

    folder: Path
    jobs: int
    seed: int
    faults: float
    drops: float
    pace: float
    patience: float
    at_login: bool = False
    without: frozenset[Kind] = frozenset()


@dataclass(slots=True, kw_only=True)
class Soak:
    """A soak under way, and what `audit` looks at once it is over."""

    plan: Plan
    town: Town
    weather: Weather
    gateway: Gateway
    rest: Rest
    people: People
    states: dict[str, int] = field(default_factory=dict)
    owed: int = 0
    memory: list[tuple[int, int]] = field(default_factory=list)
    tasks_left: list[str] | None = None
    status: int | None = None
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

    def hear(self, line: bytes, process: psutil.Process) -> None:
        """Take in a line of the bot's output."""
        try:
            said = json.loads(line)
        except ValueError:
            return  # the invitation
        if said["kind"] == "jobs":
            self.states, self.owed = said["states"], said["owed"]
            with contextlib.suppress(psutil.NoSuchProcess):
                self.memory.append((self.accepted, process.memory_info().rss))
        elif said["kind"] == "ended":
            self.tasks_left = said["tasks"]

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
        rest=Rest(town, weather),
        people=People(town, random.Random(f"people {plan.seed}")),
    )


async def run(
    soak: Soak,
    *,
    halfway: Callable[[Soak], Awaitable[list[str]]] | None = None,
    say: Callable[[Soak], None] = lambda _: None,
) -> None:
    """Carry the soak out. `halfway` is called in the middle of it, and returns what it found broken."""
    begun = time.monotonic()
    runner = web.AppRunner(_application(soak), handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = "{}:{}".format(*runner.addresses[0][:2])
    soak.gateway.url = f"ws://{address}/gateway"
    try:
        await _live(soak, address, halfway, say)
    finally:
        await runner.cleanup()
        soak.seconds = time.monotonic() - begun


def _application(soak: Soak) -> web.Application:
    application = web.Application(client_max_size=MOST_REQUEST_BYTES)
    application.router.add_get("/gateway", soak.gateway.connect)
    application.router.add_route("*", API + "/{path:.*}", soak.rest.answer)
    return application


async def _live(
    soak: Soak,
    address: str,
    halfway: Callable[[Soak], Awaitable[list[str]]] | None,
    say: Callable[[Soak], None],
) -> None:
    plan = soak.plan
    plan.folder.mkdir(parents=True, exist_ok=True)
    soak.weather.armed = plan.at_login
    with soak.log.open("ab") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.soak.life",
            str(soak.data),
            address,
            str(plan.seed),
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("EASEL_")},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    hearing = asyncio.create_task(_hear(soak, child), name="the bot's output")
    dropping = None
    try:
        await _until(
            soak, child, lambda: soak.gateway.is_up and None in soak.town.commands, "start", _START_SECONDS
        )
        soak.weather.armed = True
        dropping = asyncio.create_task(soak.gateway.drop_at_random(plan.drops), name="drops")
        if await _ask(soak, child, plan.jobs // 2, say):
            if halfway is not None:
                soak.broken += await halfway(soak)
            await _ask(soak, child, plan.jobs, say)
        dropping.cancel()
        soak.weather.armed = False
        await _come_to_rest(soak, child, say)
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            soak.status = await asyncio.wait_for(child.wait(), STOP_SECONDS)
    finally:
        if dropping is not None:
            dropping.cancel()
        if child.returncode is None:
            child.kill()
            await child.wait()
        await hearing


async def _hear(soak: Soak, child: asyncio.subprocess.Process) -> None:
    process = psutil.Process(child.pid)
    assert child.stdout is not None
    async for line in child.stdout:
        soak.hear(line, process)


async def _ask(soak: Soak, child: asyncio.subprocess.Process, jobs: int, say: Callable[[Soak], None]) -> bool:
    """People ask for things until so many jobs have been accepted. False where the bot stopped accepting any."""
    source = random.Random(f"pace {soak.plan.seed} {jobs}")
    last, since = soak.accepted, time.monotonic()
    while soak.accepted < jobs:
        _check_alive(soak, child)
        if soak.accepted != last:
            last, since = soak.accepted, time.monotonic()
        if time.monotonic() - since > soak.plan.patience:
            soak.broken.append(
                f"no job was accepted for {soak.plan.patience:.0f} s, with {soak.owed} under way"
            )
            return False
        if soak.owed < MOST_OWED:
            soak.people.wish()
        say(soak)
        await asyncio.sleep(source.expovariate(soak.plan.pace))
    return True


async def _come_to_rest(soak: Soak, child: asyncio.subprocess.Process, say: Callable[[Soak], None]) -> None:
    """Wait until nothing is under way; not longer than the bot is given. What is left then is for the audit."""
    deadline = time.monotonic() + soak.plan.patience
    quiet_since = None
    while time.monotonic() < deadline:
        _check_alive(soak, child)
        if not soak.is_quiet():
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > _QUIET_SECONDS:
            return
        say(soak)
        await asyncio.sleep(_TICK_SECONDS)


async def _until(
    soak: Soak,
    child: asyncio.subprocess.Process,
    done: Callable[[], Any],
    what: str,
    seconds: float,
) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        _check_alive(soak, child)
        if time.monotonic() > deadline:
            raise Stuck(f"the bot did not come to its {what}\n{_last_words(soak)}")
        await asyncio.sleep(_TICK_SECONDS)


def _check_alive(soak: Soak, child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        raise Stuck(f"the bot ended by itself, with status {child.returncode}\n{_last_words(soak)}")


def _last_words(soak: Soak) -> str:
    return "\n".join(soak.log.read_text(errors="replace").splitlines()[-20:])
