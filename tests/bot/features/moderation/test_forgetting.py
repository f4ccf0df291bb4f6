"""What is left of a picture in Discord once its job is forgotten, and what becomes of its case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest

from bot.features.privacy import _erasure as erasure
from bot.features.privacy import _retention as retention
from storage.privacy import erasures
from storage.privacy.erasures import Erasure
from tests.bot.features.moderation.test_report import desk, link, moderator, name_reporter, report
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


@pytest.mark.parametrize("way", ["menu", "command"])
async def test_a_picture_of_which_nothing_is_kept_can_not_be_reported(easel: World, way: str) -> None:
    moderators = await desk(easel)
    message = await leftover(easel)
    assert "Ask a moderator to delete its message" in await report(easel, easel.cleo, message, way)
    assert moderators.history() == []
    assert "Ask a moderator" in said(await easel.press(easel.cleo, message, "🚩"))
    await easel.cleo.react(message, "🚩")
    await easel.rest()
    assert "Ask a moderator" in easel.cleo.user.dm_channel.history()[-1].content


async def test_buttons_under_earlier_versions_reports_of_such_pictures_say_so(easel: World) -> None:
    message = await leftover(easel)
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Keep", custom_id="easel-leftover:keep:1:2"))
    old = await easel.client.get_partial_messageable(easel.channel.id).send("an old case", view=view)
    del message
    sent = next(one for one in easel.messages() if one.id == old.id)
    assert "Ask a moderator to delete" in said(await easel.press(moderator(easel), sent, "Keep"))


async def test_an_open_report_becomes_links_for_moderators(easel: World) -> None:
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
    assert labels(case) == []


async def test_an_open_report_becomes_links_when_its_job_is_too_old(tmp_path: Path) -> None:
    async with world(tmp_path, keep_prompts_days=30) as easel:
        moderators = await desk(easel)
        message = await grid(easel)
        await easel.flag(easel.cleo, message)
        easel.live(days=31)
        await retention.prune(easel.services)
        (case,) = moderators.history()
        assert names(case, easel) == []
        assert link(message, easel) in case.content


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
    assert "no longer kept" in said(await easel.press(moderator(easel), case, "Keep"))
    assert moderators.history() == []


async def test_cases_are_cleared_after_a_restart_too(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    moderators = await desk(easel)
    await easel.flag(easel.cleo, await grid(easel))
    async with easel.services.database.transaction() as tx:
        await erasures.ask(tx, Erasure(user_id=easel.ben.id, posts=False))
    await easel.restart()
    (case,) = moderators.history()
    assert names(case, easel) == []
    assert labels(case) == []


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
