"""A drawing feature as somebody would add one: an action and its button, all in this file."""

from __future__ import annotations

from bot.delivery.button_rows import Place, Surface
from bot.interactions.draw import verb
from bot.interactions.feature import Action, Feature
from bot.jobs.orders import Draft, Source
from generation.contract import ImageToImage


def tinted(source: Source, *, colour: str) -> Draft:
    again = source.again
    request = ImageToImage(
        model=again.model,
        prompt=f"{again.prompt}, {colour}",
        negative=again.negative,
        width=again.width,
        height=again.height,
        steps=again.steps,
        guidance=again.guidance,
        seeds=again.seeds,
        strength=0.3,
    )
    return source.draft(request, picture=(source.job.id, source.index))


TINT = Action(name="tint", draft=tinted, title="Tint of #{index}", label="Tint", needs_picture=True)

FEATURE = Feature(
    actions=(TINT,),
    verbs=(
        verb(
            TINT,
            "tint_red",
            colour="red",
            places=(Place(surface=Surface.GRID, row=2, label="T", numbered=True),),
            reactions={"🟥": 1},
        ),
    ),
    help=("**T1–T4** (or 🟥) tints a picture red.",),
)
