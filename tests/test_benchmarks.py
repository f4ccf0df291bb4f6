"""The stand-ins of the benchmarks: a command goes through the whole bot on them."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from benchmarks import days
from benchmarks.fairness import jain
from benchmarks.instant_generator import InstantGenerator
from benchmarks.rig import running_bot
from benchmarks.rows import percentile
from benchmarks.virtual_day import Fair, FirstCome, play


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


async def test_a_command_goes_through_the_whole_bot() -> None:
    async with running_bot(lambda *_: InstantGenerator()) as (_, discord):
        asked = discord.slash("imagine", user=3, prompt="a boat")
        moments = [asked.at, await asked.acknowledged, await asked.answered]
        posted, gone = await discord.log.results.get(), await discord.log.retired.get()
    assert moments == sorted(moments)
    assert asked.at < posted < gone
    assert "credits" in discord.log.words[0]


async def test_a_held_generator_draws_when_it_is_released() -> None:
    generator = InstantGenerator(held=True)
    async with running_bot(lambda *_: generator) as (_, discord):
        await discord.slash("imagine", prompt="a boat").answered
        assert discord.log.results.empty()
        generator.release()
        await discord.log.results.get()


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (50.0, 99.0, 7.0)


async def test_a_recorded_day_is_played_as_it_was_recorded(tmp_path: Path) -> None:
    day = days.poisson(random.Random(1), hours=0.2, load=0.8, people=10)
    days.write(tmp_path / "day.csv", day)
    assert days.read(tmp_path / "day.csv") == day
    for queue in (FirstCome(), Fair()):
        served = await play(queue, day)
        assert sorted(one.visit.at for one in served) == [one.at for one in day]
        assert all(one.waited >= -1e-6 for one in served)
        ends = [one.done for one in served]
        assert ends == sorted(ends)


def test_the_sample_is_what_its_generator_makes() -> None:
    assert days.read(days.SAMPLE) == days.evening()


async def test_a_greedy_person_gets_no_more_than_their_share() -> None:
    source = random.Random(1)
    kinds = (days.LIGHT, days.MIDDLE, days.HEAVY)
    first = [days.visit(source, kind, at=0, person=person) for person, kind in enumerate(kinds) for _ in range(2)]
    first += [days.visit(source, days.MIDDLE, at=0, person=9) for _ in range(50)]
    refill = {
        person: [days.visit(source, kind, at=0, person=person) for _ in range(1000)]
        for person, kind in enumerate(kinds)
    }
    indices = []
    for queue in (FirstCome(), Fair()):
        got: Counter[int] = Counter()
        for one in await play(queue, first, refill, until=600):
            got[one.visit.person] += round(one.visit.seconds)
        indices.append(jain(list(got.values())))
    assert indices[0] < 0.8
    assert indices[1] > 0.95
