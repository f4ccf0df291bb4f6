"""Weather: what it does to the light, and the clouds, rainbow, fog, rain and snow that are drawn."""

from dataclasses import replace
from math import hypot

import numpy as np

from generation.builtin.drawing.canvas import UNIT, Array, Canvas, Colour, Polygon, mix
from generation.builtin.drawing.sky import Light, Luminary, circle

CLOUDS: dict[str, tuple[Colour, Colour]] = {
    "day": ((1.0, 1.0, 1.0), (0.80, 0.87, 0.95)),
    "dawn": ((1.0, 0.95, 0.92), (0.93, 0.76, 0.80)),
    "sunset": ((1.0, 0.74, 0.58), (0.78, 0.38, 0.46)),
    "night": ((0.50, 0.58, 0.84), (0.32, 0.39, 0.68)),
}
"""Of each time of day, a cloud's own colour and that of its shaded base."""
RAINBOW: tuple[Colour, ...] = (
    (0.93, 0.20, 0.22), (1.0, 0.58, 0.14), (1.0, 0.90, 0.25), (0.27, 0.78, 0.36), (0.22, 0.52, 0.95), (0.58, 0.30, 0.80),
)  # fmt: skip
GRAYS: dict[str, tuple[Colour, Colour, float, float]] = {
    "rain": ((0.34, 0.39, 0.47), (0.62, 0.67, 0.73), 0.68, 0.76),
    "snow": ((0.60, 0.67, 0.78), (0.86, 0.90, 0.95), 0.55, 0.96),
    "fog": ((0.72, 0.77, 0.82), (0.88, 0.90, 0.92), 0.55, 0.92),
}
"""Of each gray weather, its sky above and at the horizon, how much it hides the hour's, and the light left."""


def weathered(light: Light, weather: str, time: str) -> Light:
    """The hour's light as the weather lets it through."""
    if weather not in GRAYS:
        return light
    above, low, amount, left = GRAYS[weather]
    dim = {"night": 0.42, "sunset": 0.82}.get(time, 1.0)
    tint = {"night": (0.72, 0.84, 1.25), "sunset": (1.05, 0.88, 0.90)}.get(time, (1.0, 1.0, 1.0))

    def gray(colour: Colour) -> Colour:
        red, green, blue = (min(c * dim * t, 1.0) for c, t in zip(colour, tint, strict=True))
        return red, green, blue

    return replace(
        light,
        top=mix(light.top, gray(above), amount),
        middle=mix(light.middle, gray(mix(above, low, 0.5)), amount),
        horizon=mix(light.horizon, gray(low), amount),
        haze=mix(light.haze, gray(low), amount),
        tint=mix(light.tint, (0.94, 0.97, 1.0), 0.4),
        strength=light.strength * left,
    )


def draw_clouds(rng: np.random.Generator, canvas: Canvas, time: str, horizon: float, body: Luminary | None) -> None:
    """A few puffy clouds with flat bases, smaller towards the horizon, beside the sun or moon."""
    count = max(round(4.2 * canvas.width), 3)
    rows = rng.permutation(count)
    bodies: list[Polygon] = []
    tops: list[Polygon] = []
    for index, row in enumerate(rows):
        x = (index + float(rng.uniform(0.2, 0.8))) * canvas.width / count
        base = horizon * (0.17 + 0.62 * float(row + rng.uniform(-0.2, 0.2)) / (count - 1))
        size = canvas.scale * float(rng.uniform(0.85, 1.2)) * (0.155 - 0.08 * base / horizon)
        base = max(base, 1.2 * size)
        if body is not None and hypot(x - body.x, base - size * 0.4 - body.y) < body.radius + size * 0.9:
            continue
        _add_cloud(rng, bodies, tops, x, base, size)
    bright, shaded = CLOUDS[time]
    canvas.paint(canvas.polygons(bodies), shaded)
    canvas.paint(canvas.polygons(tops), bright)


def _add_cloud(
    rng: np.random.Generator, bodies: list[Polygon], tops: list[Polygon], x: float, base: float, size: float
) -> None:
    side = 1 if rng.random() < 0.5 else -1
    puffs = [
        (-0.95, 0.20, 0.34),
        (-0.45, 0.34, 0.50),
        (0.15, 0.48, 0.62),
        (0.70, 0.26, 0.44),
        (1.15, 0.12, 0.26),
    ]
    for dx, up, radius in puffs:
        px, py = x + side * dx * size, base - up * size
        r = radius * size * float(rng.uniform(0.92, 1.08))
        bodies.append([(cx, min(cy, base)) for cx, cy in circle(px, py, r)])
        floor = base - size * 0.2
        tops.append([(cx, min(cy, floor)) for cx, cy in circle(px - 0.03 * size, py - 0.04 * size, r * 0.93)])


def draw_rainbow(rng: np.random.Generator, canvas: Canvas, horizon: float) -> None:
    """A large arc of six bands."""
    radius = min(canvas.width * float(rng.uniform(0.44, 0.52)), horizon * 1.02)
    x = canvas.width * float(rng.uniform(0.44, 0.56))
    y = max(horizon + 0.04 * canvas.height, radius + 0.04)
    band = 0.026 * canvas.scale
    inward = (radius - np.sqrt((canvas.x - x) ** 2 + (canvas.y - y) ** 2)) / band
    soft = 0.5 / (band * UNIT)
    knots = [edge for step in range(1, 6) for edge in (step - soft, step + soft)]
    colours = [colour for step in range(5) for colour in (RAINBOW[step], RAINBOW[step + 1])]
    painted = np.stack([np.interp(inward, knots, [c[i] for c in colours]) for i in range(3)], axis=-1)
    arc = np.clip(np.minimum(inward, 6.0 - inward) / (2 * soft) + 0.5, 0.0, 1.0) * 0.82
    canvas.paint(arc.astype(np.float32), painted.astype(np.float32))


def draw_fog(rng: np.random.Generator, canvas: Canvas, light: Light, horizon: float) -> None:
    """A pale veil, thickest about the horizon, and a few long banks."""
    pale = mix(light.haze, (1.0, 1.0, 1.0), 0.25 * light.strength)
    away = np.abs(canvas.y - horizon) / canvas.height
    veil: Array = (0.22 + 0.62 * np.exp(-((away / 0.24) ** 2))).astype(np.float32)
    canvas.paint(veil, pale)
    banks: list[Polygon] = []
    for row in range(4):
        y = horizon + canvas.height * (-0.13 + 0.11 * row + float(rng.uniform(-0.02, 0.02)))
        for _ in range(max(round(2 * canvas.width), 1)):
            x = float(rng.uniform(0.0, canvas.width))
            banks.append(circle(x, y, 0.026 * canvas.scale, float(rng.uniform(9.0, 14.0))))
    canvas.paint(canvas.polygons(banks) * 0.55, mix(pale, (1.0, 1.0, 1.0), 0.3 * light.strength))


def draw_rain(rng: np.random.Generator, canvas: Canvas, light: Light) -> None:
    """Slanted light streaks all over the picture."""
    columns, rows = max(round(6 * canvas.width), 1), max(round(4 * canvas.height), 1)
    slant = 0.24
    streaks: list[Polygon] = []
    for index in range(columns * rows):
        x = (index % columns + float(rng.uniform(0.15, 0.85))) / columns * canvas.width
        y = (index // columns + float(rng.uniform(0.0, 0.9))) / rows * canvas.height
        length, half = float(rng.uniform(0.12, 0.16)), 0.009
        end = x - slant * length
        streaks.append([(x - half * 0.6, y), (x + half * 0.6, y), (end + half, y + length), (end - half, y + length)])
    canvas.paint(canvas.polygons(streaks) * 0.72, mix(light.horizon, (0.92, 0.96, 1.0), 0.7))


def draw_snowfall(rng: np.random.Generator, canvas: Canvas) -> None:
    """Round white flakes all over the picture."""
    columns, rows = max(round(6 * canvas.width), 1), max(round(6 * canvas.height), 1)
    flakes: list[Polygon] = []
    for index in range(columns * rows):
        x = (index % columns + float(rng.uniform(0.2, 0.8))) / columns * canvas.width
        y = (index // columns + float(rng.uniform(0.2, 0.8))) / rows * canvas.height
        flakes.append(circle(x, y, float(rng.uniform(0.014, 0.021))))
    canvas.paint(canvas.polygons(flakes), (1.0, 1.0, 1.0))
