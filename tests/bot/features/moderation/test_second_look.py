"""The moderators' second look at what the safety check withheld, also after a crash."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
from PIL import Image

from bot.features.moderation import _withheld as withheld
from storage.jobs import images, queries
from storage.jobs.images import Finding
from storage.moderation import cases
from storage.moderation.cases import Verdict
from tests.bot.features.moderation.test_report import desk, moderator
from tests.bot.features.moderation.withheld import (
    CLASSIFIER,
    adults_desk,
    cells,
    disabled,
    files,
    finding,
    left,
    near,
    result,
)
from tests.bot.pictures.test_age_restriction import restrict
from tests.fakes import picture
from tests.world import World, said, world


@pytest.fixture
async def easel(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose check finds the second picture of every result unsafe."""
    async with world(tmp_path, generator=finding(2), **CLASSIFIER) as made:
        yield made


async def test_moderators_see_what_was_withheld(easel: World) -> None:
    moderators = await adults_desk(easel)
    message = await result(easel)
    assert "The moderators will have a look" in message.content
    (case,) = moderators.history()
    assert "withheld picture 2 of 4" in case.content
    assert f"<@{easel.ben.id}>" in case.content
    assert str(message.id) in case.content
    (attachment,) = case.attachments
    assert attachment.is_spoiler()
    assert await attachment.read() == picture(8)
    assert [button.label for button in case.components[0].children] == ["Approve", "Refuse"]
    assert easel.pings(case) == []


async def test_what_they_approve_comes_to_the_person_even_after_a_restart(easel: World) -> None:
    moderators = await adults_desk(easel)
    message = await result(easel)
    mo = moderator(easel)
    await easel.restart(finding(2))
    restrict(easel, moderators)
    await easel.press(mo, moderators.history()[0], "Approve")
    posted = easel.messages()[-1]
    assert await posted.attachments[0].read() == picture(8)
    assert "let this picture pass" in posted.content
    assert easel.pings(posted) == [easel.ben.id]
    assert posted.reference is not None
    assert posted.reference.message_id == message.id
    (case,) = moderators.history()
    assert f"**Approved** by <@{mo.id}>" in case.content
    assert case.components == []
    assert await left(easel) == "37 of 40 credits left today"
    await easel.cleo.react(message, "2️⃣")
    await easel.rest()
    assert await easel.messages()[-1].attachments[0].read() == picture(8)


async def test_what_they_refuse_is_deleted(easel: World) -> None:
    moderators = await adults_desk(easel)
    log = easel.guild.create_text_channel("log")
    await easel.told(easel.admin, "admin log", channel=log)
    message = await result(easel)
    mo = moderator(easel)
    assert "2.png" in files(easel)
    await easel.press(mo, moderators.history()[0], "Refuse")
    assert files(easel) == ["1.png", "3.png", "4.png", "grid.jpg"]
    (case,) = moderators.history()
    assert f"**Refused** by <@{mo.id}>" in case.content
    assert "**withheld picture of" in log.history()[-1].content
    assert "refused" in log.history()[-1].content
    assert case.attachments == []
    assert case.components == []
    assert len(easel.messages()) == 1
    await easel.cleo.react(message, "2️⃣")
    await easel.rest()
    assert "withheld this picture" in easel.cleo.user.dm_channel.history()[-1].content


@pytest.mark.parametrize("verdict", ["Approve", "Refuse"])
async def test_only_moderators_decide_and_only_once(easel: World, verdict: str) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    (case,) = moderators.history()
    ids = [button.custom_id for button in case.components[0].children]
    assert "may manage messages" in said(await easel.press(easel.ben, case, verdict))
    mo = moderator(easel)
    await easel.press(mo, case, verdict)
    count, kept = len(easel.messages()), files(easel)
    stored = easel.env.backend.get_message(case.channel.id, case.id)
    row = [{"type": 2, "style": 2, "label": "x", "custom_id": one} for one in ids]
    stored.components = [{"type": 1, "components": row}]
    for one in ids:
        assert "already" in said(await mo.click(case, custom_id=one))
    assert len(easel.messages()) == count
    assert files(easel) == kept


async def test_in_an_open_channel_they_see_it_once_the_channel_is_age_restricted(easel: World) -> None:
    moderators = await desk(easel)
    await result(easel)
    mo = moderator(easel)
    (case,) = moderators.history()
    assert case.attachments == []
    assert "age-restricted and press **Show** to see it" in case.content
    assert "Approve" not in case.content
    assert [button.label for button in case.components[0].children] == ["Show", "Refuse"]
    assert "may manage messages" in said(await easel.press(easel.ben, case, "Show"))
    assert "age-restricted channels only" in said(await easel.press(mo, case, "Show"))
    assert moderators.history()[0].attachments == []
    restrict(easel, moderators)
    await easel.press(mo, case, "Show")
    (case,) = moderators.history()
    assert await case.attachments[0].read() == picture(8)
    assert "**Approve** posts it" in case.content
    await easel.press(mo, case, "Approve")
    assert await easel.messages()[-1].attachments[0].read() == picture(8)


async def test_what_no_channel_takes_is_deleted(easel: World) -> None:
    moderators = await adults_desk(easel)
    easel.env.inject_error("POST", f"/channels/{moderators.id}/messages", status=403)
    await result(easel)
    assert files(easel) == ["1.png", "3.png", "4.png", "grid.jpg"]


async def test_a_case_whose_pictures_were_removed_meanwhile_can_not_be_approved(easel: World) -> None:
    moderators = await adults_desk(easel)
    message = await result(easel)
    await easel.ben.react(message, "❌")
    await easel.rest()
    mo = moderator(easel)
    assert "no longer kept" in said(await easel.press(mo, moderators.history()[0], "Approve"))
    assert easel.messages() == []


@pytest.mark.parametrize("verdict", ["Approve", "Refuse"])
async def test_of_what_was_removed_meanwhile_the_case_keeps_no_copy(easel: World, verdict: str) -> None:
    moderators = await adults_desk(easel)
    message = await result(easel)
    await easel.ben.react(message, "❌")
    await easel.rest()
    (case,) = moderators.history()
    assert "no longer kept" in said(await easel.press(moderator(easel), case, verdict))
    (case,) = moderators.history()
    assert case.attachments == []
    assert case.components == []
    assert "is no longer kept" in case.content


async def test_a_refused_picture_does_not_come_back_by_somebody_who_pressed_show(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    moderators = await desk(easel)
    await result(easel)
    (case,) = moderators.history()
    restrict(easel, moderators)
    job_id = case.components[0].children[0].custom_id.split(":")[2]
    async with easel.services.database.reading() as tx:
        job = await queries.get(tx, job_id)
    channel: Any = easel.client.get_channel(moderators.id)
    partial = channel.get_partial_message(case.id)
    judge_id = moderator(easel).id
    refusing: list[asyncio.Task[bool]] = []
    files_of = withheld._files

    async def files_while_somebody_refuses(*args: Any) -> list[discord.File]:
        files: list[discord.File] = await files_of(*args)
        refusal = withheld.decide(easel.services, job, Verdict.REMOVED, judge_id=judge_id, message=partial)
        refusing.append(asyncio.create_task(refusal))
        await asyncio.wait(refusing, timeout=0.5)
        return files

    monkeypatch.setattr(withheld, "_files", files_while_somebody_refuses)
    await withheld.show(easel.services, job, channel, partial)
    assert await refusing[0]
    (case,) = moderators.history()
    assert case.attachments == []
    assert case.components == []


# What becomes of the result.


async def test_after_approve_the_result_has_all_its_buttons(easel: World) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    await easel.press(moderator(easel), moderators.history()[0], "Approve")
    message = easel.results()[0]
    assert disabled(message) == []
    assert "withheld picture 2, and the moderators let it pass: it is below. 1 credit came back." in (message.content)
    assert message.content.endswith("\n-# Credits: Vary 4 · 🔄 4")
    assert f"**a fox** - <@{easel.ben.id}>" in message.content
    assert len(message.attachments) == 1
    colours = cells(await message.attachments[0].read())
    for cell, seed in zip(colours, (7, 8, 9, 10), strict=True):
        assert near(cell, Image.open(io.BytesIO(picture(seed))).getpixel((0, 0)))  # type: ignore[arg-type]
    assert cells(next((easel.services.database.folder / "images").rglob("grid.jpg")).read_bytes()) == colours
    await easel.press(easel.cleo, message, "U2")
    assert await easel.messages()[-1].attachments[0].read() == picture(8)
    easel.generator.unsafe = frozenset()
    await easel.press(easel.cleo, message, "V2")
    assert len(easel.results()) == 2


async def test_after_refuse_the_result_promises_no_second_look(easel: World) -> None:
    moderators = await adults_desk(easel)
    message = await result(easel)
    assert "moderators will have a look" in message.content
    await easel.press(moderator(easel), moderators.history()[0], "Refuse")
    message = easel.results()[0]
    assert disabled(message) == ["U2", "V2"]
    assert "withheld picture 2" in message.content
    assert "will have a look" not in message.content


async def test_a_restart_between_approval_and_buttons_brings_them(easel: World) -> None:
    moderators = await adults_desk(easel)
    message = await result(easel)
    path = f"/channels/{easel.channel.id}/messages/{message.id}"
    easel.env.inject_error("PATCH", path, status=403, times=1)
    await easel.press(moderator(easel), moderators.history()[0], "Approve")
    assert disabled(easel.results()[0]) == ["U2", "V2"]
    await _as_if(easel, Finding.APPROVED)
    await easel.restart(finding(2))
    assert disabled(easel.results()[0]) == []


# Crashes.


async def test_a_case_whose_pictures_were_removed_before_it_was_posted_is_closed(easel: World) -> None:
    moderators = await adults_desk(easel)
    message = await result(easel)
    await moderators.history()[0].delete()
    await easel.ben.react(message, "❌")
    await easel.rest()
    async with easel.services.database.transaction() as tx:
        await tx.execute("UPDATE cases SET message_id = NULL, channel_id = NULL")
    await easel.restart(finding(2))
    assert moderators.history() == []
    async with easel.services.database.reading() as tx:
        assert await cases.unposted(tx) == []


async def test_a_case_that_a_crash_kept_from_the_moderators_comes_once(easel: World) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    for _ in range(2):
        async with easel.services.database.transaction() as tx:
            await tx.execute("UPDATE cases SET message_id = NULL, channel_id = NULL")
        await easel.restart(finding(2))
        assert len(moderators.history()) == 1
    await moderators.history()[0].delete()
    async with easel.services.database.transaction() as tx:
        await tx.execute("UPDATE cases SET message_id = NULL, channel_id = NULL")
    restrict(easel, moderators)
    await easel.restart(finding(2))
    assert len(moderators.history()) == 1


async def test_a_crash_between_finishing_and_posting_shows_and_pays_back_the_same(easel: World) -> None:
    moderators = await adults_desk(easel)
    easel.generator.paused = True
    easel.env.inject_error("POST", "/channels/*/messages", status=503, times=99)
    await easel.imagine(easel.ben, "a fox --seed 7")
    easel.generator.finish(easel.generator.last)
    await easel.env.advance_time(1)
    assert easel.results() == []
    easel.env.backend.faults.clear()
    await easel.restart(finding())
    await easel.env.advance_time(400)
    (message,) = easel.results()
    assert disabled(message) == ["U2", "V2"]
    assert len(moderators.history()) == 1
    assert await left(easel) == "37 of 40 credits left today"


async def test_what_was_approved_just_before_a_crash_is_posted_once(easel: World) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    (case,) = moderators.history()
    await easel.press(moderator(easel), case, "Approve")
    count = len(easel.messages())
    for _ in range(2):
        await _as_if(easel, Finding.APPROVED)
        await easel.restart(finding(2))
        assert len(easel.messages()) == count
    await easel.messages()[-1].delete()
    await _as_if(easel, Finding.APPROVED)
    await easel.restart(finding(2))
    assert len(easel.messages()) == count
    async with easel.services.database.reading() as tx:
        assert await images.awaiting(tx, Finding.APPROVED) == []


async def test_what_was_refused_just_before_a_crash_is_deleted(easel: World) -> None:
    await adults_desk(easel)
    await result(easel)
    assert "2.png" in files(easel)
    async with easel.services.database.transaction() as tx:
        await tx.execute("UPDATE images SET finding = 'refused' WHERE finding = 'withheld'")
        await tx.execute("UPDATE cases SET verdict = 'removed', judge_id = 1")
    await easel.restart(finding(2))
    assert "2.png" not in files(easel)


async def _as_if(easel: World, found: Finding) -> None:
    async with easel.services.database.transaction() as tx:
        await tx.execute("UPDATE images SET finding = ? WHERE image_index = 2", (found.value,))
