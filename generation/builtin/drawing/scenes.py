"""Scenes: what a picture of the small world can show, and how one is chosen at random.

Everything that can be asked for is listed here once; `captions` words it and the probe reads it off a picture.
"""

from dataclasses import dataclass

TIMES = ("day", "dawn", "sunset", "night")
WEATHERS = ("", "clouds", "rain", "snow", "fog", "rainbow")
GROUNDS = ("", "mountains", "hills", "desert", "forest", "field", "island", "volcano", "city", "neon city")
WATERS = ("", "lake", "sea", "river")
SEASONS = ("", "spring", "autumn", "winter")
LUMINARIES = ("", "sun", "moon")
STYLES = ("watercolor", "pixel art", "sketch", "neon", "paper cut", "oil")

ON_LAND = (
    "house", "castle", "lighthouse", "windmill", "tent", "tree", "cactus", "flower", "snowman", "cat", "dog",
    "bicycle", "car",
)  # fmt: skip
ON_WATER = ("boat",)
IN_THE_SKY = ("balloon", "bird", "rocket")
THINGS = ON_LAND + ON_WATER + IN_THE_SKY

SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond")
COLOURS = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray", "turquoise",
)  # fmt: skip
SIZES = ("", "small", "big")
PLACES = ("", "left", "right", "above", "below")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One to four shapes of one colour on a background of another. `size` and `place` are "" in the ordinary case."""

    shape: str
    colour: str
    background: str
    size: str
    count: int
    place: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A coloured thing before a coloured wall."""

    thing: str
    colour: str
    wall: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """A place at an hour. `ground` is "" for the open sea; `colour` is that of the thing, or "" for its usual one."""

    time: str
    weather: str
    ground: str
    water: str
    season: str
    luminary: str
    thing: str
    colour: str
    style: str


Scene = Shape | Still | Landscape


UNSEEN: dict[str, tuple[str, ...]] = {
    "sketch": ("time", "luminary", "colour", "background", "wall", "season"),
    "neon": ("time", "luminary", "colour", "background", "wall", "season"),
}
"""What a style hides: a pencil sketch has no colours and no hour, and neon has only bright lines."""


def attributes(scene: Scene) -> dict[str, str]:
    """What the scene shows, by the name of the attribute, "" for nothing; only what its style lets one see.

    Where snow falls every season is white.
    """
    shown = {name: str(getattr(scene, name)) for name in type(scene).__slots__}
    if shown.get("weather") == "snow":
        del shown["season"]
    return {name: value for name, value in shown.items() if name not in UNSEEN.get(scene.style, ())}


def is_mirrorable(scene: Scene) -> bool:
    """Whether the scene's mirror image could have been drawn: things face one way, and light falls from one side."""
    return isinstance(scene, Shape) and scene.place not in ("left", "right")
