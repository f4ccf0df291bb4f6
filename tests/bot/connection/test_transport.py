"""Requests to Discord over real sockets: one that is under way is never cancelled, and each ends in time."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import discord
import pytest
from aiohttp import web
from discord.http import Route
from discord.webhook.async_ import async_context, interaction_response_params

from bot.connection import transport
from bot.connection.retry import OddAnswer, asked_once
from bot.connection.transport import Transport

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def reset(request: web.Request) -> web.StreamResponse:
    """Close the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def status(number: int, *, retry_after: float | None = None) -> Answer:
    """Answer with a status and a page of HTML, as Cloudflare does."""

    async def answer(_: web.Request) -> web.StreamResponse:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return web.Response(status=number, text="<html>", content_type="text/html", headers=headers)

    return answer


def refused(number: int, code: int) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return words({"message": "no", "code": code}, status=number)

    return answer


def words(data: object, *, status: int = 200, **headers: str) -> web.Response:
    """JSON with the content type exactly as Discord names it."""
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


async def everywhere(_: web.Request) -> web.StreamResponse:
    """A global rate limit of a moment."""
    body = {"message": "slow down", "retry_after": 0.05, "global": True}
    return words(body, status=429, Via="1.1")


class Discord:
    """A server that answers as it is told, then well."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.bodies: list[Any] = []
        self.asked = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            self.bodies.append({name: _part(value) for name, value in form.items()})
        else:
            text = await request.text()
            self.bodies.append(json.loads(text) if text else None)
        self.asked.set()
        if self.answers:
            return await self.answers.pop(0)(request)
        return words({"id": "1", "interaction": {"id": "7"}})


def _part(value: Any) -> Any:
    return value if isinstance(value, str) else value.file.read()


class Wired:
    """A discord.py client whose requests go to the server through a transport."""

    def __init__(self, client: discord.Client, server: Discord, carried: Transport) -> None:
        self.client, self.server, self.transport = client, server, carried
        self.refusals = 0
        self.seconds = 0.0

    async def get(self) -> Any:
        return await self.client.http.request(Route("GET", "/users/@me"))

    async def post(self, **payload: Any) -> Any:
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=5)
        return await self.client.http.request(route, json=payload)

    async def acknowledge(self, *, kind: int = 5) -> Any:
        session = self.client.http._HTTPClient__session  # type: ignore[attr-defined]
        return await async_context.get().create_interaction_response(
            7, "token", session=session, params=interaction_response_params(type=kind)
        )


async def no_time(_: float) -> None:
    """A pause that takes none."""


@asynccontextmanager
async def wired() -> AsyncIterator[Wired]:
    server = Discord()
    runner = web.ServerRunner(web.Server(server))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    client = discord.Client(intents=discord.Intents.none())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Route, "BASE", f"http://127.0.0.1:{port}")
        made: list[Wired] = []
        carried = Transport(
            on_token_refused=lambda: setattr(made[0], "refusals", made[0].refusals + 1),
            seconds=lambda: made[0].seconds,
        )
        patch.setattr(carried, "_sleep", no_time)
        made.append(Wired(client, server, carried))
        carried.install(client)
        await client._async_setup_hook()
        await client.http.static_login("token")
        carried.starting = False
        server.bodies.clear()
        server.asked.clear()
        try:
            yield made[0]
        finally:
            await carried.settle(patience=5)
            await client.http.close()
            await runner.cleanup()


async def test_a_cancelled_wait_for_a_global_limit_leaves_no_lock_closed() -> None:
    """discord.py alone waits for ever after this."""
    async with wired() as bot:
        bot.server.answers = [everywhere]
        waiting = asyncio.create_task(bot.get())
        await bot.server.asked.wait()
        while bot.client.http._global_over.is_set():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
        async with asyncio.timeout(5):
            assert (await bot.get())["id"] == "1"


async def test_a_lock_that_is_left_closed_is_opened() -> None:
    async with wired() as bot:
        bot.client.http._global_over.clear()
        waiting = asyncio.create_task(bot.get())
        await asyncio.sleep(0)
        bot.transport.look()
        assert not waiting.done()
        bot.seconds += transport.STUCK + 1
        assert bot.transport.stuck() > transport.STUCK
        bot.transport.look()
        async with asyncio.timeout(5):
            await waiting
        assert bot.transport.stuck() == 0


@pytest.mark.parametrize(
    "failure",
    [reset, status(429), status(503), status(520), status(521), status(522), status(523), status(200)],
)
async def test_a_passing_failure_is_asked_again(failure: Answer) -> None:
    async with wired() as bot:
        bot.server.answers = [failure, failure]
        assert (await bot.post(content="hello"))["id"] == "1"
        assert len(bot.server.bodies) == 3
        assert len({body["nonce"] for body in bot.server.bodies}) == 1, "Discord knows them for one message"
        assert all(body["enforce_nonce"] for body in bot.server.bodies)


async def test_who_looks_before_each_try_is_not_overtaken() -> None:
    async with wired() as bot:
        bot.server.answers = [status(503)]
        with asked_once(), pytest.raises(discord.DiscordServerError):
            await bot.post(content="hello")
        assert len(bot.server.bodies) == 1


async def test_a_page_of_html_is_a_passing_failure() -> None:
    async with wired() as bot:
        bot.server.answers = [status(200)] * 9
        with pytest.raises(OddAnswer):
            await bot.get()


async def test_files_are_whole_at_the_second_try() -> None:
    async with wired() as bot:
        bot.server.answers = [reset]
        await bot.client.http.send_message(
            5,
            params=discord.http.handle_message_parameters(
                content="hello", file=discord.File(io.BytesIO(b"picture"), "a.png")
            ),
        )
        first, second = bot.server.bodies
        assert first == second
        assert second["files[0]"] == b"picture"


@pytest.mark.parametrize("failure", [reset, status(429), status(503), status(520), status(200)])
async def test_an_acknowledgement_whose_answer_was_lost_is_done(failure: Answer) -> None:
    async with wired() as bot:
        bot.server.answers = [failure, refused(400, 40060)]
        if failure is not reset:
            bot.server.answers = [failure, reset, refused(400, 40060)]
        assert (await bot.acknowledge())["interaction"]["id"] == 7


async def test_an_acknowledgement_that_discord_py_asked_again_by_itself_is_done() -> None:
    async with wired() as bot:
        bot.server.answers = [refused(400, 40060)]
        assert (await bot.acknowledge())["interaction"]["id"] == 7


async def test_words_whose_answer_was_lost_are_not_taken_for_said() -> None:
    """They may have met an acknowledgement whose own answer was lost."""
    async with wired() as bot:
        bot.server.answers = [reset, refused(400, 40060)]
        with pytest.raises(discord.HTTPException):
            await bot.acknowledge(kind=4)


async def test_at_the_end_nothing_is_asked_again() -> None:
    async with wired() as bot:
        sleeping = asyncio.Event()

        async def wait(awaitable: Any, *, reason: str) -> Any:
            sleeping.set()
            return await awaitable

        bot.transport._sleep = partial(Transport._sleep, bot.transport)  # type: ignore[method-assign]
        bot.transport._wait = wait
        bot.server.answers = [status(503)]
        asking = asyncio.create_task(bot.get())
        await sleeping.wait()
        async with asyncio.timeout(0.4):
            await bot.transport.settle(patience=5)
        await asyncio.gather(asking, return_exceptions=True)
        assert asking.cancelled()
        assert len(bot.server.bodies) == 1


async def test_a_request_that_hangs_ends_and_holds_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LIMIT", 0.2)
    async with wired() as bot:
        let_go = asyncio.Event()

        async def hang(_: web.Request) -> web.StreamResponse:
            await let_go.wait()
            return web.Response()

        bot.server.answers = [hang] * 4
        async with asyncio.timeout(10):
            with pytest.raises(TimeoutError):
                await bot.post(content="hello")
            assert (await bot.post(content="hello"))["id"] == "1"
        let_go.set()


async def test_a_token_that_is_no_longer_accepted_is_told_once() -> None:
    async with wired() as bot:
        bot.server.answers = [refused(401, 0)] * 12
        for _ in range(2):
            with pytest.raises(discord.HTTPException):
                await bot.get()
        assert bot.refusals == 1


async def test_an_interactions_token_that_ended_says_nothing_of_the_bots() -> None:
    async with wired() as bot:
        bot.server.answers = [refused(401, 50027)]
        with pytest.raises(discord.HTTPException):
            await bot.get()
        assert (bot.refusals, len(bot.server.bodies)) == (0, 1)


async def test_the_start_waits_for_discord_as_long_as_it_takes() -> None:
    async with wired() as bot:
        bot.transport.starting = True
        bot.server.answers = [status(503), reset, status(429)] * 4
        assert (await bot.get())["id"] == "1"


async def test_a_token_that_is_wrong_from_the_start_ends_the_start() -> None:
    async with wired() as bot:
        bot.transport.starting = True
        bot.server.answers = [refused(401, 0)] * 3
        with pytest.raises(discord.LoginFailure):
            await bot.client.http.static_login("another")
        assert len(bot.server.bodies) == 1


async def test_a_large_file_has_the_time_that_it_needs() -> None:
    whole = discord.File(io.BytesIO(b"x" * 20 * 2**20), "a.png")
    assert transport._upload_seconds([whole]) > 168, "20 MiB on a line of 1 Mbit/s"
    assert whole.fp.tell() == 0
