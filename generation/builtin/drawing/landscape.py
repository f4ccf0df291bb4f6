"""Landscapes: sky, ground, water, thing and weather put together into one picture."""

from dataclasses import dataclass
from math import pi, sin

import numpy as np

from generation.builtin.drawing import city, land, weather
from generation.builtin.drawing.canvas import UNIT, Canvas, Colour, Point, Polygon, Tone, lighter, mix
from generation.builtin.drawing.scenes import IN_THE_SKY, ON_WATER, Landscape
from generation.builtin.drawing.sky import (
    Light,
    Luminary,
    choose_light,
    choose_luminary,
    circle,
    draw_sky,
    shade,
)
from generation.builtin.drawing.things import Standing, place_thing
from generation.builtin.drawing.view import View, paint_bands

FLAT = ("", "desert", "field", "island")
"""The grounds over which the sun may stand low."""
CROWNS = {"spring": "pink", "autumn": "orange", "winter": "white"}
OWN_SHARE = 0.45
"""How much of a thing's own colour stays in any light, so that it can be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class River:
    """A winding band that runs from (x, top) down to the bottom edge and widens."""

    x: float
    top: float
    bottom: float
    swing: float
    drift: float
    widest: float

    def span(self, y: float) -> Point:
        """The left and the right bank at that height."""
        near = min(max((y - self.top) / (self.bottom - self.top), 0.0), 1.0)
        middle = self.x + self.drift * near + self.swing * (0.25 + near) * sin(2.6 * pi * near**0.6)
        half = self.widest * (0.05 + 0.95 * near**1.5)
        return middle - half, middle + half


def draw_landscape(rng: np.random.Generator, canvas: Canvas, scene: Landscape) -> None:
    """Draws the place at its hour, with its water, its thing and its weather."""
    horizon = canvas.height * float(rng.uniform(0.47, 0.56))
    light = weather.weathered(choose_light(rng, scene.time), scene.weather, scene.time)
    x, body = _choose_places(rng, canvas, scene, horizon)
    view = View(
        rng=rng, canvas=canvas, light=light, time=scene.time, season=scene.season,
        snow=0.92 if scene.season == "winter" else 0.90 if scene.weather == "snow" else 0.0,
        horizon=horizon, plain=_choose_plain(rng, canvas, scene, horizon),
        lit_from=-1 if body is not None and body.x < canvas.width / 2 else 1,
    )  # fmt: skip
    clear = scene.time == "night" and scene.weather not in weather.GRAYS
    draw_sky(rng, canvas, light, horizon, body, clear)
    if scene.weather == "clouds":
        weather.draw_clouds(rng, canvas, scene.time, horizon, body)
    if scene.weather == "rainbow":
        weather.draw_rainbow(rng, canvas, horizon)
    _draw_place(view, scene, x, body)
    if scene.weather == "fog":
        weather.draw_fog(rng, canvas, light, horizon)
    if scene.thing:
        _draw_thing(view, scene, x)
    if scene.weather == "rain":
        weather.draw_rain(rng, canvas, light)
    if scene.weather == "snow":
        weather.draw_snowfall(rng, canvas)


def _choose_places(
    rng: np.random.Generator, canvas: Canvas, scene: Landscape, horizon: float
) -> tuple[float, Luminary | None]:
    """Where the thing stands, and the sun or moon out of its way on the other side.

    A thing has it on the right, always: what a small model may see on either side it draws on both.
    """
    side = 1 if scene.thing or rng.random() < 0.5 else -1
    apart = scene.thing in IN_THE_SKY and scene.luminary
    across = float(
        rng.uniform(0.14, 0.20)
        if apart
        else rng.uniform(0.14, 0.2)
        if scene.water == "river"
        else rng.uniform(0.0, 0.18)
    )
    x = canvas.width * (0.5 - side * across)
    if not scene.luminary:
        return x, None
    away = float(
        rng.uniform(0.26, 0.35) if scene.thing or scene.ground in ("volcano", "island") else rng.uniform(0.0, 0.3)
    )
    spot = canvas.width * (0.5 + side * away)
    low = scene.ground in FLAT and scene.weather != "fog"
    return x, choose_luminary(rng, canvas, scene.time, scene.luminary, horizon, spot, low)


def _choose_plain(rng: np.random.Generator, canvas: Canvas, scene: Landscape, horizon: float) -> float:
    """The height where the near ground, or the lake or sea, begins."""
    if scene.ground in ("", "island") and scene.water != "lake":
        return horizon
    if scene.water:
        return horizon + canvas.height * float(rng.uniform(0.07, 0.11))
    return horizon + canvas.height * float(rng.uniform(0.08, 0.16))


def _draw_place(view: View, scene: Landscape, x: float, body: Luminary | None) -> None:
    """The ground and the water, arranged about a thing at `x`."""
    river = _choose_river(view, x if _stands(scene) else None) if scene.water == "river" else None
    sea = scene.water == "sea" or scene.ground == "island" or not (scene.ground or scene.water)
    if scene.ground == "island" or not scene.ground:
        if river or scene.water == "lake":
            land.draw_field(view)
        if river and not scene.ground:
            _draw_river(view, river)
    else:
        _draw_ground(view, scene, river)
    if scene.water == "lake":
        _draw_lake(view, body)
    elif sea:
        _draw_sea(view, body)
    if scene.ground == "island":
        down = float(view.rng.uniform(0.2, 0.34))
        land.draw_island(view, x, view.horizon + (view.canvas.height - view.horizon) * down)
    if scene.water == "lake" and not _stands(scene) and scene.thing not in ON_WATER:
        _draw_bank(view, scene, view.canvas.height * float(view.rng.uniform(0.91, 0.95)))


def _draw_ground(view: View, scene: Landscape, river: River | None) -> None:
    """One of the grounds, with the river through its plain."""
    match scene.ground:
        case "mountains":
            land.draw_mountains(view)
            land.draw_meadow(view, view.plain - 0.02)
        case "hills":
            land.draw_hills(view, front=not scene.water)
            if scene.water:
                land.draw_meadow(view, view.plain - 0.03)
        case "desert":
            land.draw_desert(view)
        case "forest":
            land.draw_meadow(view, view.horizon)
        case "field":
            land.draw_field(view)
            if not scene.water:
                land.draw_flowers(view, view.plain)
        case "volcano":
            land.draw_volcano(view)
            land.draw_meadow(view, view.plain - 0.01)
        case "city":
            city.draw_city(view, view.plain - 0.01)
        case "neon city":
            city.draw_neon_city(view, view.plain - 0.01)
    if river:
        _draw_river(view, river)
    if scene.ground == "forest":
        _draw_forest(view, scene, river)
    elif scene.season == "spring" and scene.ground == "hills" and not scene.water:
        land.draw_flowers(view, view.horizon + 0.2 * view.canvas.height)


def _draw_forest(view: View, scene: Landscape, river: River | None) -> None:
    """The trees: up to the shore, on both sides of a river, or down to the viewer."""
    canvas = view.canvas
    if scene.water in ("lake", "sea"):
        land.draw_forest(view, view.plain - 0.005)
    elif river:
        bottom = canvas.height * 0.84
        land.draw_forest(view, bottom, river.span(bottom - 0.08 * canvas.height))
    else:
        land.draw_forest(view, canvas.height * float(view.rng.uniform(0.74, 0.8) if scene.thing else 0.95))


def _stands(scene: Landscape) -> bool:
    """Whether the scene's thing stands on the ground."""
    return bool(scene.thing) and scene.thing not in IN_THE_SKY + ON_WATER


def _water(view: View, colour: Colour) -> tuple[Colour, Colour]:
    """The water far away and near."""
    strength = 0.35 + 0.65 * view.light.strength
    red, green, blue = (channel * strength for channel in colour)
    near = mix((red, green, blue), view.light.top, 0.40)
    return mix(mix(near, view.light.middle, 0.25), view.light.horizon, 0.35), near


def _draw_lake(view: View, body: Luminary | None) -> None:
    """Still water that mirrors whatever stands above its shore."""
    canvas, shore = view.canvas, view.plain
    down = np.clip(canvas.y_axis - shore, 0.0, None)
    squeeze = min(0.95, shore / (canvas.height - shore))
    mirror = canvas.pixels[np.clip((shore - squeeze * down) * UNIT, 0, canvas.rows - 1).astype(int)]
    _, near = _water(view, (0.14, 0.48, 0.74))
    amount = np.clip(0.28 + 0.45 * down / (canvas.height - shore), 0.0, 1.0).astype(np.float32)[:, None, None]
    canvas.paint(canvas.below(shore), (mirror + (np.asarray(near, np.float32) - mirror) * amount).astype(np.float32))
    _draw_glints(view, shore, 7.0, mix(view.light.horizon, (1.0, 1.0, 1.0), 0.3), 0.4)
    _draw_path(view, shore, body)


def _draw_sea(view: View, body: Luminary | None) -> None:
    """Waves in a few bands, darker as they come nearer, with white crests."""
    far, near = _water(view, (0.06, 0.42, 0.68))
    paint_bands(view, view.plain, far, near, 5, 0.020 * view.canvas.scale)
    _draw_glints(view, view.plain, 9.0, mix(view.light.horizon, (1.0, 1.0, 1.0), 0.45), 0.45)
    _draw_path(view, view.plain, body)


def _draw_glints(view: View, shore: float, density: float, colour: Colour, strength: float) -> None:
    """Short bright strokes on the water, longer as they come nearer."""
    glints: list[Polygon] = []
    for x in view.spread(density, 0.45):
        near = float(view.rng.uniform(0.08, 0.95))
        y = shore + (view.canvas.height - shore) * near
        glints.append(circle(x, y, 0.005 + 0.004 * near, 5.0 + 5.0 * near))
    view.canvas.paint(view.canvas.polygons(glints) * strength, colour)


def _draw_path(view: View, shore: float, body: Luminary | None) -> None:
    """The path of light below the sun or the moon."""
    if body is None:
        return
    canvas, deep = view.canvas, view.canvas.height - shore
    steps = max(round(deep / 0.052), 4)
    path: list[Polygon] = []
    for step in range(steps):
        near = (step + 0.5) / steps
        shift = float(view.rng.uniform(-0.3, 0.3)) * body.radius
        half = body.radius * (0.55 + 0.9 * near) * float(view.rng.uniform(0.7, 1.15))
        path.append(circle(body.x + shift, shore + deep * near, 0.0095, half / 0.0095))
    canvas.paint(canvas.polygons(path) * 0.72, mix(body.colour, (1.0, 1.0, 1.0), 0.15))


def _choose_river(view: View, x: float | None) -> River:
    """A river that passes on the other side of a thing at `x`."""
    rng, canvas = view.rng, view.canvas
    drift = float(rng.uniform(-0.12, 0.12)) * canvas.scale
    if x is not None:
        drift = (0.27 if x < canvas.width / 2 else -0.27) * canvas.width
    return River(
        x=canvas.width * float(rng.uniform(0.42, 0.58)), top=view.plain - 0.015, bottom=canvas.height,
        swing=float(rng.choice((-1.0, 1.0)) * rng.uniform(0.09, 0.14)) * canvas.scale, drift=drift,
        widest=float(rng.uniform(0.19, 0.25)) * canvas.scale,
    )  # fmt: skip


def _draw_river(view: View, river: River) -> None:
    """The river's light-blue band between paler banks, with a lighter stream in its middle."""
    canvas = view.canvas
    heights = [river.top + (river.bottom - river.top) * step / 48 for step in range(49)]
    water = mix(shade(view.light, (0.40, 0.74, 0.94)), view.light.middle, 0.2)
    bank = view.shade((0.86, 0.80, 0.58), 0.08, 0.8)
    for share, colour in ((1.22, bank), (1.0, water), (0.42, lighter(water, 0.22))):
        spans = [river.span(y) for y in heights]
        shape = [((a + b) / 2 - share * (b - a) / 2, y) for (a, b), y in zip(spans, heights, strict=True)]
        shape += [((a + b) / 2 + share * (b - a) / 2, y) for (a, b), y in zip(spans[::-1], heights[::-1], strict=True)]
        canvas.paint(canvas.polygons([shape]), colour)


def _draw_bank(view: View, scene: Landscape, top: float) -> None:
    """The near shore: sand by the sea, grass by a lake or a river."""
    canvas = view.canvas
    sand = scene.water == "sea" or scene.ground in ("desert", "island", "")
    colour = (0.96, 0.85, 0.60) if sand and scene.water != "lake" else land.GRASS[scene.season]
    line = canvas.waves(view.rng, top, 0.035 * canvas.scale, 0.7 / max(canvas.width, 0.7))
    foam = 0.017 if sand else 0.010
    canvas.paint(canvas.below(line - foam), shade(view.light, (0.90, 0.97, 1.0), 0.1))
    paint_bands(view, line, view.shade(lighter(colour, 0.1)), view.shade(mix(colour, (0.5, 0.4, 0.2), 0.12)), 2, 0.02)


def _tone(light: Light) -> Tone:
    """The light's shade of a colour, with enough of the colour left to name it."""
    return lambda colour: mix(shade(light, colour), colour, OWN_SHARE)


def _draw_thing(view: View, scene: Landscape, x: float) -> None:
    """The thing on its ground, on the water, or in the sky."""
    rng, canvas = view.rng, view.canvas
    colour = scene.colour or (CROWNS.get(scene.season, "") if scene.thing == "tree" else "")
    night, tone = scene.time == "night", _tone(view.light)
    if scene.thing in ON_WATER:
        foot = view.plain + (canvas.height - view.plain) * float(rng.uniform(0.36, 0.6))
        standing = Standing(x=x, foot=foot, tone=tone, night=night, reflection=0.3)
        place_thing(rng, canvas, scene.thing, colour, standing)
        return
    if scene.thing in IN_THE_SKY:
        low, high = (0.32, 0.42) if scene.thing == "bird" else (0.52, 0.60)
        foot = canvas.height * float(rng.uniform(low, high))
        place_thing(rng, canvas, scene.thing, colour, Standing(x=x, foot=foot, tone=tone, night=night))
        return
    foot = canvas.height * float(rng.uniform(0.82, 0.90))
    if scene.water in ("lake", "sea") or scene.ground in ("", "island"):
        _draw_bank(view, scene, foot - 0.06 * canvas.scale)
    across, down = (canvas.x - x) / (0.19 * canvas.scale), (canvas.y - foot) / (0.026 * canvas.scale)
    canvas.paint((0.42 * np.exp(-(across**2) - down**2)).astype(np.float32), shade(view.light, (0.10, 0.14, 0.16)))
    place_thing(rng, canvas, scene.thing, colour, Standing(x=x, foot=foot, tone=tone, night=night))
