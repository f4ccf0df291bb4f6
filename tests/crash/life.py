"""One life of the bot: `python -m tests.crash.life <folder> <seed> busy|calm [real]`.

Busy, four people ask for more than it can draw until it is killed; calm, nobody asks and it ends when nothing is owed.
It ends with its input too, so that none is left behind when the siege itself is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import threading
from pathlib import Path
from typing import Any

from simcord.backend.models import Message

from bot import logs
from bot.app import local_generator, now, opened
from bot.client import EaselClient
from bot.settings.settings import Settings
from generation.catalogue import Catalogue
from generation.contract import Generator
from storage.credits import allowances, calendar, grants
from storage.database import Database
from storage.guilds.changes import Subject
from tests.crash.journal import Journal
from tests.crash.piped import PipedPainter
from tests.crash.town import GUILD, Town

PAUSE_SECONDS = 0.025
"""Between two wishes, on average."""
CHATTER = (0, 0, 10, 120)
"""How many messages people may write while the bot is away: more than it looks back on, at times."""
_TICK_SECONDS = 0.02
_BONUS = 100_000
_PROMPTS = ("a boat", "a lighthouse at night", "two boats", "snow on a red house", "ein castle aus Glas 🧊")
_REACTIONS = ("🔁", "🇦", "🔄")
_OWED = "SELECT 1 FROM jobs WHERE state IN ('queued', 'running', 'finished') OR (state IN ('failed', 'cancelled') AND notified = 0)"


async def live(folder: Path, source: random.Random, *, calm: bool, real: bool) -> None:
    settings = Settings(data=folder / "data", daily_credits=1_000_000, max_waiting=4, device="cpu")
    journal = Journal(folder / "discord.jsonl")
    async with opened(settings, make_generator=local_generator if real else _painter) as client:
        town = Town(client, journal, chatter=source.choice(CHATTER))
        await _give_bonus(client.services.database, town.people[-1].id)
        await town.start()
        journal.write("up")
        try:
            await (_rest(client) if calm else _ask(town, journal, source))
        finally:
            await town.shutdown()
    journal.write("ended")


def _painter(_: Settings, models: Catalogue) -> Generator:
    return PipedPainter(tuple(models))


async def _give_bonus(database: Database, user_id: int) -> None:
    """One person has no daily credits and pays with bonus credits."""
    async with database.transaction() as tx:
        if await allowances.allowances(tx, GUILD):
            return
        subject = Subject(kind="user", id=user_id)
        await allowances.set_allowance(
            tx, guild_id=GUILD, subject=subject, rate=calendar.Rate(0), actor_id=1, now=now()
        )
        await grants.give(
            tx,
            guild_id=GUILD,
            subject=Subject(kind="user", id=user_id),
            credits=_BONUS,
            actor_id=1,
            reason="for the siege",
            now=now(),
        )


async def _rest(client: EaselClient) -> None:
    """Until every job has ended and its owner knows."""
    while True:
        async with client.services.database.reading() as tx:
            if await tx.fetch_one(_OWED) is None:
                return
        await asyncio.sleep(_TICK_SECONDS)


async def _ask(town: Town, journal: Journal, source: random.Random) -> None:
    """People wish for something, again and again, without waiting for answers."""
    while True:
        who = source.choice(town.people)
        wish = source.choices(("imagine", "button", "reaction", "cancel", "stop"), (5, 4, 2, 1, 1))[0]
        journal.write("wish", what=wish)
        await _wish(town, who, wish, source)
        await asyncio.sleep(source.expovariate(1 / PAUSE_SECONDS))


async def _wish(town: Town, who: Any, wish: str, source: random.Random) -> None:
    if wish == "imagine":
        flags = f"--steps 4 --count {source.randint(1, 4)}"
        await who.slash(town.channel, "imagine", prompt=f"{source.choice(_PROMPTS)} {flags}")
    elif wish == "cancel":
        await who.slash(town.channel, "cancel")
    elif wish == "reaction":
        if grids := [one for one in town.latest(30) if _buttons(one, "r")]:
            emoji = source.choice(_REACTIONS)
            grid = source.choice(grids)
            town.backend.set_reaction(town.channel.id, grid.id, emoji, who.id, False)
            await who.react(town.seen(grid), emoji)
    else:
        verbs = ("v", "r") if wish == "button" else ("x",)
        ids = [(one, button) for one in town.latest(30) for button in _buttons(one, *verbs)]
        if ids:
            message, button = source.choice(ids)
            await who.click(town.seen(message), custom_id=button)


def _buttons(message: Message, *verbs: str) -> list[str]:
    """The ids of a message's buttons with one of these verbs."""
    ids = [button.get("custom_id", "") for row in message.components for button in row.get("components", ())]
    return [one for one in ids if one.split(":")[1:2] and one.split(":")[1] in verbs]


def _end_with_input() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def main() -> None:
    folder, seed, mood, *kind = sys.argv[1:]
    threading.Thread(target=_end_with_input, daemon=True).start()
    logs.configure("info", "json")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(live(Path(folder), random.Random(int(seed)), calm=mood == "calm", real=kind == ["real"]))


if __name__ == "__main__":
    main()
