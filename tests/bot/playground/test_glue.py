"""The playground's glue with a toy bot: starting, ending, memory, and the page in a real browser."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import discord
import pytest
from playwright.async_api import expect

from bot import playground
from bot.connection.waiting import Wait
from tests.bot.playground.driver import PlaygroundPage, find_chromium, open_page
from tests.bot.playground.toy import Toy, attached, picture

LIVE_PAGE_MESSAGES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    toy: Toy
    url: str
    task: asyncio.Task[None]

    @property
    def backend(self) -> Any:
        return self.toy.http.backend  # type: ignore[attr-defined]


@asynccontextmanager
async def running(make: Callable[[Wait], Toy] = Toy) -> AsyncIterator[Running]:
    """The playground with a toy in it, ended by cancelling if it still runs."""
    toys: list[Toy] = []
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def build(wait: Wait) -> Toy:
        toys.append(make(wait))
        return toys[0]

    task = asyncio.create_task(playground.serve(build, port=0, on_ready=ready.set_result))
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if task.done():
            task.result()
        yield Running(toy=toys[0], url=ready.result(), task=task)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """What a browser does, without one: open a view and ask for its state with the address's key."""
    address, _, key = url.partition("#")
    async with aiohttp.ClientSession(address, headers={"X-Simcord-Capability": key}) as session:
        async with session.post("/api/pages", json={}) as response:
            view = await response.json()
        session.headers["X-Simcord-Context"] = view["context"]["id"]
        yield session


async def seen(session: aiohttp.ClientSession) -> dict[str, Any]:
    async with session.get("/api/state") as response:
        assert response.status == 200
        state: dict[str, Any] = await response.json()
        return state


async def run(
    session: aiohttp.ClientSession, command: str, *, state: dict[str, Any] | None = None, **options: str
) -> dict[str, Any]:
    """Send a slash command as the page's scripts do, on what the view looked like in `state`; the receipt."""
    state = state or await seen(session)
    async with session.get("/api/commands") as response:
        entry = next(e for e in (await response.json())["entries"] if e["invocation"] == command)
    body = {
        "protocol_version": 3,
        "kind": "run_command",
        "sequence": 1,
        "request_id": f"{command} {options}",
        "generation": state["context"]["generation"],
        "bot_generation": state["botGeneration"],
        "published_revision": state["publishedRevision"],
        "command_id": entry["commandId"],
        "path": entry["path"],
        "schema_fingerprint": entry["schemaFingerprint"],
        "options": options,
    }
    async with session.post("/api/action", json=body) as response:
        assert response.status == 200
        receipt: dict[str, Any] = await response.json()
        return receipt


async def test_a_busy_port_is_refused_before_anything_is_built() -> None:
    async def build(_wait: Wait) -> discord.Client:
        raise AssertionError("built")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(playground.PortBusy, match=f"Port {port} on this machine is taken"):
            await playground.serve(build, port=port, on_ready=print)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_and_closes_everything(number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with running() as here:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(here.task, 60)
        assert here.toy.is_closed()
    port = int(here.url.rpartition(":")[2].partition("/")[0])
    socket.create_server(("127.0.0.1", port)).close()
    assert signal.getsignal(signal.SIGTERM) == before


async def test_ending_in_the_middle_of_a_job_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    async with running() as here, browsing(here.url) as session:
        await run(session, "imagine", prompt="a fox")
        (job,) = here.toy.jobs
    assert job.cancelled()
    assert asyncio.all_tasks() == before


async def test_an_error_that_the_bot_answers_is_an_answer() -> None:
    async with running() as here, browsing(here.url) as session:
        receipt = await run(session, "refuse")
        assert (receipt["settlement"], receipt["uncertain"], receipt["diagnostics"]) == ("settled", False, [])
        (message,) = (await seen(session))["messages"].values()
        assert (message["content"], message["ephemeral"]) == ("You can't do that.", True)


async def test_actions_wait_for_their_turn_and_count_as_made_on_the_present() -> None:
    async with running() as here, browsing(here.url) as one, browsing(here.url) as other:
        states = await seen(one), await seen(other)
        await here.toy.channel.send("something that neither view has been told of")
        await seen(one)
        receipts = await asyncio.gather(
            run(one, "imagine", prompt="a fox", state=states[0]),
            run(other, "imagine", prompt="a wolf", state=states[1]),
        )
        assert [(receipt["rejected"], receipt["settlement"]) for receipt in receipts] == [(False, "settled")] * 2
        said = [message["content"] for message in (await seen(one))["messages"].values()]
        assert sum("Waiting to start" in content for content in said) == 2


async def test_a_client_that_cannot_start_is_closed_and_says_why() -> None:
    class Broken(Toy):
        async def setup_hook(self) -> None:
            raise ValueError("no such table")

    made: list[Toy] = []

    def make(wait: Wait) -> Toy:
        made.append(Broken(wait))
        return made[0]

    with pytest.raises(ValueError, match="no such table"):
        async with running(make):
            pass
    assert made[0].is_closed()


async def test_the_time_is_the_real_one() -> None:
    async with running() as here:
        message = await here.toy.channel.send("now")
        assert abs(datetime.now(UTC) - message.created_at) < timedelta(seconds=2)


async def test_pictures_beyond_what_simcord_would_keep_are_shown_and_deleted_ones_forgotten() -> None:
    async with running() as here, browsing(here.url) as session:
        sent = [await here.toy.post_weighty(number) for number in range(LIVE_PAGE_MESSAGES + 2)]
        state = await seen(session)
        pictures = [m["attachments"][0] for m in state["messages"].values()]
        assert len(pictures) == LIVE_PAGE_MESSAGES
        for shown in pictures:
            asset = state["assets"][shown["asset_id"]]
            assert (asset["available"], asset["displayWidth"], asset["displayHeight"]) == (True, 64, 64)
        async with session.get(f"/api/assets/{pictures[-1]['asset_id']}") as response:
            assert (await response.read()).startswith(picture(LIVE_PAGE_MESSAGES + 1, 64))

        for message in sent[1:]:
            await message.delete()
        state = await seen(session)
        assert len(state["messages"]) == 1
        assert len(here.backend.cdn._blobs) == 1
        assert not here.backend.http_requests


async def test_a_replaced_preview_never_leaves_a_hole() -> None:
    async with running() as here, browsing(here.url) as session:
        message = await here.toy.channel.send("0%")
        for step in range(5):
            await message.edit(content=f"{step}", attachments=[attached(picture(step, 64), f"{step}.jpg")])
            (only,) = (await seen(session))["messages"].values()
            assert (only["content"], only["attachments"][0]["filename"]) == (str(step), f"{step}.jpg")


async def keep_drawing(toy: Toy) -> None:
    while True:
        await asyncio.sleep(0.1)
        if toy.jobs and toy.steps.empty():
            toy.steps.put_nowait(None)


async def look_around(page: PlaygroundPage, toy: Toy) -> None:
    await page.slash("imagine", prompt="a fox", model="flux", seed=7)
    await page.wait_for_message("Queued with flux.")
    toy.steps.put_nowait(None)
    forming = await page.wait_for_message("(step 1)", image=True)
    assert await page.pictures(forming) == [picture(7, 64, progress=1 / 3)]
    toy.steps.put_nowait(None)
    toy.steps.put_nowait(None)
    grid = await page.wait_for_message("U1", image=True)
    assert await page.pictures(grid) == [picture(7)]
    image, button = (
        await grid.locator("img.attachment-image").bounding_box(),
        await grid.get_by_text("U1").bounding_box(),
    )
    assert image
    assert button
    assert image["y"] + image["height"] <= button["y"], "Discord shows the buttons below the picture"

    await page.click_button("U2", grid)
    assert await page.pictures(await page.wait_for_message("Image #2", image=True)) == [picture(8, 300)]
    await page.click_button("V1", grid)
    await page.submit_modal(Prompt="a wolf")
    await page.wait_for_message("Remixed: a wolf")
    await page.react("✉️", grid)
    assert await page.pictures(await page.wait_for_message("Direct message", image=True)) == [
        picture(0),
        picture(1),
    ]


async def look_around_as_another(page: PlaygroundPage, toy: Toy) -> None:
    await page.view_as("Cleo")
    grid = await page.wait_for_message("U1", image=True)
    assert await page.messages.filter(has_text="Only you can see this").count() == 0
    assert await page.commands() == ["imagine", "refuse"]
    await page.react("✉️", grid)
    await page.wait_for_message("Direct message", image=True)
    assert await grid.locator(".reaction-count").all_inner_texts() == ["2"]
    await page.click_button("🔄", grid)
    await page.wait_for_message("Drawing it again.")
    await page.react("1️⃣", grid)
    await page.wait_for_message("The first")
    assert await page.channels.all_inner_texts() == ["studio"]
    await page.view_as("Ada")
    assert await page.channels.all_inner_texts() == ["studio", "moderators"]
    assert await page.commands() == ["imagine", "refuse", "settings", "staff rules"]


async def look_around_as_an_admin(page: PlaygroundPage) -> None:
    await page.slash("staff rules")
    answer = await page.wait_for_message("after the list")
    assert "Ada used /staff rules" in await answer.inner_text()
    assert await answer.locator("li").all_inner_texts() == ["one", "two"]
    await expect(page.channels.filter(has_text="moderators")).to_have_attribute("data-unread", "")
    await page.go_to("moderators")
    await page.click_button("U1", await page.wait_for_message("said elsewhere"))
    await page.wait_for_message("Image #1", image=True)
    await page.slash("refuse")
    await page.wait_for_message("You can't do that.")
    await page.go_to("studio")
    assert await page.messages.filter(has_text="said elsewhere").count() == 0
    await expect(page.page.locator(".easel-channels [data-unread]")).to_have_count(0)

    await page.type_slash("imagine", prompt="a fox")
    await page.page.locator(".command-ghost").click()
    await page.page.locator(".command-suggestion").filter(has_text="model").first.click()
    offered = page.page.locator(".command-popup .command-suggestion")
    await expect(offered).to_have_text(["builtin", "flux", "sdxl"])
    await page.page.reload()
    await page.ready()


async def use_a_messages_menu(page: PlaygroundPage) -> None:
    grid = page.messages.filter(has_text="U1").first
    name = await grid.get_attribute("data-message-id")
    await page.choose("Report picture", grid)
    await page.wait_for_message(f"Reported {name}.")


async def stay_with_what_is_new(page: PlaygroundPage, toy: Toy) -> None:
    timeline = page.page.locator("#channel-timeline")
    height = "e => e.scrollHeight - e.scrollTop - e.clientHeight"
    await page.say("I am back at the end")
    await toy.post_weighty(0)
    await page.wait_for_message("weighty 0", image=True)
    assert await timeline.evaluate(height) < 40
    await timeline.hover()
    await page.page.mouse.wheel(0, -500)
    await page.page.wait_for_function(f"() => ({height})(document.querySelector('#channel-timeline')) > 400")
    await toy.channel.send("while one reads")
    await page.wait_for_message("while one reads")
    assert await timeline.evaluate(height) > 400
    await page.slash("refuse")
    answer = await page.wait_for_message("You can't do that.")
    await expect(answer).to_be_in_viewport()


async def click_while_it_draws(page: PlaygroundPage, toy: Toy) -> None:
    drawing = asyncio.create_task(keep_drawing(toy))
    try:
        grid = page.messages.filter(has_text="U1").first
        for number in range(8):
            await page.click_button("🔄" if number % 2 else f"U{number % 4 + 1}", grid)
            assert await page.status() == "Callback completed"
    finally:
        drawing.cancel()


@pytest.mark.skipif(find_chromium() is None, reason="no Chromium in PATH, and EASEL_CHROMIUM is not set")
async def test_the_page_in_a_browser() -> None:
    async with running() as here, open_page(here.url) as page:
        await look_around(page, here.toy)
        await look_around_as_another(page, here.toy)
        await look_around_as_an_admin(page)
        await use_a_messages_menu(page)
        await stay_with_what_is_new(page, here.toy)
        await click_while_it_draws(page, here.toy)
        assert page.errors == []


async def test_the_admin_runs_the_bot_too_and_may_decide_on_reports() -> None:
    async with running() as here:
        application, guild = here.toy.application, here.toy.guilds[0]
        assert application is not None
        admin = await guild.fetch_member(application.owner.id)
        assert (admin.display_name, admin.guild_permissions.manage_messages) == ("Ada", True)


async def test_people_and_channel_are_the_same_at_every_start() -> None:
    """Otherwise what the bot remembers of them would be nobody's after a restart."""
    seen = []
    for _ in range(2):
        async with running() as now:
            guild = now.toy.guilds[0]
            users = sorted(user for user in now.backend.users if user != now.backend.bot_user.id)
            seen.append((guild.id, guild.text_channels[0].id, users))
    assert seen[0] == seen[1]


async def test_moderators_see_what_only_adults_may_and_members_do_not_see_them() -> None:
    async with running() as here, browsing(here.url) as session:
        moderators = discord.utils.get(here.toy.get_all_channels(), name="moderators")
        assert isinstance(moderators, discord.TextChannel)
        assert moderators.is_nsfw()
        assert not moderators.permissions_for(moderators.guild.default_role).view_channel
        assert moderators.permissions_for(moderators.guild.me).send_messages
        await moderators.send("between us")
        state = await seen(session)
        assert [channel["name"] for channel in state["easel"]["channels"]] == ["studio"]
        assert not state["messages"]


async def test_a_member_who_asks_for_the_moderators_channel_is_shown_nothing() -> None:
    async with running() as here, browsing(here.url) as session:
        moderators = discord.utils.get(here.toy.get_all_channels(), name="moderators")
        assert isinstance(moderators, discord.TextChannel)
        await moderators.send("between us")
        state = await seen(session)
        await act(session, state, kind="viewer", viewer_id=state["viewerId"], easel={"channel": str(moderators.id)})
        assert not (await seen(session))["messages"]


@pytest.mark.parametrize(
    "wish", [{}, {"react": "⭐"}, {"message": "x", "react": "⭐"}, {"message": "1", "menu": "No"}, 7]
)
async def test_a_wish_that_makes_no_sense_does_nothing(wish: Any) -> None:
    async with running() as here, browsing(here.url) as session:
        receipt = await act(session, await seen(session), kind="refresh", easel=wish)
        assert (receipt["rejected"], receipt["settlement"]) == (False, "settled")
        assert not here.toy.jobs


async def act(session: aiohttp.ClientSession, state: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Do something in the page, as its scripts do."""
    envelope = {
        "protocol_version": 3,
        "sequence": 1,
        "request_id": "one",
        "generation": state["context"]["generation"],
        "bot_generation": state["botGeneration"],
        "published_revision": state["publishedRevision"],
    }
    async with session.post("/api/action", json={**envelope, **body}) as response:
        assert response.status == 200
        receipt: dict[str, Any] = await response.json()
        return receipt
