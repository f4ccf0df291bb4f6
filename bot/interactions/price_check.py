"""What the buttons under a result cost: a line in its message, and that nobody pays a price that it does not say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import structlog

from bot.connection.retry import Unreachable
from bot.errors import PriceChanged
from bot.jobs.orders import Action
from generation.catalogue import Catalogue
from storage.credits.balance import free_actions
from storage.jobs.job import Job

if TYPE_CHECKING:
    from bot.interactions.feature import Ask

NAMES: Mapping[Action, str] = {"vary": "Vary", "reroll": "🔄"}
"""The actions that are a button under a result, as the line calls them."""

_TITLE = "-# Credits: "
_BETWEEN = " · "

_log = structlog.get_logger(__name__)


def under(words: str, job: Job, *, catalogue: Catalogue, free: Collection[str]) -> str:
    """The words of a job's result, with the line that says what its buttons cost now; no line where nothing does.

    `free` are the actions for which the server takes nothing.
    """
    costs = {name: _price(name, job, catalogue, free) for name in NAMES}
    kept = [line for line in words.split("\n") if not line.startswith(_TITLE)]
    line = _BETWEEN.join(_part(name, cost) for name, cost in costs.items())
    return "\n".join([*kept, _TITLE + line] if any(costs.values()) else kept)


async def only_as_told(ask: Ask, action: Action) -> None:
    """Bring the message's line up to date; raises PriceChanged where it said another price, and there is one now."""
    services = ask.services
    try:
        words = (await ask.message.fetch()).content if ask.words is None else ask.words
        if "\n-# " not in words:
            return  # the progress message: no price stands in it
        async with services.database.reading() as tx:
            free = await free_actions(tx, ask.actor.guild.id, services.settings.host_credits)
        now = under(words, ask.job, catalogue=services.catalogue, free=free)
        if now != words:
            await ask.message.edit(content=now)
    except Unreachable as error:
        _log.info("the prices in a message could not be compared", error=str(error))
        return
    price = _price(action, ask.job, services.catalogue, free)
    if price and _part(action, price) not in _told(words):
        raise PriceChanged(price)


def _price(action: Action, job: Job, catalogue: Catalogue, free: Collection[str]) -> int:
    """What an action on a job costs; nothing where its model is gone, since it can't be done then."""
    if action in free or job.model not in catalogue:
        return 0
    return catalogue[job.model].price(action, job.images)


def _part(action: Action, price: int) -> str:
    return f"{NAMES[action]} {price or 'free'}"


def _told(words: str) -> list[str]:
    lines = [line.removeprefix(_TITLE) for line in words.split("\n") if line.startswith(_TITLE)]
    return [part for line in lines for part in line.split(_BETWEEN)]
