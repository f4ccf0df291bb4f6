"""A clock that was put back, by a second or by days, refuses nobody anything for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import cases, leftover_reports
from bot.errors import TooManyReports
from storage import retention
from tests.world import World, said, world


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
    monkeypatch.setattr(cases, "MOST_REPORTS", 1)
    await easel.told(easel.admin, "admin moderators", channel=easel.guild.create_text_channel("moderators"))
    for _ in range(2):
        await easel.imagine(easel.ben)
    first, second = easel.results()
    await easel.press(easel.cleo, first, "🚩")
    assert "many pictures lately" in said(await easel.press(easel.cleo, second, "🚩"))
    easel.clock.move(days=-2)
    assert "many pictures lately" not in said(await easel.press(easel.cleo, second, "🚩"))


async def test_reports_of_leftovers_from_the_future_are_not_lately(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftover_reports, "MOST_REPORTS", 1)
    monkeypatch.setattr(leftover_reports, "_lately", {})
    leftover_reports._not_too_many(easel.cleo, easel.clock())
    with pytest.raises(TooManyReports):
        leftover_reports._not_too_many(easel.cleo, easel.clock())
    easel.clock.move(days=-2)
    leftover_reports._not_too_many(easel.cleo, easel.clock())


async def test_a_rewriting_of_the_future_holds_up_no_other(easel: World) -> None:
    database = easel.studio.database
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
