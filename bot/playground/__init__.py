"""The whole bot in a browser page without a Discord account: SimCord plays Discord and draws the page.

This package is the glue: `world` is the small Discord that the bot lives in, `page` is what a person sees of it, and
here both are started and ended. Nothing else in `bot` knows of SimCord: all that the bot does differently in it comes
down to one callable, the dispatcher's `Wait`.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import discord
from simcord import Env

from bot.connection.waiting import Wait
from bot.playground.page import open_page
from bot.playground.world import World
from bot.settings.settings import StartupError

_T = TypeVar("_T")

REST_SECONDS = 20.0
"""How long SimCord lets the bot work on one thing before it gives up waiting for it to rest."""


class PortBusy(StartupError):
    """Another program listens on the port that the page was to have."""


async def serve(
    build: Callable[[Wait], Awaitable[discord.Client]],
    *,
    port: int,
    on_ready: Callable[[str], None],
    ended: asyncio.Event | None = None,
) -> None:
    """Run the client that `build` makes in a world of its own, until Ctrl-C, SIGTERM, the page's "End session" or `ended`.

    `port` is on 127.0.0.1, 0 for any free one. `on_ready` is given the page's address, which is also the key to it.
    What `build` starts may take as long as it likes; what the client starts belongs to the world, and must use the
    `Wait` for every pause of its own. The client is closed at the end. Raises PortBusy before anything is built.
    """
    _refuse_busy(port)
    env: Any = None

    async def wait(awaitable: Awaitable[_T], *, reason: str) -> _T:
        result: _T = await env.external_wait(awaitable, reason=reason)
        return result

    client = await build(wait)
    env = Env(client, check_errors=False, settle_timeout=REST_SECONDS)
    async with _running(env, client) as world, open_page(world, port) as page:
        with _stopping() as stopped:
            on_ready(page.url)
            others = [] if ended is None else [ended.wait()]
            await _first_of(stopped.wait(), page.wait_closed(), world.live(), *others)


def _refuse_busy(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise PortBusy(
            f"Port {port} on this machine is taken. Stop the program that uses it, or choose another port."
        ) from error


@asynccontextmanager
async def _running(env: Any, client: discord.Client) -> AsyncIterator[World]:
    """The client at work in its world. It closes before the world does, so that it can end its jobs in order."""
    try:
        world = World(env)
        await env.start()
        world.hand_over(client)
        yield world
    finally:
        await client.close()
        await env.shutdown()


@contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """An event that Ctrl-C and SIGTERM set. A second one meets Python's own handler, so that nothing can hang."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def give_back() -> None:
        for number in numbers:
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.remove_signal_handler(number)

    def stop() -> None:
        give_back()
        stopped.set()

    # Windows has no such handlers: there Ctrl-C cancels the task that awaits `serve`, which ends it as well.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        for number in numbers:
            loop.add_signal_handler(number, stop)
    try:
        yield stopped
    finally:
        give_back()


async def _first_of(*coroutines: Any) -> None:
    """Wait for the first to end, end the others, and raise what it raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
