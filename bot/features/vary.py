"""V1–V4: a new grid of variations of one picture."""

from __future__ import annotations

from bot.delivery.button_rows import Place, Surface
from bot.interactions.draw import verb
from bot.interactions.feature import Action, Feature
from bot.jobs.orders import Draft, Source
from generation.contract import ImageToImage

SUBTLE, STRONG = 0.45, 0.8
"""How much of the picture is drawn anew, from 0 to 1. A plain V takes the model's own strength."""


def variations(source: Source, *, strength: float | None = None) -> Draft:
    """The job's prompt drawn over one of its pictures."""
    share = source.spec.strength if strength is None else strength
    request = ImageToImage(sampling=source.again.sampling, strength=share)
    return source.draft(request, picture=(source.job.id, source.index))


VARY = Action(name="vary", draft=variations, title="Variations of #{index}", label="Vary", needs_picture=True)

FEATURE = Feature(
    actions=(VARY,),
    verbs=(
        verb(
            VARY,
            "v",
            places=(Place(surface=Surface.GRID, row=1, label="V", numbered=True),),
            reactions={"🇦": 1, "🇧": 2, "🇨": 3, "🇩": 4},
        ),
        verb(
            VARY,
            "v_subtle",
            strength=SUBTLE,
            places=(Place(surface=Surface.SINGLE, row=0, order=0, label="Vary (Subtle)", emoji="🪄"),),
        ),
        verb(
            VARY,
            "v_strong",
            strength=STRONG,
            places=(Place(surface=Surface.SINGLE, row=0, order=1, label="Vary (Strong)", emoji="🪄"),),
        ),
    ),
    help=("**V1–V4** (or 🇦–🇩) draws variations of one picture. The line under the picture says what it costs.",),
)
