"""What a member gets from /imagine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.errors import BotLacksPermission
from bot.interactions.checks import able_to_post
from bot.jobs import orders, prompts
from bot.jobs.requester import Requester
from generation.contract import Failed, FailureReason, Progressed, TextToImage
from storage.jobs import lifecycle
from tests.fakes import FakeGenerator, picture
from tests.world import World, said, world


async def test_a_prompt_becomes_a_grid_that_mentions_its_owner(easel: World) -> None:
    told = await easel.imagine(easel.ben, "a sunset over a mountain lake --seed 7")
    assert "4 credits" in told
    assert "36 left" in told
    (result,) = easel.messages()
    assert easel.ben.mention in result.content
    assert easel.pings(result) == [easel.ben.id]
    assert "a sunset over a mountain lake" in result.content
    assert "seed `7`" in result.content
    assert result.attachments[0].description == "Grid of 4 generated pictures: a sunset over a mountain lake"
    rows = [[b.label or str(b.emoji) for b in row.children] for row in result.components]
    assert rows == [["U1", "U2", "U3", "U4", "🔄"], ["V1", "V2", "V3", "V4", "🚩"]]


async def test_options_and_flags_reach_the_generator(easel: World) -> None:
    await easel.imagine(easel.ben, "a fox --cfg 3 --count 2", aspect="3:2", seed=7, negative="trees")
    request = easel.generator.requests[easel.generator.last]
    assert isinstance(request, TextToImage)
    assert (request.sampling.prompt, request.sampling.negative, request.sampling.guidance) == (
        "a fox",
        "trees",
        3,
    )
    assert request.sampling.seeds == (7, 8)
    assert request.sampling.width > request.sampling.height


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a fox --sed 7", "Did you mean `--seed`?"),
        ("a fox --steps 150", "`--steps` must be between"),
        ("a fox --model nope", "There is no model `nope` here"),
        ("--seed 1", "The prompt is empty"),
    ],
)
async def test_a_mistake_is_told_privately_and_costs_nothing(easel: World, prompt: str, words: str) -> None:
    result = await easel.ben.slash(easel.channel, "imagine", prompt=prompt)
    assert result.ephemeral
    assert words in said(result)
    assert easel.messages() == []
    assert "40 of 40 credits left" in await info(easel)


async def test_the_same_flag_twice_in_option_and_prompt_is_refused(easel: World) -> None:
    assert "say different things" in await easel.imagine(easel.ben, "a fox --seed 7", seed=8)


async def test_all_that_is_wrong_comes_at_once_with_the_prompt_to_copy(easel: World) -> None:
    prompt = "a `fox` @everyone --seed -1 --steps 150 --model nope"
    told = await easel.imagine(easel.ben, prompt, aspect="wide", seed=7, negative="trees")
    for words in ("`--seed` takes", "no model `nope`", "`aspect` takes", "Nothing was charged."):
        assert words in told
    assert told.count("\n- ") == 3
    assert "```\na 'fox' @everyone --seed -1 --steps 150 --model nope\n```" in told
    assert "```\ntrees\n```" in told
    told = await easel.imagine(easel.ben, "a fox --steps 150 --seed 1", seed=2)
    assert "`--steps` must be between" in told
    assert "option `seed` say different things" in told


async def test_whatever_refuses_an_order_gives_the_prompt_back(easel: World) -> None:
    await easel.told(easel.admin, "admin words block", word="kill")
    told = await easel.imagine(easel.ben, "a fox that must kill")
    assert "can't use “kill”" in told
    assert "```\na fox that must kill\n```" in told
    await easel.told(easel.admin, "admin queue drain")
    assert "```\na fox\n```" in await easel.imagine(easel.ben, "a fox")


async def test_a_prompt_as_long_as_discord_takes_comes_back_whole(easel: World) -> None:
    prompt = " ".join(f"fox{number}" for number in range(780))[:6000]
    result = await easel.ben.slash(easel.channel, "imagine", prompt=prompt + " --sed 7" * 20)
    assert all(answer.ephemeral for answer in [result])
    blocks = re.findall(r"```\n(.*?)\n```", said(result), re.DOTALL)
    assert "".join(blocks).replace(" ", "") == (prompt + " --sed 7" * 20).replace(" ", "")
    assert "… and 13 more" in said(result)


async def test_invisible_characters_reach_neither_the_generator_nor_the_record(easel: World) -> None:
    await easel.imagine(easel.ben, "a\u200b f\u00adox\U000e0041 \ud800in snow", negative="tr\u200bees", aspect="３：2")
    request = easel.generator.requests[easel.generator.last]
    assert isinstance(request, TextToImage)
    assert (request.sampling.prompt, request.sampling.negative) == ("a fox in snow", "trees")
    assert request.sampling.width > request.sampling.height


async def test_an_option_of_nothing_that_can_be_seen_is_refused(easel: World) -> None:
    assert "`negative` takes" in await easel.imagine(easel.ben, "a fox", negative="\u200b")


async def test_progress_is_one_message_that_goes_away(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        (progress,) = easel.messages()
        assert "(Waiting to start)" in progress.content
        easel.generator.send(easel.generator.last, Progressed(step=9, steps=20, preview=picture(3, kind="JPEG")))
        await easel.rest()
        (progress,) = easel.messages()
        assert "(45%)" in progress.content
        assert progress.attachments[0].description
        assert easel.pings(progress) == []
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        (result,) = easel.messages()
        assert result.id != progress.id


async def test_those_who_wait_see_their_place(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben, "first")
        assert "1 before it" in await easel.imagine(easel.cleo, "second")
        waiting = easel.messages()[1]
        assert "(Waiting: 1 before it)" in waiting.content
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        assert "second" in easel.generator.requests[easel.generator.last].sampling.prompt


@pytest.mark.parametrize("text", ["@everyone", "<@1>", "**bold** [x](https://evil.example)", "</imagine:1>"])
async def test_a_hostile_prompt_is_inert(easel: World, text: str) -> None:
    await easel.imagine(easel.ben, text)
    (result,) = easel.messages()
    assert not result.mention_everyone
    assert easel.pings(result) == [easel.ben.id]
    assert "https://" not in result.content


async def test_a_worker_that_dies_once_is_forgiven(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        easel.generator.send(easel.generator.last, Failed(reason=FailureReason.WORKER_DIED))
        await easel.rest()
        assert len(easel.generator.requests) == 2
        again = Progressed(step=5, steps=20, preview=picture(3, kind="JPEG"))
        easel.generator.send(easel.generator.last, again)
        await easel.rest()
        assert "(25%)" in easel.messages()[0].content
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        assert len(easel.results()) == 1


async def test_a_job_that_kills_the_worker_twice_is_given_up_and_refunded(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        for _ in range(2):
            easel.generator.send(easel.generator.last, Failed(reason=FailureReason.WORKER_DIED))
            await easel.rest()
        (told,) = easel.messages()
        assert "stopped twice" in told.content
        assert easel.ben.mention in told.content
        assert "40 of 40 credits left" in await info(easel)
        assert len(easel.generator.requests) == 2


async def test_more_jobs_than_allowed_are_refused(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True), max_waiting=2) as easel:
        for _ in range(3):
            await easel.imagine(easel.ben)
        assert "2 jobs waiting" in await easel.imagine(easel.ben)


async def again(easel: World, result: Any) -> None:
    """The same event once more, as Discord sends it after some resumes."""
    who = Requester(
        user_id=easel.ben.id,
        guild_id=easel.guild.id,
        channel_id=easel.channel.id,
        role_ids=(),
        joined_at=None,
        interaction_id=result._interaction.id,
    )
    draft = orders.imagine(
        prompts.parse("a fox"),
        catalogue=easel.services.catalogue,
        default_model="easel",
        images=4,
        random=easel.services.random,
    )
    await easel.accept(draft, who)


async def test_an_event_that_comes_twice_counts_once(easel: World) -> None:
    result = await easel.ben.slash(easel.channel, "imagine", prompt="a fox")
    with pytest.raises(lifecycle.DuplicateInteraction):
        await again(easel, result)
    assert "36 of 40" in await info(easel)


async def test_an_event_that_comes_twice_does_not_stand_in_its_own_way(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True), max_waiting=1) as easel:
        await easel.imagine(easel.ben)
        result = await easel.ben.slash(easel.channel, "imagine", prompt="a fox")
        with pytest.raises(lifecycle.DuplicateInteraction):
            await again(easel, result)


async def test_without_permission_to_post_nothing_is_charged(easel: World) -> None:
    quiet = easel.guild.create_text_channel(
        "quiet", overwrites={easel.guild.default_role: discord.PermissionOverwrite(attach_files=False)}
    )
    result = await easel.ben.slash(quiet, "imagine", prompt="a fox")
    assert "Attach Files" in said(result)
    assert "40 of 40 credits left" in await info(easel)


async def test_models_are_offered_as_one_types(easel: World) -> None:
    found = await easel.ben.autocomplete(easel.channel, "imagine", "model", "ea", prompt="a fox")
    assert [choice["value"] for choice in found] == ["easel"]


async def info(easel: World) -> str:
    """What /info says to Ben."""
    return await easel.told(easel.ben, "info")


async def test_a_cancelled_job_is_answered_even_if_its_worker_dies_of_it(tmp_path: Path) -> None:
    generator = FakeGenerator(paused=True)
    async with world(tmp_path, generator=generator) as easel:
        await easel.imagine(easel.ben)
        generator.cancel = lambda ticket: generator.send(  # type: ignore[method-assign]
            ticket, Failed(reason=FailureReason.WORKER_HUNG)
        )
        await easel.told(easel.ben, "cancel")
        await easel.rest()
        assert "(Cancelled)" in easel.messages()[0].content
        assert len(generator.requests) == 1


async def test_a_failure_is_told_although_discord_stumbles(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        easel.env.inject_error("POST", "/channels/*/messages", status=503, times=1)
        easel.generator.send(easel.generator.last, Failed(reason=FailureReason.OUT_OF_MEMORY))
        await easel.env.advance_time(2)
        assert "more memory" in easel.messages()[0].content


async def test_a_result_that_can_be_posted_nowhere_is_free(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        easel.env.inject_error("POST", "/channels/*/messages", status=403, times=9)
        await easel.imagine(easel.ben)
        assert easel.messages() == []
        assert "40 of 40" in await info(easel)


async def test_a_file_that_discord_finds_too_large_is_made_smaller(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        big = FakeGenerator(paused=True)
        await easel.restart(big)
        await easel.imagine(easel.ben)
        easel.env.inject_error("POST", "/channels/*/messages", status=413, times=1)
        big.finish(big.last)
        await easel.rest()
        assert len(easel.results()) == 1


async def test_threads_need_their_own_permission() -> None:
    thread = discord.Thread.__new__(discord.Thread)
    with pytest.raises(BotLacksPermission, match="Send Messages In Threads"):
        able_to_post(discord.Permissions(view_channel=True, send_messages=True, attach_files=True), thread)
    able_to_post(discord.Permissions(view_channel=True, send_messages_in_threads=True, attach_files=True), thread)
