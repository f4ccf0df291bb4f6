"""Runs a soak: the stand-in on a port of this machine, the bot in a process of its own, and people until enough jobs were accepted."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from aiohttp import web

from tests.soak.backup import backed_up, verified
from tests.soak.process import Bot
from tests.soak.rest import API, MOST_REQUEST_BYTES
from tests.soak.state import Soak

MOST_OWED = 60
"""People wait while so many jobs are under way."""
CROWD = 12
"""As many ask at once just before a stop."""
_TICK_SECONDS = 0.05
_QUIET_SECONDS = 3.0
"""Nothing is under way any more once nothing has been for so long."""

Say = Callable[[Soak], None]


async def run(soak: Soak, *, say: Say = lambda _: None) -> None:
    """Carry the soak out, with a backup in the middle of it. Raises Stuck."""
    begun = time.monotonic()
    soak.plan.folder.mkdir(parents=True, exist_ok=True)
    runner = web.AppRunner(_application(soak), handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = "{}:{}".format(*runner.addresses[0][:2])
    soak.gateway.url = f"ws://{address}/gateway"
    dropping = asyncio.create_task(soak.gateway.drop_at_random(soak.plan.drops), name="drops")
    try:
        await _live(soak, address, say)
    finally:
        dropping.cancel()
        await runner.cleanup()
        soak.seconds = time.monotonic() - begun


def _application(soak: Soak) -> web.Application:
    application = web.Application(client_max_size=MOST_REQUEST_BYTES)
    application.router.add_get("/gateway", soak.gateway.connect)
    application.router.add_route("*", API + "/{path:.*}", soak.rest.answer)
    return application


async def _live(soak: Soak, address: str, say: Say) -> None:
    """The bot's lives, one after the other; the middle of the soak comes in the middle of a life."""
    jobs, lives = soak.plan.jobs, soak.plan.restarts + 1
    soak.weather.armed = soak.plan.at_login
    for life in range(lives):
        bot = Bot(soak, address)
        try:
            await bot.start()
            soak.weather.armed = True
            asked = await _ask(soak, bot, jobs * (2 * life + 1) // (2 * lives), say)
            if asked and life == lives // 2:
                soak.broken += await backed_up(soak)
            asked = asked and await _ask(soak, bot, jobs * (life + 1) // lives, say)
            if life == lives - 1 or not asked:
                soak.weather.armed = soak.gateway.dropping = False
                await _come_to_rest(soak, bot, say)
            else:
                await _crowd(soak)
            await bot.stop()
        finally:
            await bot.kill()
        if not asked:
            return
    soak.broken += await verified(soak.data)


async def _ask(soak: Soak, bot: Bot, jobs: int, say: Say) -> bool:
    """People ask for things until so many jobs have been accepted. False where no job got on any more."""
    source = random.Random(f"pace {soak.plan.seed} {jobs}")
    last, since = soak.states, time.monotonic()
    while soak.accepted < jobs:
        bot.check_alive()
        if soak.states != last:
            last, since = soak.states, time.monotonic()
        if time.monotonic() - since > soak.plan.patience:
            soak.broken.append(f"no job got on for {soak.plan.patience:.0f} s; {soak.owed} are under way")
            return False
        if soak.owed < MOST_OWED:
            soak.people.wish()
        say(soak)
        await asyncio.sleep(source.expovariate(soak.plan.pace))
    return True


async def _crowd(soak: Soak) -> None:
    """Many people ask just before the bot is stopped."""
    for _ in range(CROWD):
        soak.people.wish()
    await asyncio.sleep(random.Random(f"crowd {soak.plan.seed} {soak.lives}").uniform(0.01, 0.2))


async def _come_to_rest(soak: Soak, bot: Bot, say: Say) -> None:
    """Wait until nothing is under way; not longer than the bot is given. What is left then is for the audit."""
    deadline = time.monotonic() + soak.plan.patience
    quiet_since = None
    while time.monotonic() < deadline:
        bot.check_alive()
        if not soak.is_quiet():
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > _QUIET_SECONDS:
            return
        say(soak)
        await asyncio.sleep(_TICK_SECONDS)
