"""The one path of everything that is drawn from a job, whatever button or reaction asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from bot.connection.retry import Unreachable
from bot.delivery.button_rows import Place
from bot.errors import PriceChanged
from bot.interactions.checks import able_to_post, shows
from bot.interactions.feature import Action, Ask, Verb
from bot.jobs import orders
from bot.texts import results

_log = structlog.get_logger(__name__)


def verb(
    action: Action,
    name: str,
    *,
    places: Sequence[Place] = (),
    reactions: Mapping[str, int] | None = None,
    **options: Any,
) -> Verb:
    """A button that draws. `options` are handed to the action's draft."""
    return Verb(name=name, run=partial(draw, action, **options), places=places, reactions=reactions or {})


async def draw(action: Action, ask: Ask, **options: Any) -> None:
    """Check, price and queue what an action makes of a job. Raises the refusal of the first check that fails."""
    able_to_post(ask.bot_permissions, ask.channel)
    if action.needs_picture:
        ask.only_finished()
    services = ask.services
    source = orders.drawn_from(
        ask.job,
        max(1, ask.index),
        catalogue=services.catalogue,
        random=services.random,
        most=ask.policy.most(ask.requester.role_ids),
    )
    draft = action.draft(source, **options)
    if draft.picture is not None:
        await shows(ask, *draft.picture)
    await _price_was_told(ask, action)
    order = orders.order(action.name, draft, free=ask.policy.free)
    await services.dispatcher.accept(order, ask.requester, ask.policy)
    if draft.notes:
        await ask.tell(results.lowered(price=order.price, notes=draft.notes))


async def _price_was_told(ask: Ask, action: Action) -> None:
    """Bring the message's line of prices up to date. Raises PriceChanged if it said another price than there is now."""
    if not action.label:
        return  # the line has no part for it
    line = ask.services.delivery.price_line
    try:
        words = (await ask.message.fetch()).content if ask.words is None else ask.words
        now = line.under(words, ask.job, free=ask.policy.free)
        if line.is_in(words) and now != words:
            await ask.message.edit(content=now)
    except Unreachable as error:
        _log.info("the prices in a message could not be compared", error=str(error))
        return
    price = line.price(action.name, ask.job, free=ask.policy.free)
    if price and line.is_in(words) and not line.tells(words, action.name, price):
        raise PriceChanged(price)
