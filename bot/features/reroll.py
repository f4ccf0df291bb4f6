"""🔄: the same prompt again with new seeds."""

from __future__ import annotations

from bot.delivery.surface import Surface
from bot.interactions.feature import Ask, Feature, Place, Verb, able_to_post, shows
from bot.interactions.price_check import only_as_told
from bot.jobs import orders, permissions
from bot.texts import common


async def reroll(ask: Ask) -> None:
    able_to_post(ask.bot_permissions, ask.channel)
    services = ask.services
    async with services.database.reading() as tx:
        most = await permissions.most(tx, ask.requester)
    order = orders.reroll(ask.job, catalogue=services.catalogue, random=services.random, most=most)
    if order.parent_index is not None:
        await shows(ask, order.parent_id, order.parent_index)
    await only_as_told(ask, order.action)
    accepted = await services.dispatcher.accept(order, ask.requester)
    if order.notes:
        await ask.tell(common.lowered(price=accepted.job.price, notes=order.notes))


FEATURE = Feature(
    verbs=(
        Verb(
            name="r",
            run=reroll,
            places=(
                Place(surface=Surface.GRID, row=0, order=9, emoji="🔄"),
                Place(surface=Surface.SINGLE, row=0, order=9, emoji="🔄"),
            ),
            reactions={"🔄": 0, "🔁": 0},
        ),
    ),
    help=("🔄 draws the prompt again with a new seed.",),
)
