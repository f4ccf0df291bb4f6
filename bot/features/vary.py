"""V1–V4: a new grid of variations of one picture."""

from __future__ import annotations

from functools import partial

from bot.delivery.surface import Surface
from bot.interactions.feature import Ask, Feature, Place, Verb, able_to_post, shows
from bot.interactions.price_check import only_as_told
from bot.jobs import orders, permissions
from bot.texts import common

SUBTLE, STRONG = 0.45, 0.8
"""How much of the picture is drawn anew, from 0 to 1. A plain V takes the model's own strength."""


async def vary(ask: Ask, *, strength: float | None = None) -> None:
    able_to_post(ask.bot_permissions, ask.channel)
    ask.only_finished()
    services = ask.services
    index = max(1, ask.index)
    await shows(ask, ask.job.id, index)
    async with services.database.reading() as tx:
        most = await permissions.most(tx, ask.requester)
    order = orders.vary(
        ask.job,
        index,
        strength=strength,
        catalogue=services.catalogue,
        random=services.random,
        most=most,
    )
    await only_as_told(ask, order.action)
    accepted = await services.dispatcher.accept(order, ask.requester)
    if order.notes:
        await ask.tell(common.lowered(price=accepted.job.price, notes=order.notes))


FEATURE = Feature(
    verbs=(
        Verb(
            name="v",
            run=vary,
            places=(Place(surface=Surface.GRID, row=1, label="V", numbered=True),),
            reactions={"🇦": 1, "🇧": 2, "🇨": 3, "🇩": 4},
        ),
        Verb(
            name="v_subtle",
            run=partial(vary, strength=SUBTLE),
            places=(Place(surface=Surface.SINGLE, row=0, order=0, label="Vary (Subtle)", emoji="🪄"),),
        ),
        Verb(
            name="v_strong",
            run=partial(vary, strength=STRONG),
            places=(Place(surface=Surface.SINGLE, row=0, order=1, label="Vary (Strong)", emoji="🪄"),),
        ),
    ),
    help=(
        "**V1–V4** (or 🇦–🇩) draws variations of one picture. The line under the picture says what it costs.",
    ),
)
