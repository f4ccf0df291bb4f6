"""The smaller commands: /queue, /help, /models and /cancel by name."""

from __future__ import annotations

from pathlib import Path

from discord.app_commands import ContextMenu

from generation.contract import ModelState, ModelStatus
from storage.guilds import settings as guild_settings
from tests.fakes import FakeGenerator
from tests.world import World, world


async def test_queue_shows_what_runs_and_what_waits(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        assert "Nothing is waiting" in await easel.told(easel.ben, "queue")
        await easel.imagine(easel.ben, "a fox")
        await easel.imagine(easel.cleo, "a boat")
        page = await easel.told(easel.ben, "queue")
        assert "1 being drawn, 1 waiting" in page
        assert page.index("a fox") < page.index("a boat")
        assert easel.cleo.mention in page


async def test_queue_estimates_from_what_was_drawn_before(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        easel.generator.paused = True
        await easel.imagine(easel.ben)
        told = await easel.imagine(easel.ben)
        assert "1 before it, done in a few seconds" in told
        assert "done in a few seconds" in await easel.told(easel.ben, "queue")


async def test_help_names_every_command(easel: World) -> None:
    page = await easel.told(easel.ben, "help")
    for command in easel.client.tree.get_commands():
        if command.name != "help":
            assert (command.name if isinstance(command, ContextMenu) else f"/{command.name}") in page
    assert len(page) < 2000


async def test_models_says_what_each_costs_and_which_are_not_here(easel: World) -> None:
    page = await easel.told(easel.ben, "models")
    assert "`--model easel`, the usual one here" in page
    assert "1 credit a picture" in page
    assert "~~" in page


async def test_an_unusable_model_is_refused_with_the_others_named(easel: World) -> None:
    easel.generator.states["sdxl"] = ModelStatus(state=ModelState.UNUSABLE, reason="no files")
    told = await easel.imagine(easel.ben, "a fox --model sdxl")
    assert "can't be used on this host" in told
    assert "`easel`" in told


async def test_an_admin_chooses_the_servers_default_model(easel: World) -> None:
    assert "draws from now on" in await easel.told(easel.admin, "admin rules default-model", model="easel")
    assert "no model `nope`" in await easel.told(easel.admin, "admin rules default-model", model="nope")
    offered = await easel.admin.autocomplete(easel.channel, "admin rules default-model", "model", "built")
    assert [choice["value"] for choice in offered] == ["easel"]


async def test_cancel_offers_ones_own_jobs_by_prompt(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben, "a fox")
        await easel.imagine(easel.ben, "a boat")
        await easel.imagine(easel.cleo, "a cat")
        offered = await easel.ben.autocomplete(easel.channel, "cancel", "job", "")
        assert {choice["name"] for choice in offered} == {"running: a fox", "queued: a boat"}
        boat = next(choice["value"] for choice in offered if "boat" in choice["name"])
        assert "a boat" in await easel.told(easel.ben, "cancel", job=boat)
        (other,) = await easel.cleo.autocomplete(easel.channel, "cancel", "job", "")
        assert "Only the person" in await easel.told(easel.ben, "cancel", job=other["value"])
        assert "no such job" in await easel.told(easel.ben, "cancel", job="nonsense")


async def test_prompts_of_other_channels_are_nobodys_business(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        secret = easel.guild.create_text_channel("secret")
        await easel.ben.slash(secret, "imagine", prompt="a boat of secrets")
        assert "secrets" not in await easel.told(easel.cleo, "queue")
        assert "a job from elsewhere" in await easel.told(easel.cleo, "queue")
        assert "secrets" in await easel.told(easel.ben, "queue")


async def test_a_default_model_that_is_gone_gives_way_to_the_hosts(easel: World) -> None:
    async with easel.services.database.transaction() as tx:
        await guild_settings.set_default_model(tx, easel.guild.id, "gone")
    assert "On its way" in await easel.imagine(easel.ben)
    assert "`--model easel`, the usual one here" in await easel.told(easel.ben, "models")


async def test_the_latest_of_many_jobs_is_the_one_cancelled(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True), max_waiting=100, daily_credits=1000) as easel:
        for number in range(30):
            await easel.imagine(easel.ben, f"boat {number}")
            easel.clock.move(seconds=1)
        assert "boat 29" in await easel.told(easel.ben, "cancel")
