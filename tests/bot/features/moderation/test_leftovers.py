"""Pictures that still stand in Discord though nothing of them is kept: who may report them, and what moderators see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest

from bot.features.moderation import _leftover_reports as leftover_reports
from bot.features.privacy import _erasure as erasure
from storage.privacy import erasures
from storage.privacy.erasures import Erasure
from tests.bot.features.moderation.test_report import WAYS, desk, link, moderator, name_reporter, report
from tests.bot.features.moderation.withheld import CLASSIFIER, adults_desk, finding, result
from tests.bot.features.privacy.people import delete
from tests.bot.features.test_actions import grid
from tests.world import World, said, world


async def leftover(easel: World) -> discord.Message:
    """A picture whose person deleted their data and left the messages."""
    message = await grid(easel)
    assert "nothing of you is left" in await delete(easel, easel.ben)
    return message


def labels(message: discord.Message) -> list[str | None]:
    return [button.label for row in message.components for button in row.children]  # type: ignore[union-attr]


def names(message: discord.Message, easel: World) -> list[str]:
    """What of the erased person stands in a message."""
    return [word for word in ("a fox", str(easel.ben.id)) if word in message.content]


@pytest.mark.parametrize("way", WAYS)
async def test_everybody_can_report_a_leftover_and_moderators_read_only_where_it_stands(
    easel: World, way: str
) -> None:
    moderators = await desk(easel)
    message = await leftover(easel)
    assert "The moderators have it now" in await report(easel, easel.cleo, message, way)
    (case,) = moderators.history()
    assert case.content.split("\n")[1:] == [link(message, easel)]
    assert names(case, easel) == []
    assert case.attachments == []
    assert labels(case) == ["Remove picture", "Keep"]
    assert "have it now" in await report(easel, easel.admin, message, way)
    assert len(moderators.history()) == 1


async def test_a_moderator_removes_a_leftover_even_after_a_restart(easel: World) -> None:
    moderators = await desk(easel)
    message = await leftover(easel)
    await report(easel, easel.cleo, message, "menu")
    mo = moderator(easel)
    await easel.restart()
    assert "may manage messages" in said(
        await easel.press(easel.cleo, moderators.history()[0], "Remove picture")
    )
    await easel.press(mo, moderators.history()[0], "Remove picture")
    assert easel.messages() == []
    (case,) = moderators.history()
    assert case.content.endswith("**Removed**")
    assert labels(case) == []
    assert "→ removed" in await easel.told(easel.admin, "admin changes")


async def test_a_moderator_keeps_a_leftover(easel: World) -> None:
    moderators = await desk(easel)
    log = easel.guild.create_text_channel("log")
    await easel.told(easel.admin, "admin log", channel=log)
    message = await leftover(easel)
    await report(easel, easel.cleo, message, "button")
    mo = moderator(easel)
    await easel.press(mo, moderators.history()[0], "Keep")
    assert moderators.history()[0].content.endswith("**Kept**")
    assert len(easel.messages()) == 1
    assert f"<@{mo.id}> · **reported picture of which nothing is kept" in log.history()[-1].content
    assert "looked at this picture before" in await report(easel, easel.admin, message, "button")
    assert len(moderators.history()) == 1


async def test_a_leftover_that_discord_does_not_let_go_is_said_to_stand(easel: World) -> None:
    moderators = await desk(easel)
    message = await leftover(easel)
    await report(easel, easel.cleo, message, "menu")
    mo = moderator(easel)
    for _ in range(2):
        easel.env.inject_error("DELETE", f"/channels/*/messages/{message.id}", status=403, times=1)
        await easel.press(mo, moderators.history()[0], "Remove picture")
        (case,) = moderators.history()
        assert case.content.count("**Not removed yet**") == 1
        assert labels(case) == ["Remove picture", "Keep"]
    await easel.press(mo, moderators.history()[0], "Remove picture")
    assert "Not removed" not in moderators.history()[0].content
    assert easel.messages() == []


async def test_leftovers_are_no_way_around_what_holds_for_reports(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftover_reports, "MOST_REPORTS", 1)
    first, second = await grid(easel), await grid(easel)
    await delete(easel, easel.ben)
    assert "No channel takes reports" in await report(easel, easel.cleo, first, "menu")
    moderators = await desk(easel)
    easel.env.inject_error("POST", f"/channels/{moderators.id}/messages", status=403, times=1)
    assert "No channel takes reports" in await report(easel, easel.admin, first, "menu")
    easel.clock.move(hours=1)
    assert "have it now" in await report(easel, easel.cleo, first, "menu")
    assert "many pictures lately" in await report(easel, easel.cleo, second, "menu")
    assert "have it now" in await report(easel, easel.admin, second, "menu")
    assert len(moderators.history()) == 2
    await easel.told(easel.admin, "admin member ban", who=easel.cleo)
    assert "You may not use Easel" in await report(easel, easel.cleo, second, "menu")


async def test_only_pictures_of_ours_are_leftovers(easel: World) -> None:
    moderators = await desk(easel)
    plain = await easel.ben.send(easel.channel, "hello")
    posted = "**log channel**"
    await easel.told(easel.admin, "admin log", channel=easel.channel)
    message = await grid(easel)
    await report(easel, easel.cleo, message, "menu")
    (case,) = moderators.history()
    for one in (plain, next(m for m in easel.messages() if posted in m.content), case):
        assert "no link to a picture of mine" in await report(easel, easel.cleo, one, "command")
    await plain_reaction(easel, plain)
    assert len(moderators.history()) == 1


async def plain_reaction(easel: World, message: discord.Message) -> None:
    await easel.cleo.react(message, "🚩")
    await easel.rest()
    assert easel.cleo.user.dm_channel is None or easel.cleo.user.dm_channel.history() == []


# What stood before the moderators when somebody deleted their data.


async def test_an_open_report_goes_on_without_what_was_deleted(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    await easel.press(easel.ben, message, "U2")
    single = easel.messages()[-1]
    await easel.flag(easel.cleo, message)
    await delete(easel, easel.ben)
    (case,) = moderators.history()
    assert names(case, easel) == []
    assert case.attachments == []
    assert link(message, easel) == case.content.split("\n")[1]
    assert link(single, easel) in case.content
    assert "have it now" in await report(easel, easel.admin, message, "menu")
    assert len(moderators.history()) == 1
    await easel.press(moderator(easel), case, "Remove picture")
    assert [one.id for one in easel.messages()] == [single.id]


async def test_what_was_decided_goes(easel: World) -> None:
    moderators = await desk(easel)
    await easel.flag(easel.cleo, await grid(easel))
    await easel.press(moderator(easel), moderators.history()[0], "Keep")
    await delete(easel, easel.ben)
    assert moderators.history() == []


@pytest.mark.parametrize("decision", [None, "Approve"])
async def test_cases_of_the_safety_check_go(tmp_path: Path, decision: str | None) -> None:
    async with world(tmp_path, generator=finding(2), **CLASSIFIER) as easel:
        moderators = await adults_desk(easel)
        await result(easel)
        if decision is not None:
            await easel.press(moderator(easel), moderators.history()[0], decision)
        await delete(easel, easel.ben)
        assert moderators.history() == []


async def test_what_discord_keeps_us_from_clearing_goes_when_a_moderator_presses(easel: World) -> None:
    moderators = await desk(easel)
    await easel.flag(easel.cleo, await grid(easel))
    easel.env.inject_error("PATCH", f"/channels/{moderators.id}/messages/*", status=403, times=1)
    assert "nothing of you is left" in await delete(easel, easel.ben)
    (case,) = moderators.history()
    assert "a fox" in case.content
    mo = moderator(easel)
    await easel.press(mo, case, "Keep")
    (case,) = moderators.history()
    assert names(case, easel) == []
    assert case.attachments == []
    assert labels(case) == ["Remove picture", "Keep"]
    await easel.press(mo, case, "Remove picture")
    assert easel.messages() == []


async def test_cases_are_cleared_after_a_restart_too(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    moderators = await desk(easel)
    await easel.flag(easel.cleo, await grid(easel))
    async with easel.services.database.transaction() as tx:
        await erasures.ask(tx, Erasure(user_id=easel.ben.id, posts=False))
    await easel.restart()
    (case,) = moderators.history()
    assert names(case, easel) == []
    assert labels(case) == ["Remove picture", "Keep"]


async def test_a_report_that_is_posted_while_its_job_is_deleted_is_taken_back(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    send = discord.TextChannel.send

    async def send_late(channel: Any, *args: Any, **kwargs: Any) -> Any:
        sent = await send(channel, *args, **kwargs)
        if channel.id == moderators.id:
            async with easel.services.database.transaction() as tx:
                await tx.execute("DELETE FROM jobs")
        return sent

    monkeypatch.setattr(discord.TextChannel, "send", send_late)
    assert "no longer kept" in await report(easel, easel.cleo, message, "button")
    assert moderators.history() == []


@pytest.mark.parametrize("stays", [False, True])
async def test_a_verdict_names_nobody_who_was_erased_meanwhile(
    easel: World, monkeypatch: pytest.MonkeyPatch, stays: bool
) -> None:
    moderators = await desk(easel)
    await easel.flag(easel.cleo, await grid(easel))
    delivery, remove = easel.services.delivery, easel.services.delivery.remove_post

    async def remove_late(channel_id: int, message_id: int) -> bool:
        monkeypatch.setattr(delivery, "remove_post", remove)
        await erasure.erase(easel.services, Erasure(user_id=easel.ben.id, posts=False))
        return not stays and await remove(channel_id, message_id)

    monkeypatch.setattr(delivery, "remove_post", remove_late)
    pressed = await easel.press(moderator(easel), moderators.history()[0], "Remove picture")
    assert "no longer kept" in said(pressed)
    assert str(easel.ben.id) not in await easel.told(easel.admin, "admin changes")
    assert all(names(case, easel) == [] for case in moderators.history())


async def test_who_reported_or_decided_is_no_longer_named_after_deleting_their_data(easel: World) -> None:
    moderators = await desk(easel)
    first, second = await grid(easel), await grid(easel)
    mo = moderator(easel)
    for message in (first, second):
        await easel.flag(easel.cleo, message)
        name_reporter(easel, moderators.history()[-1], easel.cleo)
    await easel.press(mo, moderators.history()[0], "Keep")
    name_reporter(easel, moderators.history()[0], easel.cleo)
    for person in (easel.cleo, mo):
        assert "nothing of you is left" in await delete(easel, person)
    kept, still_open = moderators.history()
    for case in (kept, still_open):
        assert str(easel.cleo.id) not in case.content
        assert str(mo.id) not in case.content
        assert "Reported by somebody who deleted their data" in case.content
    assert "**Kept** by somebody who deleted their data" in kept.content
    assert f"<@{easel.ben.id}>" in kept.content
    assert labels(still_open) == ["Remove picture", "Keep"]
    assert len(still_open.attachments) == 1
