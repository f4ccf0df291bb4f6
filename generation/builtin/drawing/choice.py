"""Chooses scenes at random, as training and evaluation want them."""

from collections.abc import Mapping, Sequence

import numpy as np

from generation.builtin.drawing.scenes import (
    COLOURS,
    ON_LAND,
    SHAPES,
    STYLES,
    Landscape,
    Scene,
    Shape,
    Still,
)
from generation.builtin.drawing.things import THINGS

STYLED = 0.25
SHAPES_SHARE, STILLS_SHARE = 0.24, 0.14
THING_SHARE = 0.62

HELD_OUT: tuple[tuple[str, str], ...] = (
    ("purple", "star"), ("green", "heart"), ("orange", "triangle"), ("pink", "square"), ("yellow", "diamond"),
    ("yellow", "boat"), ("green", "car"), ("purple", "house"), ("white", "cat"), ("pink", "balloon"),
    ("lighthouse", "dawn"), ("windmill", "night"), ("dog", "sunset"), ("tent", "lake"), ("flower", "mountains"),
    ("desert", "rainbow"), ("volcano", "fog"), ("river", "night"), ("castle", "autumn"), ("city", "snow"),
    ("rocket", "forest"), ("bird", "sunset"),
)  # fmt: skip
"""Pairs that training never shows together, so that an evaluation can ask for what was never seen."""

_STILL_THINGS = tuple(name for name in ON_LAND if THINGS[name].colours)

Odds = Mapping[str, float]

_TIMES: Odds = {"day": 0.34, "dawn": 0.17, "sunset": 0.25, "night": 0.24}
_WEATHERS: Odds = {"": 0.50, "clouds": 0.11, "rain": 0.10, "snow": 0.10, "fog": 0.09, "rainbow": 0.10}
_WATERS: Odds = {"": 0.50, "lake": 0.20, "sea": 0.20, "river": 0.10}
_SEASONS: Odds = {"": 0.52, "spring": 0.15, "autumn": 0.18, "winter": 0.15}
_GROUNDS: Mapping[str, Odds] = {
    "": {
        "mountains": 0.15, "hills": 0.13, "desert": 0.14, "forest": 0.15, "field": 0.12, "volcano": 0.10,
        "city": 0.11, "neon city": 0.10,
    },
    "lake": {"mountains": 0.40, "hills": 0.20, "forest": 0.26, "field": 0.14},
    "river": {"mountains": 0.26, "hills": 0.24, "forest": 0.26, "field": 0.24},
    "sea": {"": 0.44, "mountains": 0.14, "hills": 0.10, "island": 0.22, "volcano": 0.04, "city": 0.06},
}  # fmt: skip
_SEASONAL = ("forest", "hills", "field")


def is_held_out(scene: Scene) -> bool:
    """Whether the scene shows a pair that training leaves out."""
    values = {str(getattr(scene, name)) for name in type(scene).__slots__}
    return any(values.issuperset(pair) for pair in HELD_OUT)


def choose_scene(rng: np.random.Generator, *, held_out: bool = False) -> Scene:
    """A scene at random; of the kind that training leaves out, if asked for."""
    while is_held_out(scene := _any_scene(rng)) is not held_out:
        pass
    return scene


def _any_scene(rng: np.random.Generator) -> Scene:
    style = one_of(rng, STYLES) if rng.random() < STYLED else ""
    kind = rng.random()
    if kind < SHAPES_SHARE:
        return _choose_shape(rng, style)
    if kind < SHAPES_SHARE + STILLS_SHARE:
        return _choose_still(rng, style)
    return _choose_landscape(rng, style)


def one_of(rng: np.random.Generator, options: Sequence[str]) -> str:
    """One of the options, each as likely."""
    return options[int(rng.integers(len(options)))]


def _weighted(rng: np.random.Generator, odds: Odds) -> str:
    weights = np.fromiter(odds.values(), float)
    return list(odds)[int(rng.choice(len(odds), p=weights / weights.sum()))]


def _choose_shape(rng: np.random.Generator, style: str) -> Shape:
    colour, background = (str(name) for name in rng.permutation(list(COLOURS))[:2])
    size, place, count = "", "", 1
    match rng.random():
        case odd if odd < 0.16:
            size = one_of(rng, ("small", "big"))
        case odd if odd < 0.40:
            place = one_of(rng, ("left", "right", "above", "below"))
        case odd if odd < 0.62:
            count = int(rng.integers(2, 5))
    return Shape(
        shape=one_of(rng, SHAPES),
        colour=colour,
        background=background,
        size=size,
        count=count,
        place=place,
        style=style,
    )


def _choose_still(rng: np.random.Generator, style: str) -> Still:
    thing = one_of(rng, _STILL_THINGS)
    colour = one_of(rng, THINGS[thing].colours)
    wall = one_of(rng, [name for name in COLOURS if name != colour])
    return Still(thing=thing, colour=colour, wall=wall, style=style)


def _choose_landscape(rng: np.random.Generator, style: str) -> Landscape:
    thing = one_of(rng, tuple(THINGS)) if rng.random() < THING_SHARE else ""
    water = _choose_water(rng, thing)
    ground = _choose_ground(rng, thing, water)
    time = _weighted(rng, _TIMES)
    weather = _weighted(rng, _WEATHERS)
    if weather == "rainbow" and time == "night":
        weather = ""
    colour = one_of(rng, THINGS[thing].colours) if thing and THINGS[thing].colours and rng.random() < 0.5 else ""
    return Landscape(
        time=time,
        weather=weather,
        ground=ground,
        water=water,
        season=_choose_season(rng, thing, ground),
        luminary=_choose_luminary(rng, time, weather),
        thing=thing,
        colour=colour,
        style=style,
    )


def _choose_water(rng: np.random.Generator, thing: str) -> str:
    if thing == "boat":
        return "sea" if rng.random() < 0.55 else "lake"
    if thing == "lighthouse" and rng.random() < 0.5:
        return "sea"
    if thing in ("cactus", "snowman") and rng.random() < 0.7:
        return ""
    return _weighted(rng, _WATERS)


def _choose_ground(rng: np.random.Generator, thing: str, water: str) -> str:
    if thing == "cactus" and not water and rng.random() < 0.6:
        return "desert"
    return _weighted(rng, _GROUNDS[water])


def _choose_season(rng: np.random.Generator, thing: str, ground: str) -> str:
    if ground not in _SEASONAL and thing != "tree":
        return ""
    if thing == "snowman" and rng.random() < 0.7:
        return "winter"
    return _weighted(rng, _SEASONS)


def _choose_luminary(rng: np.random.Generator, time: str, weather: str) -> str:
    if weather in ("rain", "snow", "fog", "rainbow"):
        return ""
    if time == "night":
        return "moon" if rng.random() < 0.6 else ""
    return "sun" if rng.random() < (0.4 if time == "day" else 0.8) else ""
