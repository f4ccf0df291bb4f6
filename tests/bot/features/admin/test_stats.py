"""`/admin stats`: the numbers, the chart, and the words for those who can't see it."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
from PIL import Image

from bot.texts.charts import HEIGHT, LETTERS, WIDTH, chart, scale
from bot.texts.statistics import alt
from storage.jobs.statistics import Share, Span, Statistics
from tests.bot.features.admin.test_queue import make_host
from tests.fakes import FakeGenerator
from tests.world import World, said, world


def chart_of(answer: Any) -> discord.Attachment:
    parts = [answer.response, *answer.followups]
    (file,) = [file for part in parts if part is not None for file in part.attachments]
    return file


async def test_a_server_sees_its_own_jobs_in_words_picture_and_alt_text(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        easel.clock.move(days=1)
        for _ in range(2):
            await easel.imagine(easel.cleo)
        easel.generator.paused = True
        await easel.imagine(easel.ben)
        await easel.told(easel.ben, "cancel")
        other = easel.env.create_guild("Other")
        dora = other.add_member(easel.env.create_user("dora"))
        await dora.slash(other.create_text_channel("studio"), "imagine", prompt="a boat")
        answer = await easel.admin.slash(easel.channel, "admin stats", days=3)
        told = said(answer)
        assert "4 jobs: 3 done, 0 failed, 1 cancelled. Drawing took 4.5 s." in told
        assert f"**Busiest people** <@{easel.cleo.id}> 2 jobs, 3.0 s · <@{easel.ben.id}> 2 jobs" in told
        assert "Easel built\\-in 4 jobs" in told
        file = chart_of(answer)
        assert "1 Mar: 1/0/0, 0.0, 0; 2 Mar: 2/0/1, 0.1, 0" in file.description
        with Image.open(io.BytesIO(await file.read())) as picture:
            assert picture.size == (WIDTH, HEIGHT)
            assert picture.format == "PNG"


async def test_waits_are_counted_from_acceptance_to_the_start(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        for _ in range(2):
            await easel.imagine(easel.ben)
        easel.clock.move(seconds=90)
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        file = chart_of(await easel.admin.slash(easel.channel, "admin stats"))
        assert "0.0, 45" in file.description


async def test_a_server_without_jobs_gets_an_empty_chart(easel: World) -> None:
    answer = await easel.admin.slash(easel.channel, "admin stats", days=365)
    assert "0 jobs" in said(answer)
    assert "No jobs" in chart_of(answer).description


async def test_only_the_host_sees_all_servers(easel: World) -> None:
    assert "run the whole bot" in await easel.told(easel.admin, "admin stats", everywhere=True)
    make_host(easel)
    assert "in all servers" in await easel.told(easel.admin, "admin stats", everywhere=True)


def busy(spans: int) -> Statistics:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    return Statistics(
        spans=tuple(
            Span(
                start=first + timedelta(days=n),
                done=1000 + n,
                failed=n,
                cancelled=3,
                seconds=86400.0,
                wait=3600.0,
                long_wait=9999.0,
            )
            for n in range(spans)
        ),
        people=(),
        models=tuple(Share(who=f"model-ü-{n}", jobs=9999, seconds=n * 1e5) for n in range(5)),
    )


@pytest.mark.parametrize("spans", [1, 7, 31, 53])
def test_charts_of_any_length_are_drawn_and_described_within_discords_limit(spans: int) -> None:
    with Image.open(io.BytesIO(chart(busy(spans)))) as picture:
        colours = {colour for _, colour in picture.getcolors(1 << 20) or []}
    assert {(0x56, 0xB4, 0xE9), (0xE6, 0x9F, 0x00), (0x9A, 0x9D, 0xA6)} <= colours
    words = alt(busy(spans), days=1)
    assert len(words) <= 1024
    assert f"{1000 + spans - 1}/{spans - 1}/3, 1440.0, 3600" in words


def test_a_charts_letters_can_be_read_as_wide_as_discord_shows_it() -> None:
    assert LETTERS * 550 / WIDTH >= 10


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 0.25, 0.5, 0.75, 1]),
        (7, [0, 2, 4, 6, 8]),
        (100, [0, 25, 50, 75, 100]),
        (101, [0, 50, 100, 150]),
    ],
)
def test_axes_have_round_numbers(highest: float, ticks: list[float]) -> None:
    assert scale(highest) == ticks


@pytest.mark.parametrize("highest", [1, 2, 3, 7, 24, 260])
def test_an_axis_of_jobs_counts_in_whole_ones(highest: int) -> None:
    ticks = scale(highest, whole=True)
    assert ticks[0] == 0
    assert ticks[-1] >= highest
    assert all(tick == int(tick) for tick in ticks)
