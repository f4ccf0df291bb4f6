"""Scenes: what a training picture shows. Chooses one at random and draws it; captions.py words it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from generation.builtin import land, sky
from generation.builtin.canvas import Array, below, paint
from generation.builtin.shapes import COLOURS, SHAPES, draw_shape
from generation.builtin.styles import STYLES, apply_style, to_image

TIMES = ("day", "dawn", "sunset", "night")
GROUNDS = ("mountains", "hills", "desert", "forest", "field")
WATERS = ("", "lake", "sea")
THINGS = ("", "house", "boat", "tree")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A coloured shape on a coloured background."""

    shape: str
    colour: str
    background: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """A place at an hour. `ground` is "" for the open sea; `luminary` is "sun", "moon" or ""."""

    time: str
    ground: str
    water: str
    thing: str
    luminary: str
    cloudy: bool
    style: str


Scene = Shape | Landscape


def _one_of(
    rng: np.random.Generator, options: tuple[str, ...], weights: tuple[float, ...] | None = None
) -> str:
    odds = None if weights is None else np.asarray(weights) / sum(weights)
    return options[int(rng.choice(len(options), p=odds))]


def choose_scene(rng: np.random.Generator) -> Scene:
    """A scene at random: three in ten are shapes; one in five has a style."""
    style = _one_of(rng, STYLES) if rng.random() < 0.2 else ""
    if rng.random() < 0.3:
        colour, background = rng.permutation(list(COLOURS))[:2]
        return Shape(shape=_one_of(rng, SHAPES), colour=str(colour), background=str(background), style=style)
    return _choose_landscape(rng, style)


def _choose_landscape(rng: np.random.Generator, style: str) -> Landscape:
    time = _one_of(rng, TIMES, (0.31, 0.16, 0.27, 0.26))
    water = _one_of(rng, WATERS, (0.40, 0.32, 0.28))
    if water == "sea":
        ground = _one_of(rng, ("", "mountains", "hills"), (0.65, 0.2, 0.15))
    elif water == "lake":
        ground = _one_of(rng, GROUNDS, (0.4, 0.2, 0.04, 0.3, 0.06))
    else:
        ground = _one_of(rng, GROUNDS, (0.25, 0.22, 0.2, 0.22, 0.11))
    things = ("", "house", "tree") if not water else THINGS
    thing = _one_of(rng, things, (0.5, 0.28, 0.22) if not water else (0.42, 0.24, 0.22, 0.12))
    return Landscape(
        time=time,
        ground=ground,
        water=water,
        thing=thing,
        luminary=_choose_luminary(rng, time),
        cloudy=bool(rng.random() < 0.18),
        style=style,
    )


def _choose_luminary(rng: np.random.Generator, time: str) -> str:
    match time:
        case "night":
            return "moon" if rng.random() < 0.6 else ""
        case "day":
            return "sun" if rng.random() < 0.4 else ""
    return "sun" if rng.random() < 0.85 else ""


def draw(rng: np.random.Generator, scene: Scene) -> Image.Image:
    """The scene as a 256x256 RGB picture; the same generator state draws the same picture."""
    match scene:
        case Shape():
            canvas = draw_shape(rng, scene.shape, scene.colour, scene.background)
        case Landscape():
            canvas = _draw_landscape(rng, scene)
    return apply_style(rng, canvas, scene.style) if scene.style else to_image(canvas)


def _draw_landscape(rng: np.random.Generator, scene: Landscape) -> Array:
    horizon = float(rng.uniform(0.46, 0.58))
    light = sky.choose_light(rng, scene.time)
    canvas, body = sky.draw_sky(rng, light, horizon, scene.luminary, scene.cloudy, scene.time)
    shore = horizon + (0.0 if not scene.ground else float(rng.uniform(0.06, 0.12)))
    _draw_ground(rng, canvas, light, scene, horizon, shore)
    if scene.water:
        land.draw_water(rng, canvas, light, shore, scene.water, body)
    _draw_thing(rng, canvas, light, scene, shore)
    return canvas


def _draw_ground(
    rng: np.random.Generator, canvas: Array, light: sky.Light, scene: Landscape, horizon: float, shore: float
) -> None:
    match scene.ground:
        case "mountains":
            land.draw_mountains(rng, canvas, light, horizon)
            meadow = shore - 0.02 if scene.water else horizon + float(rng.uniform(0.06, 0.2))
            land.draw_ground(rng, canvas, light, meadow, (0.32, 0.52, 0.24))
        case "hills":
            land.draw_hills(rng, canvas, light, horizon)
        case "desert":
            land.draw_desert(rng, canvas, light, horizon)
        case "forest":
            land.draw_ground(rng, canvas, light, horizon, (0.28, 0.48, 0.22))
            land.draw_forest(
                rng, canvas, light, horizon, shore if scene.water else float(rng.uniform(0.8, 0.98))
            )
        case "field":
            land.draw_ground(rng, canvas, light, horizon, (0.46, 0.68, 0.26))


def _draw_thing(
    rng: np.random.Generator, canvas: Array, light: sky.Light, scene: Landscape, shore: float
) -> None:
    if not scene.thing:
        return
    x = float(rng.uniform(0.25, 0.75))
    if scene.thing == "boat":
        land.draw_boat(rng, canvas, light, x, shore + float(rng.uniform(0.14, 0.28)))
        return
    foot = float(rng.uniform(0.78, 0.88))
    if scene.water:
        _draw_bank(rng, canvas, light, scene, foot - 0.05)
    if scene.thing == "house":
        land.draw_house(rng, canvas, light, x, foot, scene.time == "night")
    else:
        land.draw_tree(rng, canvas, light, x, foot)


def _draw_bank(
    rng: np.random.Generator, canvas: Array, light: sky.Light, scene: Landscape, top: float
) -> None:
    """The near shore that a house or a tree stands on: sand by the sea, grass by a lake."""
    sand = scene.water == "sea" or scene.ground == "desert"
    colour = (0.90, 0.79, 0.54) if sand else (0.38, 0.60, 0.26)
    paint(canvas, below(top - 0.012), sky.shade(light, (0.8, 0.9, 0.95)))
    land.draw_ground(rng, canvas, light, top, colour)
