"""`--private`: the words of a job stay out of its files and out of everything that others read."""

from __future__ import annotations

from pathlib import Path

import discord

from tests.world import World, said, world

PROMPT = "a swordfish --no haddock --private"


def everything(message: discord.Message) -> str:
    """All the text in a message, its files' names and their descriptions."""
    return message.content + "".join(f"{one.filename} {one.description}" for one in message.attachments)


async def test_others_read_nothing_of_a_private_prompt(easel: World) -> None:
    await easel.imagine(easel.ben, PROMPT)
    await easel.press(easel.cleo, easel.results()[0], "U1")
    await easel.press(easel.cleo, easel.results()[0], "V1")
    await easel.press(easel.cleo, easel.results()[0], "🔄")
    await easel.cleo.react(easel.results()[0], "✉️")
    await easel.rest()
    letters = easel.cleo.user.dm_channel.history()
    assert len(letters) == 4
    shown = [*easel.messages(), *letters]
    assert all("private prompt" in message.content for message in shown)
    told = [await easel.told(easel.cleo, "queue"), await easel.told(easel.cleo, "info")]
    for text in [*map(everything, shown), *told]:
        assert "swordfish" not in text
        assert "haddock" not in text


async def test_a_private_prompt_is_drawn_and_so_are_its_variations_and_rerolls(easel: World) -> None:
    await easel.imagine(easel.ben, PROMPT)
    await easel.press(easel.ben, easel.results()[0], "V1")
    await easel.press(easel.ben, easel.results()[0], "🔄")
    requests = list(easel.generator.requests.values())
    assert len(requests) == 3
    for request in requests:
        assert (request.sampling.prompt, request.sampling.negative, request.sampling.private) == (
            "a swordfish",
            "haddock",
            True,
        )


async def test_a_private_flag_takes_no_word_of_the_prompt(easel: World) -> None:
    await easel.imagine(easel.ben, "a --private fox")
    request = easel.generator.requests[easel.generator.last]
    assert (request.sampling.prompt, request.sampling.private) == ("a fox", True)
    assert "takes no value" in await easel.imagine(easel.ben, "a fox --private=maybe")


async def test_without_the_flag_nothing_is_private(easel: World) -> None:
    await easel.imagine(easel.ben, "a fox")
    assert not easel.generator.requests[easel.generator.last].sampling.private
    assert "a fox" in easel.results()[0].content


async def test_a_private_prompt_is_held_to_the_same_rules(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("swordfish",)) as easel:
        await easel.imagine(easel.ben, PROMPT)
        assert not easel.generator.requests


async def test_a_refusal_tells_others_no_word_of_a_private_prompt(easel: World) -> None:
    await easel.imagine(easel.ben, PROMPT)
    await easel.told(easel.admin, "admin words block", word="swordfish")
    for label in ("V1", "🔄"):
        told = said(await easel.press(easel.cleo, easel.results()[0], label))
        assert "can't use “a private prompt” here" in told
        assert "swordfish" not in told
