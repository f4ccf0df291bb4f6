"""The things that can stand in a picture: who draws each, how large, and in which colours."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from generation.builtin.drawing import buildings, living, vehicles
from generation.builtin.drawing.canvas import Canvas, Colour, Sprite, Tone, jitter
from generation.builtin.drawing.palette import COLOURS

Draw = Callable[[Sprite, np.random.Generator, Colour], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """`size` is its height as a share of the picture's shorter side; `usual` are its colours where none is named.

    `colours` are those that people may ask for, by name; none means that it always looks the same.
    """

    draw: Draw
    size: tuple[float, float]
    usual: tuple[Colour, ...]
    colours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a thing's foot is and in which light; `largest` makes it larger or smaller than usual."""

    x: float
    foot: float
    tone: Tone
    night: bool = False
    reflection: float = 0.0
    largest: float = 1.0


PAINTED = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black")
FURS = ("black", "white", "orange", "gray", "brown")


def _named(*names: str) -> tuple[Colour, ...]:
    return tuple(COLOURS[name] for name in names)


CREAM: Colour = (0.95, 0.90, 0.80)

THINGS: dict[str, Thing] = {
    "house": Thing(draw=buildings.draw_house, size=(0.38, 0.46), usual=(CREAM, (0.86, 0.70, 0.52)), colours=PAINTED),
    "castle": Thing(draw=buildings.draw_castle, size=(0.48, 0.58), usual=((0.66, 0.64, 0.66), (0.76, 0.70, 0.62))),
    "lighthouse": Thing(draw=buildings.draw_lighthouse, size=(0.50, 0.60), usual=_named("red")),
    "windmill": Thing(draw=buildings.draw_windmill, size=(0.48, 0.58), usual=(CREAM, (0.78, 0.50, 0.38))),
    "tent": Thing(draw=buildings.draw_tent, size=(0.29, 0.35), usual=_named("orange", "red", "blue"), colours=PAINTED),
    "tree": Thing(draw=living.draw_tree, size=(0.46, 0.56), usual=((0.25, 0.52, 0.17),)),
    "cactus": Thing(draw=living.draw_cactus, size=(0.40, 0.50), usual=((0.22, 0.55, 0.28),)),
    "flower": Thing(draw=living.draw_flower, size=(0.42, 0.52), usual=_named("red", "pink", "yellow"), colours=("red", "orange", "yellow", "blue", "purple", "pink", "white")),
    "snowman": Thing(draw=living.draw_snowman, size=(0.42, 0.51), usual=((0.97, 0.98, 1.0),)),
    "cat": Thing(draw=living.draw_cat, size=(0.44, 0.52), usual=_named("orange", "black", "gray"), colours=FURS),
    "dog": Thing(draw=living.draw_dog, size=(0.40, 0.48), usual=((0.62, 0.42, 0.24), (0.85, 0.72, 0.52)), colours=FURS),
    "bicycle": Thing(draw=vehicles.draw_bicycle, size=(0.36, 0.42), usual=_named("red", "blue", "green"), colours=PAINTED),
    "car": Thing(draw=vehicles.draw_car, size=(0.25, 0.30), usual=_named("red", "blue", "yellow"), colours=PAINTED),
    "boat": Thing(draw=vehicles.draw_boat, size=(0.37, 0.47), usual=((0.62, 0.30, 0.18), (0.85, 0.22, 0.18)), colours=PAINTED),
    "balloon": Thing(draw=vehicles.draw_balloon, size=(0.40, 0.50), usual=_named("red", "orange", "purple"), colours=PAINTED),
    "bird": Thing(draw=living.draw_bird, size=(0.27, 0.34), usual=_named("white", "black", "red"), colours=PAINTED),
    "rocket": Thing(draw=vehicles.draw_rocket, size=(0.42, 0.52), usual=_named("white", "red"), colours=PAINTED),
}  # fmt: skip


def thing_colour(rng: np.random.Generator, thing: str, colour: str) -> Colour:
    """The named colour, or one of the thing's usual ones for ""; moved a little."""
    usual = THINGS[thing].usual
    return jitter(rng, COLOURS[colour] if colour else usual[int(rng.integers(len(usual)))], 0.03)


def place_thing(rng: np.random.Generator, canvas: Canvas, thing: str, colour: str, standing: Standing) -> None:
    """Draws the thing; it always faces the same way, or a small model would draw a head at either end."""
    size = float(rng.uniform(*THINGS[thing].size)) * canvas.scale * standing.largest
    sprite = Sprite(
        canvas=canvas, x=standing.x, foot=standing.foot, size=size, tone=standing.tone, night=standing.night
    )
    THINGS[thing].draw(sprite, rng, thing_colour(rng, thing, colour))
    sprite.place(standing.reflection)
