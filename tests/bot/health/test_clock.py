"""A clock that was put back refuses nobody anything for that, and one that is far off deletes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from discord.utils import time_snowflake
from structlog.testing import capture_logs

from bot.features.moderation import _reported as reported
from bot.features.privacy import _retention as pruning
from storage.privacy import clock_check, retention
from storage.privacy.clock_check import Watch
from tests.bot.features.privacy.people import pictures_in
from tests.world import World, world


async def test_a_second_back_refuses_no_order(easel: World) -> None:
    assert "On its way" in await easel.imagine(easel.ben)
    easel.clock.move(seconds=-1)
    assert "On its way" in await easel.imagine(easel.ben)


async def test_a_timeout_that_began_in_the_future_is_over(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("walrus",), timeout_after=1, timeout_minutes=10) as easel:
        await easel.imagine(easel.ben, "a walrus")
        assert "On its way" not in await easel.imagine(easel.ben)
        easel.clock.move(days=-2)
        assert "On its way" in await easel.imagine(easel.ben)


async def test_refusals_from_the_future_are_not_lately(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("walrus",), timeout_after=2, timeout_minutes=10) as easel:
        await easel.imagine(easel.ben, "a walrus")
        easel.clock.move(days=-2)
        await easel.imagine(easel.ben, "a walrus")
        assert "On its way" in await easel.imagine(easel.ben)


async def test_reports_from_the_future_are_not_lately(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported, "MOST_REPORTS", 1)
    moderators = easel.guild.create_text_channel("moderators")
    await easel.told(easel.admin, "admin moderators", channel=moderators, even_if_public=True)
    for _ in range(2):
        await easel.imagine(easel.ben)
    first, second = easel.results()
    await easel.flag(easel.cleo, first)
    assert "many pictures lately" in await easel.flag(easel.cleo, second)
    easel.clock.move(days=-2)
    assert "many pictures lately" not in await easel.flag(easel.cleo, second)


async def test_a_rewriting_of_the_future_holds_up_no_other(easel: World) -> None:
    database = easel.services.database
    async with database.transaction() as tx:
        await retention.note_pieces(tx)
        gone = await retention.pieces(tx, now=easel.clock())
        assert gone is not None
        await retention.note_rewriting(tx, gone, seconds=5, now=easel.clock())
        await retention.note_pieces(tx)
        later = await retention.pieces(tx, now=easel.clock())
        assert later is not None
        assert later.due_at > easel.clock(), "five hours after one that took five seconds"
        easel.clock.move(days=-2)
        now = await retention.pieces(tx, now=easel.clock())
        assert now is not None
        assert now.due_at <= easel.clock()


async def test_nothing_is_forgotten_while_the_clock_is_far_off(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=30, keep_prompts_days=30) as easel:
        await easel.imagine(easel.ben)
        before = await everything(easel)
        easel.clock.move(days=500)
        with capture_logs() as lines:
            for _ in range(3):
                await pruning.prune(easel.services)
            await easel.restart()
        assert await everything(easel) == before
        told = [line for line in lines if "nothing old is deleted" in line["event"]]
        assert len(told) == 2, "once, and once more after the restart"
        assert "date is wrong" in told[0]["advice"]
        easel.clock.move(days=-500)
        easel.live(days=31)
        await pruning.prune(easel.services)
        assert pictures_in(tmp_path) == []


async def everything(easel: World) -> list[tuple[int, ...]]:
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'state'"
    async with easel.services.database.reading() as tx:
        names = [row["name"] for row in await tx.fetch_all(tables)]
        counts = [await tx.fetch_one(f"SELECT count(*) FROM {name}") for name in names]
    return [*(tuple(count or ()) for count in counts), (len(pictures_in(easel.services.database.folder)),)]


async def test_an_older_installation_goes_by_its_newest_job(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=30) as easel:
        await easel.imagine(easel.ben)
        (tmp_path / "clock").unlink()
        easel.clock.move(days=500)
        await pruning.prune(easel.services)
        assert len(pictures_in(tmp_path)) == 4


async def test_after_a_day_of_running_a_bot_that_was_off_for_long_goes_on(tmp_path: Path) -> None:
    ticks = [1000.0]
    async with world(tmp_path, keep_pictures_days=30) as easel:
        await easel.imagine(easel.ben)
        easel.clock.move(days=60)
        services = replace(easel.services, clock_watch=Watch(lambda: ticks[0]))
        for _ in range(24):
            await pruning.prune(services)
            assert len(pictures_in(tmp_path)) == 4
            ticks[0] += 3600
            easel.clock.move(hours=1)
        await pruning.prune(services)
        assert pictures_in(tmp_path) == []


async def test_a_clock_that_jumps_is_watched_anew(tmp_path: Path) -> None:
    ticks = [1000.0]
    async with world(tmp_path, keep_pictures_days=30) as easel:
        await easel.imagine(easel.ben)
        services = replace(easel.services, clock_watch=Watch(lambda: ticks[0]))
        for hour in range(40):
            await pruning.prune(services)
            ticks[0] += 3600
            easel.clock.move(hours=1, days=60 if hour in (0, 20) else 0)
        assert len(pictures_in(tmp_path)) == 4


async def test_an_order_whose_time_discord_tells_is_proof_enough(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=30) as easel:
        await easel.imagine(easel.ben)
        easel.clock.move(days=60)
        await easel.imagine(easel.cleo)
        await pruning.prune(easel.services)
        assert len(pictures_in(tmp_path)) == 8, "a row with our own date proves nothing"
        async with easel.services.database.transaction() as tx:
            await tx.execute(
                "UPDATE jobs SET interaction_id = ? WHERE user_id = ?",
                (time_snowflake(easel.clock()), easel.cleo.id),
            )
        await pruning.prune(easel.services)
        assert len(pictures_in(tmp_path)) == 4


@pytest.mark.parametrize("words", ["", "yesterday", "2026-03-01", "\xff"])
def test_a_note_of_the_clock_that_is_none_says_nothing(tmp_path: Path, words: str) -> None:
    (tmp_path / "clock").write_text(words, encoding="latin-1")
    found = clock_check.read(tmp_path)
    assert found is None or found.tzinfo is not None


def test_a_clock_that_discord_contradicts_is_not_believed_however_steady_it_is() -> None:
    true, wrong, day = datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 7, 14, tzinfo=UTC), timedelta(days=1)
    assert not clock_check.believed(wrong, last=true, discord=true + day, steady=day)
    assert clock_check.believed(wrong, last=true, discord=true - day, steady=day), "off for long, and nobody came"
