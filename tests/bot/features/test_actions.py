"""Buttons and reactions under a result, before and after a restart, for owners and strangers."""

from __future__ import annotations

import shutil
from pathlib import Path

import discord
import pytest

from bot.client import EaselClient
from generation.contract import ImageToImage, TextToImage
from tests.fakes import FakeGenerator, picture
from tests.world import World, said, world

EVERY_VERB_EVER = {
    "u",
    "v",
    "v_subtle",
    "v_strong",
    "r",
    "x",
    "mail",
    "report",
    "mod_remove",
    "mod_keep",
    "mod_reporters",
    "mod_approve",
    "mod_refuse",
    "mod_show",
}
"""Buttons of these verbs are out there: each must answer for as long as Discord keeps messages."""


async def grid(easel: World, prompt: str = "a fox --seed 7") -> discord.Message:
    await easel.imagine(easel.ben, prompt)
    return easel.results()[-1]


def test_no_verb_that_was_ever_shipped_is_lost() -> None:
    assert {verb.name for verb in EaselClient().buttons} >= EVERY_VERB_EVER


async def test_u_posts_one_picture_at_full_size_for_free(easel: World) -> None:
    message = await grid(easel)
    await easel.press(easel.cleo, message, "U3")
    single = easel.messages()[-1]
    assert await single.attachments[0].read() == picture(9)
    assert "Image \\#3" in single.content or "Image #3" in single.content
    assert easel.pings(single) == [easel.cleo.id]
    assert single.reference is not None
    assert single.reference.message_id == message.id
    assert "seed `9`" in single.content
    assert "40 of 40" in await easel.told(easel.cleo, "info")


async def test_a_used_button_turns_blue(easel: World) -> None:
    message = await grid(easel)
    await easel.press(easel.ben, message, "U1")
    first = easel.results()[0].components[0].children[0]  # type: ignore[union-attr]
    assert first.style is discord.ButtonStyle.primary


async def test_v_draws_variations_of_that_very_picture(easel: World) -> None:
    message = await grid(easel)
    await easel.press(easel.cleo, message, "V2")
    request = easel.generator.requests[easel.generator.last]
    assert isinstance(request, ImageToImage)
    assert request.source == picture(8)
    assert request.sampling.prompt == "a fox"
    assert len(request.sampling.seeds) == 4
    varied = easel.results()[-1]
    assert "Variations of #2" in varied.content
    assert easel.pings(varied) == [easel.cleo.id]
    assert varied.reference is not None
    assert varied.reference.message_id == message.id
    assert "36 of 40" in await easel.told(easel.cleo, "info")


async def test_a_single_picture_can_be_varied_subtly_or_strongly(easel: World) -> None:
    await easel.press(easel.ben, await grid(easel), "U2")
    strengths = []
    for label in ("Vary (Subtle)", "Vary (Strong)"):
        single = next(m for m in easel.messages() if "Image #2" in m.content)
        await easel.press(easel.ben, single, label)
        request = easel.generator.requests[easel.generator.last]
        assert isinstance(request, ImageToImage)
        assert request.source == picture(8)
        strengths.append(request.strength)
    assert strengths[0] < strengths[1]


async def test_reroll_takes_the_prompt_with_new_seeds(easel: World) -> None:
    await easel.press(easel.ben, await grid(easel), "🔄")
    request = easel.generator.requests[easel.generator.last]
    assert isinstance(request, TextToImage)
    assert request.sampling.prompt == "a fox"
    assert request.sampling.seeds != (7, 8, 9, 10)


async def test_a_reroll_of_variations_varies_the_same_picture(easel: World) -> None:
    await easel.press(easel.ben, await grid(easel), "V2")
    await easel.press(easel.ben, easel.results()[-1], "🔄")
    request = easel.generator.requests[easel.generator.last]
    assert isinstance(request, ImageToImage)
    assert request.source == picture(8)


@pytest.mark.parametrize(("emoji", "expected"), [("2️⃣", "Image #2"), ("🇨", "Variations of #3"), ("🔄", "Reroll")])
async def test_reactions_do_the_same(easel: World, emoji: str, expected: str) -> None:
    await easel.cleo.react(await grid(easel), emoji)
    await easel.rest()
    assert expected in easel.messages()[-1].content
    assert easel.pings(easel.messages()[-1]) == [easel.cleo.id]


async def test_other_reactions_and_other_messages_are_left_alone(easel: World) -> None:
    message = await grid(easel)
    await easel.cleo.react(message, "👍")
    plain = await easel.ben.send(easel.channel, "hello")
    await easel.cleo.react(plain, "🔄")
    await easel.rest()
    assert len(easel.generator.requests) == 1


async def test_an_envelope_brings_the_pictures_with_seed_and_job(easel: World) -> None:
    await easel.cleo.react(await grid(easel), "✉️")
    await easel.rest()
    letters = easel.cleo.user.dm_channel.history()
    assert len(letters) == 4
    assert "seed `7`" in letters[0].content
    assert "job `" in letters[0].content
    assert await letters[0].attachments[0].read() == picture(7)


async def test_the_owner_deletes_a_result_and_its_files(easel: World) -> None:
    message = await grid(easel)
    await easel.ben.react(message, "❌")
    await easel.rest()
    assert easel.messages() == []
    assert list((easel.services.database.folder / "images").rglob("*.png")) == []


async def test_a_stranger_deletes_nothing_and_is_told_why(easel: World) -> None:
    await easel.cleo.react(await grid(easel), "❌")
    await easel.rest()
    assert len(easel.messages()) == 1
    assert "Only the person who asked" in easel.cleo.user.dm_channel.history()[-1].content


async def test_cancelling_a_waiting_job_gives_its_price_back(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben, "first")
        await easel.imagine(easel.ben, "second")
        await easel.press(easel.ben, easel.messages()[1], "Cancel")
        assert "(Cancelled)" in easel.messages()[1].content
        assert easel.messages()[1].components == []
        assert "36 of 40" in await easel.told(easel.ben, "info")
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        assert len(easel.generator.requests) == 1


async def test_cancelling_a_running_job_stops_the_generator(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        told = await easel.told(easel.ben, "cancel")
        assert "4 credits came back" in told
        assert easel.generator.cancelled == [easel.generator.last]
        assert "(Cancelled)" in easel.messages()[0].content
        assert "40 of 40" in await easel.told(easel.ben, "info")


async def test_a_cancel_that_comes_too_late_says_so(easel: World) -> None:
    await grid(easel)
    assert "no such job" in await easel.told(easel.ben, "cancel")


async def test_a_stranger_cancels_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        assert "Only the person" in said(await easel.press(easel.cleo, easel.messages()[0], "Cancel"))
        assert "no such job" in await easel.told(easel.cleo, "cancel")
        assert easel.generator.cancelled == []


async def test_buttons_of_a_job_that_is_gone_are_refused_politely(easel: World) -> None:
    message = await grid(easel)
    shutil.rmtree(easel.services.database.folder / "images")
    for label in ("U1", "V1"):
        result = await easel.press(easel.ben, message, label)
        assert "no longer kept" in said(result)


async def test_an_unknown_verb_says_that_it_is_out_of_date(easel: World) -> None:
    message = await grid(easel)
    stored = easel.env.backend.get_message(message.channel.id, message.id)
    stored.components[0]["components"][0]["custom_id"] = "easel:retired:abc:1"
    result = await easel.ben.click(message, custom_id="easel:retired:abc:1")
    assert "earlier version" in said(result)


async def test_buttons_and_reactions_work_after_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        message = await grid(easel)
        await easel.restart()
        await easel.press(easel.cleo, message, "U4")
        assert "Image #4" in easel.messages()[-1].content
        await easel.cleo.react(message, "🇦")
        await easel.rest()
        assert "Variations of #1" in easel.messages()[-1].content


async def test_a_cross_under_the_progress_message_cancels(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        await easel.ben.react(easel.messages()[0], "❌")
        await easel.rest()
        assert "(Cancelled)" in easel.messages()[0].content
        assert "40 of 40" in await easel.told(easel.ben, "info")


@pytest.mark.parametrize("emoji", ["1️⃣", "🇦", "✉️"])
async def test_pictures_that_are_not_there_yet_are_promised(tmp_path: Path, emoji: str) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        await easel.cleo.react(easel.messages()[0], emoji)
        await easel.rest()
        assert "still being drawn" in easel.cleo.user.dm_channel.history()[-1].content


async def test_the_one_who_had_a_picture_posted_may_remove_it_but_not_the_grid(easel: World) -> None:
    message = await grid(easel)
    await easel.press(easel.cleo, message, "U1")
    single = easel.messages()[-1]
    await easel.cleo.react(single, "❌")
    await easel.rest()
    assert [m.id for m in easel.messages()] == [message.id]
    await easel.press(easel.ben, message, "U2")


async def test_a_reroll_of_variations_whose_picture_was_deleted_is_refused(easel: World) -> None:
    message = await grid(easel)
    await easel.press(easel.ben, message, "V1")
    varied = easel.results()[-1]
    await easel.ben.react(message, "❌")
    await easel.rest()
    assert "no longer kept" in said(await easel.press(easel.ben, varied, "🔄"))
    assert "32 of 40" in await easel.told(easel.ben, "info")


async def test_used_buttons_leave_nothing_behind_in_memory(easel: World) -> None:
    message = await grid(easel)
    await easel.press(easel.ben, message, "U1")
    store = easel.client._connection._view_store
    assert not store._views
    assert not store._synced_message_views


async def test_a_picture_that_the_grid_does_not_have_is_named(easel: World) -> None:
    await easel.cleo.react(await grid(easel, "a fox --count 1"), "🇩")
    await easel.rest()
    assert "no picture 4 here" in easel.cleo.user.dm_channel.history()[-1].content


@pytest.mark.parametrize("status", [503, 520, 429])
@pytest.mark.parametrize("emoji", ["✉️", "1️⃣"])
async def test_a_reaction_is_answered_although_discord_stumbles(easel: World, emoji: str, status: int) -> None:
    message = await grid(easel, "a fox --count 1")
    easel.env.inject_error("POST", "/channels/*/messages", status=status, times=2)
    easel.env.inject_error("POST", "/users/@me/channels", status=status, times=1)
    await easel.ben.react(message, emoji)
    await easel.env.advance_time(10)
    letters = easel.ben.user.dm_channel.history() if easel.ben.user.dm_channel else []
    assert [len(one.attachments) for one in (letters if emoji == "✉️" else easel.messages()[1:])] == [1]
