"""Adult models: only in age-restricted channels, and so are their pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.delivery import progress
from bot.pictures.age_restriction import age_restricted
from generation.contract import ModelState, ModelStatus, Progressed, Started
from tests.fakes import FakeGenerator, picture
from tests.world import World, said, world

SHIPPED = Path(__file__).parents[3] / "models.toml"


@pytest.fixture
async def easel(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which `sd15` is an adult model, and can draw."""
    models = tmp_path / "models.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    models.write_text(text.replace('key = "sd15"', 'key = "sd15"\nadult = true'), encoding="utf-8")
    generator = FakeGenerator(("easel", "sd15"))
    async with world(tmp_path / "data", generator=generator, models=models) as made:
        yield made


def restrict(easel: World, channel: Any, *, to_adults: bool = True) -> None:
    found = easel.client.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    found.nsfw = to_adults


async def drawn(easel: World) -> discord.Message:
    """A grid of the adult model, in a channel that has been opened to everyone since."""
    restrict(easel, easel.channel)
    assert "On its way" in await easel.imagine(easel.ben, "a fox --model sd15")
    restrict(easel, easel.channel, to_adults=False)
    (message,) = easel.results()
    return message


async def test_an_adult_model_draws_in_age_restricted_channels_only(easel: World) -> None:
    told = await easel.imagine(easel.ben, "a fox --model sd15")
    assert "for age-restricted channels only" in told
    assert "Nothing was charged" in told
    assert easel.messages() == []
    restrict(easel, easel.channel)
    assert "On its way" in await easel.imagine(easel.ben, "a fox --model sd15")
    assert len(easel.results()) == 1


async def test_it_is_not_offered_elsewhere(easel: World) -> None:
    async def offered() -> list[str]:
        choices = await easel.ben.autocomplete(easel.channel, "imagine", "model", "", prompt="a fox")
        return [choice["value"] for choice in choices]

    assert await offered() == ["easel"]
    restrict(easel, easel.channel)
    assert await offered() == ["easel", "sd15"]


async def test_it_is_not_listed_elsewhere(easel: World) -> None:
    page = await easel.told(easel.ben, "models")
    assert "sd15" not in page
    assert "Stable Diffusion 1.5" not in page
    assert "more in age-restricted channels" in page
    restrict(easel, easel.channel)
    page = await easel.told(easel.ben, "models")
    assert "`--model sd15`" in page
    assert "more in age-restricted channels" not in page


async def test_nothing_is_said_of_more_models_where_none_of_them_can_draw(easel: World) -> None:
    easel.generator.states["sd15"] = ModelStatus(state=ModelState.UNUSABLE)
    page = await easel.told(easel.ben, "models")
    assert "sd15" not in page
    assert "more in" not in page


@pytest.mark.parametrize("model", ["nope", "sdxl"])
async def test_no_answer_names_it_elsewhere(easel: World, model: str) -> None:
    """One is unknown, the other can't be used: both times, others are named to try instead."""
    for told in (
        await easel.imagine(easel.ben, f"a fox --model {model}"),
        await easel.told(easel.admin, "admin rules default-model", model=model),
    ):
        assert "`easel`" in told
        assert "sd15" not in told
    restrict(easel, easel.channel)
    for told in (
        await easel.imagine(easel.ben, f"a fox --model {model}"),
        await easel.told(easel.admin, "admin rules default-model", model=model),
    ):
        assert "`sd15`" in told


@pytest.mark.parametrize("command", ["admin rules model", "admin rules default-model"])
async def test_it_is_not_offered_to_admins_elsewhere(easel: World, command: str) -> None:
    async def offered() -> list[str]:
        return [one["value"] for one in await easel.admin.autocomplete(easel.channel, command, "model", "")]

    assert "sd15" not in await offered()
    restrict(easel, easel.channel)
    assert "sd15" in await offered()


@pytest.mark.parametrize("label", ["U1", "V1", "🔄"])
async def test_what_it_drew_is_not_carried_on_where_everyone_looks(easel: World, label: str) -> None:
    message = await drawn(easel)
    assert "for age-restricted channels only" in said(await easel.press(easel.ben, message, label))
    assert len(easel.messages()) == 1


async def changed(easel: World, how: str) -> None:
    """Start again, with a models file in which the adult model is for everybody, or gone."""
    models = easel.services.settings.models
    text = models.read_text(encoding="utf-8")
    if how == "unmarked":
        models.write_text(text.replace("adult = true", "adult = false"), encoding="utf-8")
        await easel.restart(FakeGenerator(("easel", "sd15")))
    else:
        before, _, after = text.partition('[[model]]\nkey = "sd15"')
        models.write_text(before + "[[model]]" + after.partition("[[model]]")[2], encoding="utf-8")
        await easel.restart(FakeGenerator(("easel",)))
    assert "sd15" not in easel.services.catalogue or not easel.services.catalogue["sd15"].adult


@pytest.mark.parametrize("how", ["unmarked", "removed"])
@pytest.mark.parametrize("label", ["U1", "V1", "🔄"])
async def test_what_it_drew_stays_for_adults_when_the_model_is_so_no_longer(easel: World, how: str, label: str) -> None:
    message = await drawn(easel)
    await changed(easel, how)
    told = said(await easel.press(easel.ben, message, label))
    assert ("for age-restricted channels only" in told) or (how == "removed" and "no model" in told)
    assert len(easel.messages()) == 1
    restrict(easel, easel.channel)
    await easel.press(easel.ben, message, "U2")
    assert len(easel.messages()) == 2


async def test_what_is_drawn_from_it_stays_for_adults_too(easel: World) -> None:
    message = await drawn(easel)
    await changed(easel, "unmarked")
    restrict(easel, easel.channel)
    await easel.press(easel.ben, message, "V1")
    varied = easel.results()[-1]
    assert varied != message
    restrict(easel, easel.channel, to_adults=False)
    assert "for age-restricted channels only" in said(await easel.press(easel.ben, varied, "U1"))
    assert "On its way" in await easel.imagine(easel.ben, "a fox --model sd15"), "what is new is for everybody"


async def test_what_a_model_drew_before_it_was_for_adults_counts_as_long_as_it_is(easel: World) -> None:
    await easel.imagine(easel.ben, "a boat --model easel")
    (message,) = easel.results()
    models = easel.services.settings.models
    text = models.read_text(encoding="utf-8")
    models.write_text(text.replace('key = "easel"', 'key = "easel"\nadult = true'), encoding="utf-8")
    await easel.restart(FakeGenerator(("easel", "sd15")))
    assert "for age-restricted channels only" in said(await easel.press(easel.ben, message, "U1"))
    models.write_text(text, encoding="utf-8")
    await easel.restart(FakeGenerator(("easel", "sd15")))
    await easel.press(easel.ben, message, "U1")
    assert len(easel.messages()) == 2


async def test_jobs_from_before_this_was_kept_are_as_their_model_is_now(easel: World) -> None:
    message = await drawn(easel)
    async with easel.services.database.transaction() as tx:
        await tx.execute("UPDATE jobs SET adult = NULL")
    await easel.restart(FakeGenerator(("easel", "sd15")))
    await changed(easel, "unmarked")
    assert "for age-restricted channels only" in said(await easel.press(easel.ben, message, "U1"))


async def test_what_it_drew_is_never_mailed(easel: World) -> None:
    message = await drawn(easel)
    restrict(easel, easel.channel)
    await easel.cleo.react(message, "✉️")
    await easel.rest()
    (letter,) = easel.cleo.user.dm_channel.history()
    assert "not for direct messages" in letter.content
    assert letter.attachments == []


async def test_a_report_shows_it_to_moderators_in_an_age_restricted_channel_only(easel: World) -> None:
    message = await drawn(easel)
    for restricted in (False, True):
        channel = easel.guild.create_text_channel(f"moderators-{restricted}")
        restrict(easel, channel, to_adults=restricted)
        await easel.told(easel.admin, "admin moderators", channel=channel, even_if_public=True)
        await easel.flag(easel.cleo if restricted else easel.ben, message)
        assert len(channel.history()[0].attachments) == restricted


async def test_a_result_is_not_posted_once_the_channel_is_open_to_everyone(easel: World) -> None:
    easel.generator.paused = True
    restrict(easel, easel.channel)
    await easel.imagine(easel.ben, "a fox --model sd15")
    restrict(easel, easel.channel, to_adults=False)
    easel.generator.finish(easel.generator.last)
    await easel.rest()
    assert easel.results() == []
    assert "40 of 40" in await easel.told(easel.ben, "info")


async def test_previews_end_once_the_channel_is_open_to_everyone(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EDIT_EVERY", 0.0)
    easel.generator.paused = True
    restrict(easel, easel.channel)
    await easel.imagine(easel.ben, "a fox --model sd15")

    async def previews(step: int) -> list[str]:
        progressed = Progressed(step=step, steps=20, preview=picture(1, kind="JPEG"))
        easel.generator.send(easel.generator.last, progressed)
        await easel.rest()
        (message,) = easel.messages()
        assert f"({5 * step}%)" in message.content
        return [attachment.filename for attachment in message.attachments]

    easel.generator.send(easel.generator.last, Started())
    assert await previews(5) == ["preview.jpg"]
    restrict(easel, easel.channel, to_adults=False)
    assert await previews(10) == []


async def test_a_result_that_its_channel_does_not_take_is_not_mailed_instead(easel: World) -> None:
    restrict(easel, easel.channel)
    easel.generator.paused = True
    await easel.imagine(easel.ben, "a fox --model sd15")
    easel.env.inject_error("POST", "/channels/*/messages", status=403, times=1)
    easel.generator.finish(easel.generator.last)
    await easel.rest()
    assert easel.results() == []
    assert "40 of 40" in await easel.told(easel.ben, "info")


def test_a_thread_is_as_its_channel_is_and_what_is_unknown_is_not_restricted() -> None:
    class Parent:
        nsfw = True

        def get_channel(self, _: int) -> discord.TextChannel:
            channel = discord.TextChannel.__new__(discord.TextChannel)
            channel.nsfw = self.nsfw
            return channel

    thread = discord.Thread.__new__(discord.Thread)
    thread.guild, thread.parent_id = Parent(), 1  # type: ignore[assignment]
    assert age_restricted(thread)
    Parent.nsfw = False
    assert not age_restricted(thread)
    assert not age_restricted(None)
    assert not age_restricted(discord.DMChannel.__new__(discord.DMChannel))
