"""The safety check of results: what people and admins meet when it finds something, or can't look."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from bot.features.moderation import _withheld as withheld_pictures
from bot.features.privacy import _erasure as erasure
from bot.features.privacy import _retention as retention
from generation.contract import FailureReason, ModelState, ModelStatus, Progressed
from storage.jobs import images, queries
from storage.jobs.images import Finding
from storage.jobs.job import Job
from storage.moderation import cases
from storage.moderation.cases import Kind
from storage.privacy.erasures import Erasure
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
from tests.bot.features.privacy.people import copy_of, delete
from tests.bot.pictures.test_age_restriction import restrict
from tests.fakes import FakeGenerator, picture
from tests.world import World, said, world


@pytest.fixture
async def easel(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose check finds the second picture of every result unsafe."""
    async with world(tmp_path, generator=finding(2), **CLASSIFIER) as made:
        yield made


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
    await easel.flag(easel.cleo, message)
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


# People's data.


async def test_a_copy_of_ones_data_leaves_withheld_pictures_out_and_erasing_takes_them(easel: World) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    (copy,) = await copy_of(easel, easel.ben)
    assert sum(name.startswith("pictures/") for name in copy.namelist()) == 3
    assert "nothing of you is left" in await delete(easel, easel.ben, "Delete, with Easel's messages")
    assert moderators.history() == []
    assert files(easel) == []
    async with easel.services.database.reading() as tx:
        assert await cases.unposted(tx) == []
        assert await tx.fetch_all("SELECT * FROM cases") == []


async def _jobs_of_ben(easel: World) -> list[Job]:
    async with easel.services.database.reading() as tx:
        return await queries.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=9)


async def test_what_is_approved_while_its_person_deletes_everything_does_not_stay(easel: World) -> None:
    moderators = await adults_desk(easel)
    await result(easel)
    (job,) = await _jobs_of_ben(easel)
    easel.env.inject_error("POST", f"/channels/{easel.channel.id}/messages", status=503, times=99)
    async with easel.services.database.transaction() as tx:
        await images.judge(tx, job.id, Finding.APPROVED)
    posting = asyncio.create_task(withheld_pictures.post_approved(easel.services, job))
    await asyncio.wait({posting}, timeout=0.2)  # it can't be posted yet
    await erasure.erase(easel.services, Erasure(user_id=easel.ben.id, posts=True))
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
    easel.live(days=366)
    await retention.prune(easel.services)
    assert files(easel) == []
    assert moderators.history() == []
    async with easel.services.database.reading() as tx:
        assert await queries.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=1) == []
        assert await cases.case(tx, "x", Kind.CHECK) is None
