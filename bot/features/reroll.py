"""🔄: the same prompt again with new seeds."""

from __future__ import annotations

from bot.delivery.button_rows import Place, Surface
from bot.interactions.draw import verb
from bot.interactions.feature import Action, Feature
from bot.jobs.orders import Draft, Source


def same_again(source: Source) -> Draft:
    """The same request with new seeds. A reroll of variations varies the same picture again."""
    return source.draft(source.again, picture=source.job.picture)


REROLL = Action(name="reroll", draft=same_again, title="Reroll", label="🔄")

FEATURE = Feature(
    actions=(REROLL,),
    verbs=(
        verb(
            REROLL,
            "r",
            places=(
                Place(surface=Surface.GRID, row=0, order=9, emoji="🔄"),
                Place(surface=Surface.SINGLE, row=0, order=9, emoji="🔄"),
            ),
            reactions={"🔄": 0, "🔁": 0},
        ),
    ),
    help=("🔄 draws the prompt again with a new seed.",),
)
