"""The stand-ins of the benchmarks: a command goes through the whole bot on them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from benchmarks.instant_generator import InstantGenerator
from benchmarks.rig import running_bot
from benchmarks.rows import percentile


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
        asked = discord.slash("imagine", user=3, prompt="a fox")
        moments = [asked.at, await asked.acknowledged, await asked.answered]
        posted, gone = await discord.log.results.get(), await discord.log.retired.get()
    assert moments == sorted(moments)
    assert asked.at < posted < gone
    assert "credits" in discord.log.words[0]


async def test_a_held_generator_draws_when_it_is_released() -> None:
    generator = InstantGenerator(held=True)
    async with running_bot(lambda *_: generator) as (_, discord):
        await discord.slash("imagine", prompt="a fox").answered
        assert discord.log.results.empty()
        generator.release()
        await discord.log.results.get()


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (50.0, 99.0, 7.0)
