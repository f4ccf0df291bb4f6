"""A drawing feature as somebody would add one: an action and its button, all in this file."""

from __future__ import annotations

from dataclasses import replace

from bot.delivery.button_rows import Place, Surface
from bot.interactions.draw import verb
from bot.interactions.feature import Action, Feature
from bot.jobs.orders import Draft, Source
from generation.contract import ImageToImage


def tinted(source: Source, *, colour: str) -> Draft:
    sampling = source.again.sampling
    request = ImageToImage(sampling=replace(sampling, prompt=f"{sampling.prompt}, {colour}"), strength=0.3)
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
