"""🔄: the same prompt again with new seeds."""

from __future__ import annotations

from bot import access, orders, texts
from bot.feature import Ask, Feature, Place, Verb, able_to_post, shows
from bot.prices import only_as_told
from bot.surface import Surface


async def reroll(ask: Ask) -> None:
    able_to_post(ask.bot_permissions, ask.channel)
    studio = ask.studio
    async with studio.database.reading() as tx:
        most = await access.most(tx, ask.requester)
    order = orders.reroll(ask.job, catalogue=studio.catalogue, random=studio.random, most=most)
    if order.parent_index is not None:
        await shows(ask, order.parent_id, order.parent_index)
    await only_as_told(ask, order.action)
    accepted = await studio.dispatcher.accept(order, ask.requester)
    if order.notes:
        await ask.tell(texts.lowered(price=accepted.job.price, notes=order.notes))


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
