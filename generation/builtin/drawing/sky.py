"""Skies: the palette of each time of day, and the sun, moon and stars in it.

Every other part of a landscape takes its light and haze from the `Light` that is chosen here.
"""

from dataclasses import dataclass, replace
from math import cos, hypot, pi, sin

import numpy as np

from generation.builtin.drawing.canvas import Canvas, Colour, Polygon, jitter, mix


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """The colours of one hour: three sky stops, the air's haze, the tint on the land, and its strength."""

    top: Colour
    middle: Colour
    horizon: Colour
    haze: Colour
    tint: Colour
    strength: float


LIGHTS: dict[str, tuple[Light, ...]] = {
    "day": (
        Light(
            top=(0.20, 0.47, 0.86),
            middle=(0.47, 0.71, 0.95),
            horizon=(0.80, 0.91, 0.98),
            haze=(0.70, 0.83, 0.95),
            tint=(1.0, 1.0, 0.97),
            strength=1.0,
        ),
        Light(
            top=(0.25, 0.58, 0.90),
            middle=(0.55, 0.80, 0.96),
            horizon=(0.90, 0.96, 0.97),
            haze=(0.78, 0.88, 0.95),
            tint=(1.0, 1.0, 0.95),
            strength=1.0,
        ),
    ),
    "dawn": (
        Light(
            top=(0.45, 0.60, 0.88),
            middle=(0.86, 0.72, 0.86),
            horizon=(1.0, 0.86, 0.70),
            haze=(0.93, 0.78, 0.80),
            tint=(1.0, 0.88, 0.85),
            strength=0.85,
        ),
        Light(
            top=(0.52, 0.62, 0.85),
            middle=(0.95, 0.75, 0.78),
            horizon=(1.0, 0.90, 0.68),
            haze=(0.96, 0.80, 0.76),
            tint=(1.0, 0.88, 0.82),
            strength=0.85,
        ),
    ),
    "sunset": (
        Light(
            top=(0.29, 0.18, 0.46),
            middle=(0.87, 0.35, 0.36),
            horizon=(1.0, 0.70, 0.28),
            haze=(0.92, 0.48, 0.34),
            tint=(1.0, 0.76, 0.70),
            strength=0.78,
        ),
        Light(
            top=(0.48, 0.22, 0.43),
            middle=(0.96, 0.47, 0.28),
            horizon=(1.0, 0.82, 0.38),
            haze=(0.95, 0.56, 0.33),
            tint=(1.0, 0.78, 0.66),
            strength=0.78,
        ),
    ),
    "night": (
        Light(
            top=(0.04, 0.07, 0.27),
            middle=(0.09, 0.16, 0.44),
            horizon=(0.24, 0.36, 0.66),
            haze=(0.19, 0.28, 0.56),
            tint=(0.50, 0.62, 0.95),
            strength=0.84,
        ),
        Light(
            top=(0.07, 0.05, 0.28),
            middle=(0.15, 0.13, 0.46),
            horizon=(0.36, 0.34, 0.68),
            haze=(0.25, 0.25, 0.55),
            tint=(0.54, 0.60, 0.95),
            strength=0.84,
        ),
    ),
}

SUNS: dict[str, Colour] = {
    "sunset": (1.0, 0.90, 0.55),
    "dawn": (1.0, 0.70, 0.46),
    "night": (0.97, 0.95, 0.84),
}
MOON: Colour = (0.98, 0.96, 0.85)


@dataclass(frozen=True, slots=True, kw_only=True)
class Luminary:
    """The sun or the moon and where it stands; water shows its path of light."""

    kind: str
    x: float
    y: float
    radius: float
    colour: Colour


def choose_light(rng: np.random.Generator, time: str) -> Light:
    """One of the hour's palettes, moved a little so that no two skies are the same."""
    base = LIGHTS[time][int(rng.integers(len(LIGHTS[time])))]
    return replace(
        base,
        top=jitter(rng, base.top, 0.03),
        middle=jitter(rng, base.middle, 0.03),
        horizon=jitter(rng, base.horizon, 0.03),
    )


def shade(light: Light, colour: Colour, distance: float = 0.0) -> Colour:
    """A surface's colour under this light, faded into the haze by its distance (0 near, 1 at the horizon)."""
    red, green, blue = (c * t * light.strength for c, t in zip(colour, light.tint, strict=True))
    return mix((red, green, blue), light.haze, distance)


def circle(x: float, y: float, radius: float, stretch: float = 1.0) -> Polygon:
    """A circle, or an ellipse `stretch` times as wide as high, as a polygon."""
    turns = [2 * pi * step / 28 for step in range(28)]
    return [(x + radius * stretch * cos(turn), y + radius * sin(turn)) for turn in turns]


def choose_luminary(
    rng: np.random.Generator, canvas: Canvas, scene_time: str, kind: str, horizon: float, x: float, low: bool
) -> Luminary:
    """The sun or the moon at `x`: near the horizon at the day's ends if it may stand `low`, else high."""
    radius = float(rng.uniform(0.07, 0.09)) * canvas.scale
    low = low and scene_time in ("sunset", "dawn")
    y = horizon * float(rng.uniform(0.66, 0.86) if low else rng.uniform(0.20, 0.34))
    x = min(max(x, radius * 1.5), canvas.width - radius * 1.5)
    colour = MOON if kind == "moon" else SUNS.get(scene_time, (1.0, 0.93, 0.55))
    return Luminary(kind=kind, x=x, y=max(y, radius * 1.5), radius=radius, colour=colour)


def draw_sky(
    rng: np.random.Generator, canvas: Canvas, light: Light, horizon: float, body: Luminary | None, stars: bool
) -> None:
    """A clear sky down to the horizon, with its sun or moon and, if asked for, stars."""
    canvas.fill([(0.0, light.top), (horizon * 0.6, light.middle), (horizon, light.horizon)])
    if stars:
        _draw_stars(rng, canvas, horizon, body)
    if body is None:
        return
    if body.kind == "moon":
        _draw_moon(canvas, body)
    else:
        _draw_sun(canvas, light, body)


def _draw_stars(rng: np.random.Generator, canvas: Canvas, horizon: float, body: Luminary | None) -> None:
    """A few dozen stars, some round, some with four points."""
    shapes: list[Polygon] = []
    for _ in range(int(rng.integers(12, 20) * max(canvas.width, 1.0))):
        x, y = float(rng.uniform(0.01, canvas.width - 0.01)), float(rng.uniform(0.01, horizon * 0.92))
        if body is not None and hypot(x - body.x, y - body.y) < body.radius * 1.5:
            continue
        if rng.random() < 0.4:
            shapes.append(_sparkle(x, y, float(rng.uniform(0.026, 0.034))))
        else:
            shapes.append(circle(x, y, float(rng.uniform(0.010, 0.014))))
    canvas.paint(canvas.polygons(shapes), (1.0, 0.98, 0.90))


def _sparkle(x: float, y: float, reach: float) -> Polygon:
    arms = [(reach if step % 2 == 0 else reach * 0.34, step * pi / 4) for step in range(8)]
    return [(x + r * cos(turn), y + r * sin(turn)) for r, turn in arms]


def _draw_sun(canvas: Canvas, light: Light, body: Luminary) -> None:
    """A bright disc in a ring of light."""
    canvas.add_light(canvas.glow(body.x, body.y, 0.42 * canvas.scale) * 0.30, mix(light.horizon, body.colour, 0.5))
    canvas.add_light(canvas.disc(body.x, body.y, body.radius * 1.38) * 0.35, body.colour)
    canvas.paint(canvas.disc(body.x, body.y, body.radius), mix(body.colour, (1, 1, 1), 0.15))


def _draw_moon(canvas: Canvas, body: Luminary) -> None:
    """A full moon with a few round seas."""
    x, y, radius = body.x, body.y, body.radius
    canvas.add_light(canvas.glow(x, y, radius * 2.8) * 0.38, (0.62, 0.70, 0.95))
    canvas.paint(canvas.disc(x, y, radius), body.colour)
    seas = [(-0.35, -0.25, 0.27), (0.32, 0.15, 0.21), (-0.15, 0.45, 0.16)]
    craters = [circle(x + dx * radius, y + dy * radius, size * radius) for dx, dy, size in seas]
    canvas.paint(canvas.polygons(craters), (0.86, 0.83, 0.72))
