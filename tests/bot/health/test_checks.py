"""How the bot's parts fare: what `easel health` says, what stands on the host's page, and the status of a bot that ends."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
import pytest_asyncio
import structlog
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from yarl import URL

from bot import app
from bot.app import opened
from bot.client import EaselClient
from bot.health import checks, heartbeat
from bot.health import page as health_page
from bot.health.heartbeat import Component
from bot.settings.settings import PROJECT, BotStopped, StartupError
from generation.contract import FailureReason, ModelState, ModelStatus
from storage.guilds import pauses
from storage.guilds.changes import EVERYWHERE
from storage.jobs import lifecycle
from tests.bot.settings.test_settings import TOKEN
from tests.fakes import FakeGenerator
from tests.storage.samples import new_job
from tests.world import World, settings, world

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Seconds:
    """A monotonic clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bot:
    """The whole bot without Discord, with a fake generator."""

    def __init__(self, client: EaselClient, generator: FakeGenerator) -> None:
        self.client, self.generator, self.seconds = client, generator, Seconds()
        self.health = client.health
        self.health.monotonic = self.seconds

    async def part(self, name: str) -> Component:
        return next(each for each in await self.health.look() if each.name == name)


@pytest_asyncio.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    generator = FakeGenerator()
    async with opened(settings(tmp_path), make_generator=lambda *_: generator) as client:
        yield Bot(client, generator)


# ------------------------------------------------------------------------------------------------------- the parts


async def test_a_working_bot_is_well_and_writes_so(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        found = await easel.client.health.look()
        assert [each for each in found if not each.well] == []
        assert {each.name for each in found} >= {
            "database",
            "queue",
            "worker",
            "gateway",
            "requests",
            "tasks",
        }

        await easel.client.health.beat(tmp_path / "heartbeat")
        path = tmp_path / "heartbeat"
        well, words = heartbeat.report(path, now=path.stat().st_mtime + 1)
        assert well, words
        assert "✓ database: answers" in words
        assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists(), "a bot that was stopped is not stuck"


async def test_a_database_that_does_not_answer_is_told_and_not_asked_twice(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "ANSWER_SECONDS", 0.02)
    async with bot.client.services.database.transaction():
        assert not (await bot.part("database")).well
        bot.seconds.now += 40
        told = await bot.part("database")
        assert not told.well
        assert told.words == "no answer for 40 s"
        assert len([task for task in asyncio.all_tasks() if task.get_name() == "health"]) == 1
    monkeypatch.setattr(checks, "ANSWER_SECONDS", 30)
    assert (await bot.part("database")).well


async def test_a_database_that_fails_is_told(bot: Bot) -> None:
    await bot.client.services.database.close()
    told = await bot.part("database")
    assert not told.well
    assert "closed" in told.words


async def test_a_queue_that_nobody_serves_is_told(bot: Bot) -> None:
    database = bot.client.services.database
    async with database.transaction() as tx:
        await lifecycle.insert(tx, new_job(), now=NOW)
    assert (await bot.part("queue")).well
    bot.seconds.now += checks.IDLE_SECONDS + 1
    told = await bot.part("queue")
    assert not told.well
    assert told.words == "1 wait, and none was begun for 3 min though nothing is drawn"

    bot.client.health.metrics.claimed()
    assert (await bot.part("queue")).well, "one was begun since"

    async with database.transaction() as tx:
        await pauses.halt(tx, pauses.Pause(guild_id=EVERYWHERE, halt=pauses.Halt.PAUSED, actor_id=1, reason="", at=NOW))
    await bot.part("queue")
    bot.seconds.now += checks.IDLE_SECONDS + 1
    assert (await bot.part("queue")).well, "an admin paused it"


async def test_what_keeps_the_generator_from_drawing_is_told(bot: Bot) -> None:
    assert (await bot.part("worker")).words == "ready"
    bot.generator.trouble = "3 starts failed; the worker ended with status 1: it said nothing"
    told = await bot.part("worker")
    assert (told.well, told.words) == (False, bot.generator.trouble)

    bot.generator.trouble = ""
    unusable = ModelStatus(state=ModelState.UNUSABLE, reason="its files aren't here")
    bot.generator.check = unusable
    assert "safety check" in (await bot.part("worker")).words

    bot.generator.check = None
    bot.generator.states = {"easel": unusable}
    assert not (await bot.part("worker")).well


async def test_a_lost_connection_is_told_after_a_while(bot: Bot) -> None:
    assert (await bot.part("gateway")).words == "connecting"
    bot.seconds.now += checks.CONNECTION_SECONDS + 60
    told = await bot.part("gateway")
    assert (told.well, told.words) == (False, "not connected to Discord for 3 min")


async def test_requests_that_hang_are_told(bot: Bot) -> None:
    bot.health.requests = lambda: checks.REQUEST_SECONDS + 1
    assert not (await bot.part("requests")).well


async def test_a_part_that_can_t_be_looked_at_is_unwell_and_hides_no_other(bot: Bot) -> None:
    def odd() -> float:
        raise KeyError("odd")

    bot.health.requests = odd
    assert "KeyError" in (await bot.part("requests")).words
    assert (await bot.part("database")).well


async def test_work_in_the_background_that_fails_is_begun_again(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.client.BEGIN_AGAIN_SECONDS", 0.0)
    begun: list[int] = []

    async def work(_: object) -> None:
        begun.append(1)
        if len(begun) < 3:
            raise ValueError("a bug")

    await bot.client._keep_on(work, "work")
    assert len(begun) == 3
    told = await bot.part("tasks")
    assert (told.well, told.words) == (False, "failed lately, and begun again: work")
    bot.seconds.now += checks.TASK_SECONDS
    assert (await bot.part("tasks")).well


async def test_a_beat_that_fails_is_no_end_of_beats(bot: Bot, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    await bot.health.beat(tmp_path / "taken")
    await bot.health.beat(tmp_path / "heartbeat")
    assert heartbeat.read(tmp_path / "heartbeat")


async def test_what_changes_is_logged_once(bot: Bot, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        await bot.health.beat(tmp_path / "heartbeat")
        bot.generator.trouble = "3 starts failed"
        for _ in range(3):
            await bot.health.beat(tmp_path / "heartbeat")
        bot.generator.trouble = ""
        await bot.health.beat(tmp_path / "heartbeat")
    assert [(line["event"], line["part"]) for line in lines] == [
        ("a part of the bot is unwell", "worker"),
        ("a part of the bot is well again", "worker"),
    ]


# -------------------------------------------------------------------------------------------------- `easel health`


def written(path: Path, *, well: bool) -> Path:
    heartbeat.write(path, [Component(name="worker", well=well, words="3 starts failed")])
    return path


def test_health_names_the_part_that_is_unwell(tmp_path: Path) -> None:
    path = written(tmp_path / "heartbeat", well=False)
    well, words = heartbeat.report(path, now=path.stat().st_mtime)
    assert not well
    assert "✗ worker: 3 starts failed" in words


def test_an_old_heartbeat_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "heartbeat", well=True)
    assert heartbeat.report(path, now=path.stat().st_mtime + 59)[0]
    well, words = heartbeat.report(path, now=path.stat().st_mtime + 61)
    assert not well
    assert "61 s ago" in words


@pytest.mark.parametrize("text", ["", "{", "[]", '{"components": 3}', '{"components": [1]}', "\xff", "[" * 99999])
def test_a_heartbeat_that_can_t_be_read_is_not_taken_for_health(tmp_path: Path, text: str) -> None:
    (tmp_path / "heartbeat").write_text(text, encoding="latin-1")
    well, words = heartbeat.report(tmp_path / "heartbeat", now=0)
    assert not well
    assert "can't be read" in words


def test_a_heartbeat_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """A reader that opened the file before goes on reading what it opened."""
    path = written(tmp_path / "heartbeat", well=True)
    with path.open(encoding="utf-8") as before:
        written(path, well=False)
        assert '"well": true' in before.read()
    assert [file.name for file in tmp_path.iterdir()] == ["heartbeat"]


# ------------------------------------------------------------------------------------------------------- the page


async def fetched(address: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return answer.status, await answer.text()


async def test_the_page_says_how_the_parts_fare(bot: Bot) -> None:
    async with health_page.open_page(bot.health, host="127.0.0.1", port=0) as address:
        assert (await fetched(f"{address}/healthz"))[0] == 200
        bot.generator.trouble = "3 starts failed"
        status, text = await fetched(f"{address}/healthz")
        assert status == 503
        assert '{"name": "worker", "well": false, "words": "3 starts failed"}' in text
        assert (await fetched(f"{address}/"))[0] == 404


async def test_the_numbers_are_prometheus_s_and_name_nobody(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben, "a secret fox")
        easel.generator.paused = True
        await easel.imagine(easel.ben)
        await easel.imagine(easel.cleo)
        easel.generator.fail(easel.generator.last, FailureReason.OUT_OF_MEMORY)
        await easel.rest()
        page = health_page._Page(easel.client.health)
        easel.client.health.metrics.registry.register(page)
        answer = await page.metrics(None)  # type: ignore[arg-type]
        text = answer.body.decode()  # type: ignore[union-attr]
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["easel_attempts_total",] == 3
    assert samples["easel_attempts_finished_total", "easel"] == 1
    assert samples["easel_attempts_failed_total", "out_of_memory"] == 1
    assert samples["easel_drawing_seconds_sum", "easel"] == 1.5
    assert samples["easel_jobs", "delivered"] == 1
    assert samples["easel_jobs", "running"] == 1
    assert samples["easel_queue_length",] == 0
    assert samples["easel_discord_requests_total", "200"] >= 8, "receipts, progress messages and a result"
    assert samples["easel_worker_restarts_total",] == 0
    assert samples["easel_well", "database"] == 1
    assert samples["easel_database_bytes",] > 0
    labels = {label for _, *labels in samples for label in labels}
    for secret in (str(easel.ben.id), str(easel.guild.id), str(easel.channel.id), "fox"):
        assert not any(secret in label for label in labels)
        assert secret not in text


async def test_there_is_no_page_unless_it_is_wanted_and_it_is_on_loopback(tmp_path: Path) -> None:
    assert settings(tmp_path).metrics_port is None
    assert settings(tmp_path).metrics_host == "127.0.0.1"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    chosen = settings(tmp_path, metrics_port=port)
    async with opened(chosen, make_generator=lambda *_: FakeGenerator()):
        assert (await fetched(f"http://127.0.0.1:{port}/metrics"))[0] == 200
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetched(f"http://127.0.0.1:{port}/metrics")


async def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        chosen = settings(tmp_path, metrics_port=taken.getsockname()[1])
        with pytest.raises(StartupError, match="EASEL_METRICS_PORT"):
            async with opened(chosen, make_generator=lambda *_: FakeGenerator()):
                pass


# ------------------------------------------------------------------------------------------------ a bot that ends

_DEATH = """
import sys
from bot.cli import main as cli
from bot.jobs.dispatcher import Dispatcher
async def run(self):
    raise RuntimeError("something nobody foresaw")
Dispatcher.run = run
sys.exit(cli.main(["run"]))
"""


def test_a_playground_whose_dispatcher_dies_ends_with_a_status_that_says_so(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DISCORD_TOKEN": "",
        "EASEL_DATA": str(tmp_path),
        "EASEL_PLAYGROUND_PORT": "0",
    }
    ended = subprocess.run(
        [sys.executable, "-c", _DEATH],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=PROJECT,
        env=environment,
    )
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("easel: A part that Easel can't do without stopped (dispatcher):")
    assert not (tmp_path / "heartbeat").exists()


async def test_a_bot_whose_dispatcher_dies_says_so_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a server on loopback that knows what a start asks of Discord."""

    async def die(_: object) -> None:
        raise RuntimeError("something nobody foresaw")

    monkeypatch.setattr("bot.jobs.dispatcher.Dispatcher.run", die)
    async with little_discord(monkeypatch), asyncio.timeout(60):
        with pytest.raises(BotStopped, match="something nobody foresaw"):
            await app.run(settings(tmp_path, discord_token=TOKEN))


@asynccontextmanager
async def little_discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Answers what a bot asks for at its login, and nothing else."""
    user = {"id": "1", "username": "easel", "discriminator": "0", "avatar": None, "bot": True}
    application = {"id": "1", "name": "easel", "icon": None, "description": "", "verify_key": "", "flags": 0}
    application |= {"bot_public": True, "bot_require_code_grant": False, "owner": user}
    known = {"/users/@me": user, "/oauth2/applications/@me": application, "/applications/1/commands": []}

    async def answer(request: web.Request) -> web.Response:
        if request.path not in known:
            return web.Response(status=404)
        body = json.dumps(known[request.path]).encode()
        return web.Response(body=body, headers={"Content-Type": "application/json"})

    server = web.Application()
    server.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    monkeypatch.setattr("discord.http.Route.BASE", f"http://127.0.0.1:{port}")
    monkeypatch.setattr("discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY", URL(f"ws://127.0.0.1:{port}"))
    yield
    await runner.cleanup()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "A file or folder can't be used"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/images"), "/data/images"),
        (aiohttp.ClientConnectionError("Cannot connect"), "Discord can't be reached"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "Discord can't be reached"),
        (TimeoutError(), "Discord can't be reached"),
    ],
)
async def test_errors_of_files_aren_t_taken_for_the_network_s(error: Exception, words: str) -> None:
    async def login(_: str) -> None:
        raise error

    with pytest.raises(StartupError) as caught:
        await app._connected(SimpleNamespace(login=login), "token")  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert ("Discord" in str(caught.value)) == ("Discord" in words)


async def test_files_that_keep_the_bot_from_its_last_run_are_named(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotADirectoryError(errno.ENOTDIR, "Not a directory", "images/.DS_Store")

    monkeypatch.setattr("bot.pictures.sweeping.sweep", fail)
    with pytest.raises(StartupError, match=r"images/\.DS_Store"):
        await bot.client._recover()


async def test_two_looks_at_once_are_two_looks(easel: World) -> None:
    both = await asyncio.gather(easel.client.health.look(), easel.client.health.look())
    assert [{part.name for part in look} for look in both] == [{part.name for part in both[0]}] * 2
    assert all(part.well for look in both for part in look)
