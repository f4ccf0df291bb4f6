"""The safety check of results: what people, moderators and admins meet when it finds something, or can't look."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
from PIL import Image

from bot import erasure, retention
from generation.contract import FailureReason, ModelState, ModelStatus, Progressed
from storage import images, jobs, reports
from storage.erasures import Erasure
from storage.images import Finding
from storage.reports import Kind, Verdict
from tests.fakes import FakeGenerator, picture
from tests.people import copy_of, delete
from tests.test_adult import restrict
from tests.test_report import desk, moderator
from tests.world import World, said, world

CLASSIFIER = {"safety_model": "Falconsai/nsfw_image_detection"}


def finding(*unsafe: int, paused: bool = False) -> FakeGenerator:
    generator = FakeGenerator(paused=paused)
    generator.unsafe = frozenset(unsafe)
    generator.check = ModelStatus(state=ModelState.WARM)
    return generator


@pytest.fixture
async def easel(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose check finds the second picture of every result unsafe."""
    async with world(tmp_path, generator=finding(2), **CLASSIFIER) as made:
        yield made


async def adults_desk(easel: World) -> Any:
    """An age-restricted moderators' channel."""
    channel = await desk(easel)
    restrict(easel, channel)
    return channel


async def result(easel: World, prompt: str = "a fox --seed 7") -> discord.Message:
    await easel.imagine(easel.ben, prompt)
    return easel.results()[-1]


async def left(easel: World) -> str:
    return (await easel.told(easel.ben, "info")).split("**")[1]


def files(easel: World) -> list[str]:
    return sorted(file.name for file in (easel.studio.database.folder / "images").rglob("*.*"))


def cells(data: bytes) -> list[tuple[int, ...]]:
    """The colour in a corner of each of a grid's four pictures."""
    grid = Image.open(io.BytesIO(data)).convert("RGB")
    half_x, half_y = grid.width // 2, grid.height // 2
    return [grid.getpixel((x + 2, y + 2)) for y in (0, half_y) for x in (0, half_x)]  # type: ignore[misc]


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < 25


def disabled(message: discord.Message) -> list[str]:
    buttons = [button for row in message.components for button in row.children]  # type: ignore[union-attr]
    return [button.label for button in buttons if button.disabled and button.label]


async def test_safe_pictures_are_shown_as_ever(tmp_path: Path) -> None:
    async with world(tmp_path, generator=finding(), **CLASSIFIER) as easel:
        message = await result(easel)
        assert "withheld" not in message.content
        assert disabled(message) == []
        await easel.press(easel.ben, message, "U2")
        assert await easel.messages()[-1].attachments[0].read() == picture(8)
        assert await left(easel) == "36 of 40 credits left today"


async def test_an_unsafe_picture_is_covered_paid_back_and_not_kept(easel: World) -> None:
    await easel.told(easel.admin, "admin appeal", text="Ask in #help.")
    message = await result(easel)
    assert "withheld picture 2" in message.content
    assert "1 credit came back" in message.content
    assert "Ask in #help." in message.content
    assert "moderators" not in message.content
    colours = cells(await message.attachments[0].read())
    for cell, seed in zip(colours, (7, 8, 9, 10), strict=True):
        shown = Image.open(io.BytesIO(picture(seed))).getpixel((0, 0))
        assert near(cell, shown) is (seed != 8)  # type: ignore[arg-type]
    assert disabled(message) == ["U2", "V2"]
    assert files(easel) == ["1.png", "3.png", "4.png", "grid.jpg"]
    assert await left(easel) == "37 of 40 credits left today"


async def test_it_can_not_be_had_in_another_way(easel: World) -> None:
    message = await result(easel)
    before = len(easel.messages())
    for emoji in ("2️⃣", "🇧"):
        await easel.cleo.react(message, emoji)
        await easel.rest()
        assert "withheld this picture" in easel.cleo.user.dm_channel.history()[-1].content
    assert len(easel.messages()) == before
    await easel.cleo.react(message, "✉️")
    await easel.rest()
    letters = easel.cleo.user.dm_channel.history()
    posted = [await letter.attachments[0].read() for letter in letters if letter.attachments]
    assert posted == [picture(7), picture(9), picture(10)]
    assert "withheld this picture" in letters[-1].content
    assert await left(easel) == "37 of 40 credits left today"


async def test_the_safe_ones_can_be_enlarged_and_varied_and_variations_are_checked_too(easel: World) -> None:
    message = await result(easel)
    await easel.press(easel.ben, message, "U3")
    assert await easel.messages()[-1].attachments[0].read() == picture(9)
    easel.generator.unsafe = frozenset({1, 2, 3, 4})
    await easel.press(easel.ben, message, "V3")
    varied = easel.results()[-1]
    assert "withheld pictures 1, 2, 3 and 4" in varied.content
    assert "4 credits came back" in varied.content
    assert set(disabled(varied)) == {"U1", "U2", "U3", "U4", "V1", "V2", "V3", "V4"}
    assert len(set(cells(await varied.attachments[0].read()))) <= 2
    assert await left(easel) == "37 of 40 credits left today"


async def test_it_is_no_refusal_that_counts(easel: World) -> None:
    for _ in range(6):
        assert "On its way" in await easel.imagine(easel.ben)


async def test_previews_that_nobody_checked_are_not_shown(tmp_path: Path) -> None:
    async with world(tmp_path, generator=finding(paused=True), **CLASSIFIER) as easel:
        await easel.imagine(easel.ben)
        preview = picture(1, kind="JPEG")
        easel.generator.send(easel.generator.last, Progressed(step=10, steps=20, preview=preview))
        await easel.rest()
        (message,) = easel.messages()
        assert "50%" in message.content
        assert message.attachments == []


# Age-restricted channels.


async def test_in_an_age_restricted_channel_it_is_shown_and_stays_among_adults(easel: World) -> None:
    restrict(easel, easel.channel)
    message = await result(easel)
    assert "withheld" not in message.content
    assert await left(easel) == "36 of 40 credits left today"
    await easel.press(easel.ben, message, "U2")
    assert await easel.messages()[-1].attachments[0].read() == picture(8)
    restrict(easel, easel.channel, to_adults=False)
    shown = len(easel.messages())
    for label in ("U2", "V2", "🔄"):
        told = said(await easel.press(easel.ben, message, label))
        assert "age-restricted channels only" in told
        assert "Easel and its pictures" not in told
    await easel.cleo.react(message, "✉️")
    await easel.rest()
    (letter,) = easel.cleo.user.dm_channel.history()
    assert letter.attachments == []
    moderators = await desk(easel)
    await easel.press(easel.cleo, message, "🚩")
    assert moderators.history()[0].attachments == []
    assert len(easel.messages()) == shown


async def test_it_is_not_posted_once_the_channel_is_open_however_late_discord_takes_it(easel: World) -> None:
    restrict(easel, easel.channel)
    easel.generator.paused = True
    await easel.imagine(easel.ben, "a fox --seed 7")
    easel.env.inject_error("POST", f"/channels/{easel.channel.id}/messages", status=503, times=99)
    easel.generator.finish(easel.generator.last)
    await easel.env.advance_time(1)
    restrict(easel, easel.channel, to_adults=False)
    easel.env.backend.faults.clear()
    await easel.env.advance_time(400)
    assert easel.messages() == []
    assert await left(easel) == "40 of 40 credits left today"


# A check that doesn't work.


async def test_without_a_check_nothing_passes(tmp_path: Path) -> None:
    async with world(tmp_path, **CLASSIFIER) as easel:  # a generator that checks nothing
        await easel.imagine(easel.ben)
        assert easel.results() == []
        (message,) = easel.messages()
        assert "the check doesn't work at present" in message.content
        assert "Your 4 credits came back" in message.content
        assert files(easel) == []
        assert await left(easel) == "40 of 40 credits left today"


async def test_a_broken_check_is_told_to_people_and_admins(tmp_path: Path) -> None:
    generator = FakeGenerator(paused=True)
    generator.check = ModelStatus(state=ModelState.UNUSABLE, reason="/home/host/nsfw lacks its weights")
    async with world(tmp_path, generator=generator, **CLASSIFIER) as easel:
        await easel.imagine(easel.ben)
        easel.generator.fail(easel.generator.last, FailureReason.UNCHECKED)
        await easel.rest()
        assert "the check doesn't work at present" in easel.messages()[-1].content
        told = await easel.told(easel.admin, "admin doctor")
        assert "Safety check: it doesn't work" in told
        assert "/home/host" not in told


async def test_admins_see_that_the_check_works_and_who_could_look(easel: World) -> None:
    assert "no moderators' channel" in await easel.told(easel.admin, "admin doctor")
    moderators = await desk(easel)
    told = await easel.told(easel.admin, "admin doctor")
    assert "Safety check: results are looked at" in told
    assert "is not age-restricted" in told
    restrict(easel, moderators)
    told = await easel.told(easel.admin, "admin doctor")
    assert "Safety check: results are looked at" in told
    assert "age-restricted" not in told


# Moderators.


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
    async with easel.studio.database.reading() as tx:
        job = await jobs.get(tx, job_id)
    channel: Any = easel.client.get_channel(moderators.id)
    partial = channel.get_partial_message(case.id)
    withheld, judge_id = easel.studio.withheld, moderator(easel).id
    refusing: list[asyncio.Task[bool]] = []
    files_of = withheld._files

    async def files_while_somebody_refuses(*args: Any) -> list[discord.File]:
        files: list[discord.File] = await files_of(*args)
        refusal = withheld.decide(job, Verdict.REMOVED, judge_id=judge_id, message=partial)
        refusing.append(asyncio.create_task(refusal))
        await asyncio.wait(refusing, timeout=0.5)
        return files

    monkeypatch.setattr(withheld, "_files", files_while_somebody_refuses)
    await withheld.show(job, channel, partial)
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
    assert "withheld picture 2, and the moderators let it pass: it is below. 1 credit came back." in (
        message.content
    )
    assert message.content.endswith("\n-# Credits: Vary 4 · 🔄 4")
    assert f"**a fox** - <@{easel.ben.id}>" in message.content
    assert len(message.attachments) == 1
    colours = cells(await message.attachments[0].read())
    for cell, seed in zip(colours, (7, 8, 9, 10), strict=True):
        assert near(cell, Image.open(io.BytesIO(picture(seed))).getpixel((0, 0)))  # type: ignore[arg-type]
    assert cells(next((easel.studio.database.folder / "images").rglob("grid.jpg")).read_bytes()) == colours
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
    async with easel.studio.database.transaction() as tx:
        await tx.execute("UPDATE cases SET message_id = NULL, channel_id = NULL")
    await easel.restart(finding(2))
    assert moderators.history() == []
    async with easel.studio.database.reading() as tx:
        assert await reports.unposted(tx) == []


async def test_a_case_that_a_crash_kept_from_the_moderators_comes_once(easel: World) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    for _ in range(2):
        async with easel.studio.database.transaction() as tx:
            await tx.execute("UPDATE cases SET message_id = NULL, channel_id = NULL")
        await easel.restart(finding(2))
        assert len(moderators.history()) == 1
    await moderators.history()[0].delete()
    async with easel.studio.database.transaction() as tx:
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
    async with easel.studio.database.reading() as tx:
        assert await images.awaiting(tx, Finding.APPROVED) == []


async def test_what_was_refused_just_before_a_crash_is_deleted(easel: World) -> None:
    await adults_desk(easel)
    await result(easel)
    assert "2.png" in files(easel)
    async with easel.studio.database.transaction() as tx:
        await tx.execute("UPDATE images SET finding = 'refused' WHERE finding = 'withheld'")
        await tx.execute("UPDATE cases SET verdict = 'removed', judge_id = 1")
    await easel.restart(finding(2))
    assert "2.png" not in files(easel)


async def _as_if(easel: World, found: Finding) -> None:
    async with easel.studio.database.transaction() as tx:
        await tx.execute("UPDATE images SET finding = ? WHERE image_index = 2", (found.value,))


# People's data.


async def test_a_copy_of_ones_data_leaves_withheld_pictures_out_and_erasing_takes_them(easel: World) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    (copy,) = await copy_of(easel, easel.ben)
    assert sum(name.startswith("pictures/") for name in copy.namelist()) == 3
    assert "nothing of you is left" in await delete(easel, easel.ben, "Delete, with Easel's messages")
    assert moderators.history() == []
    assert files(easel) == []
    async with easel.studio.database.reading() as tx:
        assert await reports.unposted(tx) == []
        assert await tx.fetch_all("SELECT * FROM cases") == []


async def _jobs_of_ben(easel: World) -> list[jobs.Job]:
    async with easel.studio.database.reading() as tx:
        return await jobs.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=9)


async def test_what_is_approved_while_its_person_deletes_everything_does_not_stay(easel: World) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    (job,) = await _jobs_of_ben(easel)
    easel.env.inject_error("POST", f"/channels/{easel.channel.id}/messages", status=503, times=99)
    async with easel.studio.database.transaction() as tx:
        await images.judge(tx, job.id, Finding.APPROVED)
    posting = asyncio.create_task(easel.studio.withheld.post_approved(job))
    await asyncio.wait({posting}, timeout=0.2)  # it can't be posted yet
    await erasure.erase(easel.studio, Erasure(user_id=easel.ben.id, posts=True))
    easel.env.backend.faults.clear()
    await posting
    assert easel.messages() == []
    assert moderators.history() == []


@pytest.mark.parametrize("label", ["Approve", "Refuse"])
async def test_moderators_can_clear_a_case_that_outlived_its_person(easel: World, label: str) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    easel.env.inject_error("DELETE", f"/channels/{moderators.id}/messages/*", status=403, times=1)
    assert "nothing of you is left" in await delete(easel, easel.ben, "Delete")
    (case,) = moderators.history()
    assert "no longer kept" in said(await easel.press(easel.cleo, case, label))
    assert moderators.history()[0].attachments != []
    assert "no longer kept" in said(await easel.press(moderator(easel), case, label))
    assert moderators.history() == []


async def test_pictures_that_wait_for_moderators_are_kept_no_longer_than_others(easel: World) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    easel.clock.move(days=366)
    await retention.prune(easel.studio)
    assert files(easel) == []
    mo = moderator(easel)
    (case,) = moderators.history()
    assert "no longer kept" in said(await easel.press(mo, case, "Approve"))
    async with easel.studio.database.reading() as tx:
        assert await jobs.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=1) == []
        assert await reports.case(tx, "x", Kind.CHECK) is None
