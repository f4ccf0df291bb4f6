"""U1–U4: one picture of the grid at full size, at once and free."""

from __future__ import annotations

from bot.delivery.button_rows import Place, Surface
from bot.errors import BotLacksPermission, JobGone
from bot.interactions.checks import able_to_post, shows
from bot.interactions.feature import Ask, Feature, Verb
from storage.jobs.images import ImageGone


async def upscale(ask: Ask) -> None:
    able_to_post(ask.bot_permissions, ask.channel)
    ask.only_finished()
    ask.only_among_adults()
    ask.policy.only_allowed(ask.requester, "upscale", posts=True)
    await shows(ask, ask.job.id, ask.index)
    try:
        posted = await ask.services.delivery.post_single(
            ask.job,
            ask.index,
            channel_id=ask.channel.id,
            asked_by=ask.actor.id,
            reply_to=ask.message_id,
            interaction_id=ask.interaction_id,
            anew=True,
            limit=ask.upload_limit,
        )
    except (ImageGone, ValueError):
        raise JobGone from None
    if posted is None:
        raise BotLacksPermission(("Send Messages", "Attach Files"))


FEATURE = Feature(
    permissions=("upscale",),
    verbs=(
        Verb(
            name="u",
            run=upscale,
            places=(Place(surface=Surface.GRID, row=0, label="U", numbered=True),),
            reactions={"1️⃣": 1, "2️⃣": 2, "3️⃣": 3, "4️⃣": 4},
        ),
    ),
    help=("**U1–U4** (or 1️⃣–4️⃣) posts one picture at full size. It is free.",),
)
