"""No place that cancels a task of the bot's cancels a request that is under way, and the end waits for answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from simcord.http import FakeHTTPClient

import bot
from storage.jobs import queries
from storage.privacy import retention
from tests.fakes import FakeGenerator
from tests.world import World, said, world

CANCELLERS = {
    "bot/app.py",  # a signal ends the connection to the gateway
    "bot/jobs/tasks.py",  # at the end, and when a person is erased
    "bot/client.py",  # at the end
    "bot/doctor/machine.py",  # asks Discord nothing
    "bot/features/describe.py",  # fetches a file, for which discord.py holds no lock
    "bot/interactions/forms.py",  # a slow look-up: requests go on, as the transport shields them
    "bot/pictures/limiter.py",  # waits for a place
    "bot/playground/__init__.py",  # has no sockets to Discord
    "bot/connection/transport.py",  # at the end, between two tries
}
"""Where tasks are cancelled, also by a time limit. Whoever adds one sees to it that requests outlive it."""

_CANCELS = re.compile(r"\b(?:task|loop|_running|_editing)\.cancel\b|\bwait_for\(|\basyncio\.timeout\(")


def test_every_place_that_cancels_tasks_is_looked_at_here() -> None:
    root = Path(bot.__file__).parent
    found = {
        f"bot/{path.relative_to(root).as_posix()}"
        for path in root.rglob("*.py")
        if _CANCELS.search(path.read_text(encoding="utf-8"))
    }
    assert found == CANCELLERS


class Slow:
    """Requests below the bot's own layer that take until they are let go."""

    def __init__(self) -> None:
        self.env: Any = None
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.slow = ""
        self.most = 1000
        self.let_go = asyncio.Event()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        real = FakeHTTPClient.request

        async def request(http: Any, route: Any, **options: Any) -> Any:
            name = f"{route.method} {route.path}"
            if self.slow and len(self.begun) < self.most and re.fullmatch(self.slow, name):
                self.begun.append(name)
                try:
                    await self.env.external_wait(self.let_go.wait(), reason="Discord is slow")
                except asyncio.CancelledError:
                    self.cancelled.append(name)
                    raise
                self.ended.append(name)
            return await real(http, route, **options)

        patch.setattr(FakeHTTPClient, "request", request)


async def _release(easel: World) -> None:
    """As when the person is erased."""
    async with easel.services.database.reading() as tx:
        (job,) = await queries.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=1)
    await easel.services.dispatcher.release([job.id], patience=0.01)


async def _drain(easel: World) -> None:
    await easel.services.dispatcher.drain(patience=0.01)


async def _close(easel: World) -> None:
    await easel.services.dispatcher.drain(patience=0.01)
    closing = asyncio.create_task(easel.client.close())
    await asyncio.wait({closing}, timeout=0.2)


@pytest.mark.parametrize("end", [_release, _drain, _close])
@pytest.mark.parametrize(
    "slow",
    [r"POST /channels/\{channel_id\}/messages", r"PATCH .*", r"DELETE .*/messages/.*"],
    ids=["posting", "editing", "deleting"],
)
async def test_a_request_that_is_under_way_comes_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[[World], Awaitable[None]], slow: str
) -> None:
    requests = Slow()
    requests.install(monkeypatch)
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        requests.env = easel.env
        await easel.imagine(easel.ben)
        requests.slow = slow
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        assert requests.begun
        await end(easel)
        requests.let_go.set()
        await easel.client.transport.settle(patience=5)
        assert requests.cancelled == []
        assert sorted(requests.ended) == sorted(requests.begun)


async def test_the_end_waits_for_commands_that_are_being_answered(easel: World) -> None:
    held, let_go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with easel.services.database.transaction():
            held.set()
            await let_go.wait()

    holding = asyncio.create_task(hold())
    await held.wait()
    asking = asyncio.create_task(easel.ben.slash(easel.channel, "info"))
    while not easel.client.answering:  # noqa: ASYNC110 - nothing else tells
        await asyncio.sleep(0)
    closing = asyncio.create_task(easel.client.close())
    await asyncio.wait({closing}, timeout=0.1)
    assert not closing.done()
    let_go.set()
    assert "40 of 40" in said(await asking)
    await closing
    await holding


async def test_what_comes_through_after_its_person_was_erased_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = Slow()
    requests.install(monkeypatch)
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        requests.env = easel.env
        await easel.imagine(easel.ben)
        requests.slow = r"POST /channels/\{channel_id\}/messages"
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        assert requests.begun
        await _release(easel)
        async with easel.services.database.transaction() as tx:
            (job,) = await queries.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=1)
            await retention.forget_jobs(tx, [job.id])
        requests.let_go.set()
        await easel.client.transport.settle(patience=5)
        await easel.rest()
        assert easel.results() == []


async def test_a_progress_message_that_hangs_holds_up_neither_the_receipt_nor_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = Slow()
    requests.install(monkeypatch)
    async with world(tmp_path) as easel:
        requests.env, requests.slow, requests.most = easel.env, r"POST /channels/\{channel_id\}/messages", 1
        assert "On its way" in await easel.imagine(easel.ben)
        assert len(easel.results()) == 1
        assert easel.messages() == easel.results()
        requests.let_go.set()
        await easel.rest()
        assert easel.messages() == easel.results(), "it goes as soon as it is there"
