"""Buttons that ask for words: the form behind 🚩, what is checked when it is submitted, and a slow database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.errors import FormTooSlow
from bot.features.moderation import _reported as reported
from bot.interactions import forms
from tests.bot.features.moderation.test_report import desk, moderator
from tests.bot.features.privacy.people import delete
from tests.bot.features.test_actions import grid
from tests.world import World, said


async def opened(easel: World) -> Any:
    """The form that 🚩 opened for Cleo under a new picture."""
    return await easel.press(easel.cleo, await grid(easel), "🚩")


async def test_a_press_opens_the_form_and_reports_nothing(easel: World) -> None:
    moderators = await desk(easel)
    pressed = await opened(easel)
    assert pressed.modal["title"] == "Report this picture"
    assert moderators.history() == []
    async with easel.services.database.reading() as tx:
        assert await tx.fetch_all("SELECT * FROM reports") == []


async def test_moderators_read_the_reasons_and_nothing_in_them_works(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    assert "The moderators have it now" in await easel.flag(easel.cleo, message, "@everyone **it is\nmine**")
    await easel.flag(easel.admin, message)
    (case,) = moderators.history()
    assert "Reported by 2 people" in case.content
    lines = [line for line in case.content.split("\n") if line.startswith("> ")]
    assert len(lines) == 1
    assert "it is mine" in lines[0]
    assert "@everyone" not in lines[0]
    assert easel.pings(case) == []


async def test_a_reason_goes_with_its_person(easel: World) -> None:
    moderators = await desk(easel)
    await easel.flag(easel.cleo, await grid(easel), "it shows my house")
    assert "nothing of you is left" in await delete(easel, easel.cleo)
    assert "my house" not in moderators.history()[0].content
    async with easel.services.database.reading() as tx:
        assert [row["reason"] for row in await tx.fetch_all("SELECT reason FROM reports")] == [""]


async def test_a_reason_keeps_no_mention_of_an_erased_person(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    await easel.flag(easel.admin, message, f"<@{easel.cleo.id}> is in it")
    await easel.flag(easel.cleo, message, f"I am <@{easel.cleo.id}>, me")
    assert str(easel.cleo.id) in moderators.history()[0].content
    assert "nothing of you is left" in await delete(easel, easel.cleo)
    (case,) = moderators.history()
    assert str(easel.cleo.id) not in case.content
    assert "is in it" in case.content
    assert "I am" not in case.content
    async with easel.services.database.reading() as tx:
        assert {row["reason"] for row in await tx.fetch_all("SELECT reason FROM reports")} == {"<@…> is in it", ""}


async def test_long_reasons_keep_no_further_report_out(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    for number in range(6):
        who = easel.guild.add_member(easel.env.create_user(f"reporter{number}"))
        assert "The moderators have it now" in await easel.flag(who, message, "*_" * 150)
    (case,) = moderators.history()
    assert "Reported by 6 people" in case.content
    await easel.press(moderator(easel), case, "Keep")
    assert "**Kept** by" in moderators.history()[0].content


async def test_a_form_outlives_a_restart(easel: World) -> None:
    moderators = await desk(easel)
    pressed = await opened(easel)
    await easel.restart()
    assert "have it now" in said(await easel.cleo.submit_modal(pressed, {"reason": "late"}))
    assert "> late" in moderators.history()[0].content


async def test_what_is_submitted_is_checked_again(easel: World) -> None:
    moderators = await desk(easel)
    pressed = await opened(easel)
    await easel.told(easel.admin, "admin member ban", who=easel.cleo)
    assert "You may not use Easel" in said(await easel.cleo.submit_modal(pressed, {}))
    assert moderators.history() == []


async def test_the_job_may_be_gone_when_the_form_is_submitted(easel: World) -> None:
    moderators = await desk(easel)
    pressed = await opened(easel)
    await delete(easel, easel.ben)
    assert "Ask a moderator" in said(await easel.cleo.submit_modal(pressed, {}))
    assert moderators.history() == []


async def test_what_is_in_the_way_is_said_instead_of_the_form(easel: World) -> None:
    pressed = await opened(easel)
    assert pressed.modal is None
    assert "No channel takes reports here" in said(pressed)


async def test_a_form_that_is_submitted_twice_counts_once(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk(easel)
    pressed = await opened(easel)
    calls = []
    report = reported.report

    async def counted(*args: Any, **kwargs: Any) -> str:
        calls.append(args)
        return await report(*args, **kwargs)

    monkeypatch.setattr(reported, "report", counted)
    again: list[Any] = []
    on_interaction = easel.client.on_interaction

    async def twice(interaction: Any) -> None:
        await on_interaction(interaction)
        if forms.read_id(interaction):
            again.append(interaction.id)
            interaction.extras.clear()
            await on_interaction(interaction)

    monkeypatch.setattr(easel.client, "on_interaction", twice)
    await easel.cleo.submit_modal(pressed, {})
    assert len(again) == 1
    assert len(calls) == 1


async def test_a_look_up_that_is_too_slow_for_a_form_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "_SECONDS", 0.01)
    with pytest.raises(FormTooSlow):
        await forms.within_time(asyncio.Event().wait())


async def test_a_decided_case_shows_no_reasons_any_more(easel: World) -> None:
    moderators = await desk(easel)
    await easel.flag(easel.cleo, await grid(easel), "it shows my house")
    await easel.press(moderator(easel), moderators.history()[0], "Keep")
    assert "Kept" in moderators.history()[0].content
    assert "my house" not in moderators.history()[0].content
