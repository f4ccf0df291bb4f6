"""Builds the parts once, runs them, and takes them apart again. Nothing else constructs them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import aiohttp
import discord
import structlog

from bot import logs
from bot.client import EaselClient
from bot.connection.waiting import Wait, plain_wait
from bot.delivery.button_rows import ButtonRows
from bot.delivery.delivery import Delivery
from bot.delivery.host_notices import HostNotices, tell_hosts
from bot.delivery.price_line import PriceLine
from bot.delivery.writing import Writing
from bot.features import action_names, load
from bot.health import heartbeat
from bot.health.checks import Health
from bot.interactions.checks import PERMISSIONS
from bot.interactions.feature import Feature
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.word_check import Moderation
from bot.metrics import Metrics
from bot.pictures import signing, verification
from bot.pictures.inspection import Inspection
from bot.pictures.limiter import limits
from bot.pictures.signing import Seal
from bot.services import Services
from bot.settings.settings import BotStopped, Settings, StartupError
from generation.catalogue import Catalogue, CatalogueError
from generation.contract import Generator
from generation.local import LocalGenerator
from storage.database import Database
from storage.errors import StorageError
from storage.jobs import server_turns

_AUTHENTICATION_FAILED = 4004

_FROM_OUTSIDE = """\
This is a container, and only itself reaches that address, whatever ports are published. On Linux, start it in the host's network:
  docker run --rm --network host easel
and where your browser is on another machine, forward the port to it: ssh -L {port}:127.0.0.1:{port} HOST
Or write DISCORD_TOKEN into .env, and start again."""

_NO_PLAYGROUND = (
    "There is no DISCORD_TOKEN, and the playground's packages are not installed: write the token into .env, or start "
    'with ./easel run, which installs them (or: pip install -c constraints.txt -e ".[playground]").'
)
_NO_PLAYGROUND_IN_CONTAINER = (
    "There is no DISCORD_TOKEN, and this image is made without the playground: write the token into .env, or build it "
    "with: docker compose build --build-arg EXTRAS=playground."
)

_log = structlog.get_logger(__name__)


def now() -> datetime:
    """The moment, aware, in UTC."""
    return datetime.now(UTC)


def catalogue(settings: Settings, features: Iterable[Feature]) -> Catalogue:
    """The models of the settings' file. Raises StartupError."""
    try:
        return Catalogue.load(settings.models, actions=action_names(features))
    except CatalogueError as error:
        raise StartupError(str(error)) from error


def local_generator(settings: Settings, models: Catalogue) -> Generator:
    """One worker process on this machine."""
    return LocalGenerator(
        models,
        default_model=settings.model_among(models, models.default.key),
        device=settings.device,
        allow_downloads=settings.allow_downloads,
        safety=settings.safety,
    )


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    make_generator: Callable[[Settings, Catalogue], Generator] = local_generator,
    wait: Wait = plain_wait,
    clock: Callable[[], datetime] = now,
    rng: random.Random | None = None,
    features: Sequence[Feature] | None = None,
) -> AsyncIterator[EaselClient]:
    """The whole bot, ready to connect; everything it opened is closed at the end. Raises StartupError."""
    features = load() if features is None else features
    models = catalogue(settings, features)
    settings.model_among(models, models.default.key)  # before anything is opened
    seal = await asyncio.to_thread(
        signing.seal, settings.c2pa_certificate, settings.c2pa_key, settings.c2pa_timestamp_url
    )
    await asyncio.to_thread(verification.trusted, settings.c2pa_trust)
    async with AsyncExitStack() as stack:
        database = await _database(settings, stack, now=clock())
        generator = make_generator(settings, models)
        await generator.start()
        stack.push_async_callback(generator.close)
        client = _assembled(
            settings,
            database,
            models,
            generator,
            stack,
            seal=seal,
            wait=wait,
            clock=clock,
            rng=rng or random.SystemRandom(),
            features=features,
        )
        stack.push_async_callback(client.close)
        await stack.enter_async_context(_health_page(settings, client.health))
        yield client


async def _database(settings: Settings, stack: AsyncExitStack, *, now: datetime) -> Database:
    """The open database of the data folder, with what the host set for servers. Raises StartupError."""
    try:
        database = await Database.open(settings.data, now=now)
    except (StorageError, OSError) as error:
        raise StartupError(str(error)) from error
    stack.push_async_callback(database.close)
    stack.callback(_remove_heartbeat, settings)
    async with database.transaction() as tx:
        await server_turns.set_weights(tx, dict(settings.server_weights))
    return database


def _assembled(
    settings: Settings,
    database: Database,
    models: Catalogue,
    generator: Generator,
    stack: AsyncExitStack,
    *,
    seal: Seal,
    wait: Wait,
    clock: Callable[[], datetime],
    rng: random.Random,
    features: Sequence[Feature],
) -> EaselClient:
    """The client with every part that it needs."""
    moderation = Moderation(settings=settings, catalogue=models, database=database, clock=clock)
    client, metrics = EaselClient(wait, features), Metrics()
    client.transport.on_outcome = metrics.requested
    notices = HostNotices(partial(tell_hosts, client, settings.owners))
    writing = Writing(database.folder, notices=notices, wait=wait)
    actions = client.actions.values()
    delivery = Delivery(
        client,
        database,
        models,
        buttons=ButtonRows((verb.name, place) for verb in client.buttons for place in verb.places),
        titles={action.name: action.title for action in actions},
        price_line=PriceLine({action.name: action.label for action in actions if action.label}, models),
        settings=settings,
        writing=writing,
        seal=seal,
    )
    dispatcher = Dispatcher(
        settings=settings,
        database=database,
        catalogue=models,
        generator=generator,
        delivery=delivery,
        moderation=moderation,
        on_withheld=client.tell_of_withheld,
        clock=clock,
        random=rng,
        seal=seal,
        wait=wait,
        metrics=metrics,
        notices=notices,
        writing=writing,
    )
    limited = limits(wait)
    stack.callback(limited.close)
    inspection = Inspection(limited.files, trust=settings.c2pa_trust)
    stack.callback(inspection.close)
    client.services = Services(
        settings=settings,
        database=database,
        catalogue=models,
        default_model=settings.model_among(models, models.default.key),
        generator=generator,
        delivery=delivery,
        dispatcher=dispatcher,
        moderation=moderation,
        seal=seal,
        limits=limited,
        inspection=inspection,
        clock=clock,
        random=rng,
        notices=notices,
        forget_person=[one.forget_person for one in features if one.forget_person],
        forget_jobs=[one.forget_jobs for one in features if one.forget_jobs],
    )
    client.health = Health(
        database=database,
        generator=generator,
        dispatcher=dispatcher,
        client=client,
        metrics=metrics,
        most_running=settings.max_running,
        requests=client.transport.stuck,
    )
    return client


@asynccontextmanager
async def _health_page(settings: Settings, health: Health) -> AsyncIterator[None]:
    """The host's page, where one is wanted. Raises StartupError."""
    if settings.metrics_port is None:
        yield
        return
    from bot.health import page  # it brings a web server that most bots never need

    async with page.open_page(health, host=settings.metrics_host, port=settings.metrics_port):
        yield


def _remove_heartbeat(settings: Settings) -> None:
    """A bot that was stopped isn't taken for one that is stuck."""
    with contextlib.suppress(OSError):
        heartbeat.remove(settings.heartbeat)


async def run(settings: Settings) -> int:
    """Run until told to stop: on Discord with a token, in the playground without. Returns the exit status."""
    if settings.discord_token is None:
        return await _run_playground(settings)
    async with opened(settings) as client:
        connected = asyncio.ensure_future(_connected(client, settings.discord_token))
        # discord.py may pause for minutes before it looks whether it is closed.
        client.on_failure = partial(_cancel, connected)
        try:
            await until_stopped(connected)
        finally:
            _raise_failure(client)  # whatever else went wrong then came of it
    return 0


def _raise_failure(client: EaselClient) -> None:
    """Raises BotStopped if the bot ended by itself, so that whatever watches over it starts it again."""
    if client.failure:
        raise BotStopped(f"{client.failure} No job is lost: the next start takes them up.")


async def _run_playground(settings: Settings) -> int:
    """The whole bot in a browser page. Raises StartupError if its packages are missing."""
    if importlib.util.find_spec("simcord") is None:
        raise StartupError(_NO_PLAYGROUND_IN_CONTAINER if os.environ.get("container") else _NO_PLAYGROUND)  # noqa: SIM112
    with logs.quiet("discord"):  # SimCord tries out a bare client when it is imported, which warns
        from bot import playground  # it brings a web server and a renderer that a bot on Discord never needs

    ended = asyncio.Event()
    async with AsyncExitStack() as stack:

        async def build(wait: Wait) -> EaselClient:
            client = await stack.enter_async_context(opened(settings, wait=wait))
            client.on_failure = ended.set
            stack.callback(_raise_failure, client)
            return client

        await playground.serve(build, port=settings.playground_port, on_ready=_say_address, ended=ended)
    return 0


def _say_address(address: str) -> None:
    freeze_memory()
    print(f"No DISCORD_TOKEN, so this is the playground. Open it in a browser:\n  {address}", flush=True)
    if os.environ.get("container"):  # noqa: SIM112 - systemd's name, which Podman and our Dockerfile set
        port = urlsplit(address).port
        print(_FROM_OUTSIDE.format(port=port), flush=True)


def freeze_memory() -> None:
    """Keep what was built at the start out of garbage collections, which would stall the loop for 80 ms at times."""
    gc.collect()
    gc.freeze()


async def _connected(client: EaselClient, token: str) -> None:
    try:
        await client.login(token)
        freeze_memory()
        invite = discord.utils.oauth_url(
            client.application_id or 0, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
        )
        _log.info("connecting to Discord", bot=str(client.user))
        print(f"Invite Easel to a server:\n  {invite}", flush=True)
        await client.connect()
    except discord.LoginFailure as error:
        raise StartupError(
            "Discord does not accept DISCORD_TOKEN. Reset the token on the Bot page of "
            "https://discord.com/developers/applications and put the new one into .env."
        ) from error
    except discord.ConnectionClosed as error:
        raise StartupError(
            "Discord no longer accepts DISCORD_TOKEN: it was reset. Put the new one into .env."
            if error.code == _AUTHENTICATION_FAILED
            else f"Discord closed the connection with code {error.code}. Start again in a few minutes."
        ) from error
    except discord.DiscordException as error:
        raise StartupError(f"Discord refused: {error}. Start again in a few minutes.") from error
    except (aiohttp.ClientError, ConnectionError, TimeoutError, socket.gaierror) as error:
        raise StartupError(
            f"Discord can't be reached: {error or type(error).__name__}. Check the network and start again."
        ) from error
    except OSError as error:
        raise StartupError(f"A file or folder can't be used: {error}. See to it and start again.") from error


async def until_stopped(task: asyncio.Task[None]) -> None:
    """Await the task, or stop it at SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
            loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
