"""One coloured shape on a coloured background, softly shaded."""

from math import cos, pi, sin

import numpy as np

from generation.builtin.canvas import (
    Array,
    Colour,
    Polygon,
    X,
    Y,
    add_light,
    disc,
    glow,
    gradient,
    jitter,
    mix,
    paint,
    polygons,
)

COLOURS: dict[str, Colour] = {
    "red": (0.88, 0.13, 0.14),
    "orange": (0.98, 0.52, 0.08),
    "yellow": (0.99, 0.86, 0.14),
    "green": (0.16, 0.64, 0.24),
    "blue": (0.14, 0.32, 0.86),
    "purple": (0.50, 0.20, 0.72),
    "pink": (0.98, 0.50, 0.70),
    "brown": (0.45, 0.27, 0.14),
    "black": (0.06, 0.06, 0.07),
    "white": (0.97, 0.97, 0.96),
    "gray": (0.52, 0.53, 0.55),
    "turquoise": (0.16, 0.76, 0.76),
}

SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond")


def _turn(points: Polygon, angle: float) -> list[tuple[float, float]]:
    return [(px * cos(angle) - py * sin(angle), px * sin(angle) + py * cos(angle)) for px, py in points]


def _ring(corners: int, inner: float = 1.0) -> list[tuple[float, float]]:
    """Points around the unit circle from the top, every other one at the inner radius."""
    count = corners * 2 if inner != 1.0 else corners
    radii = [inner if inner != 1.0 and i % 2 else 1.0 for i in range(count)]
    return [(r * sin(2 * pi * i / count), -r * cos(2 * pi * i / count)) for i, r in enumerate(radii)]


def _heart() -> list[tuple[float, float]]:
    angles = np.linspace(0.0, 2 * pi, 60, endpoint=False)
    return [
        (
            16 * sin(t) ** 3 / 17,
            -(13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t)) / 17 - 0.12,
        )
        for t in angles
    ]


def outline(shape: str) -> list[tuple[float, float]]:
    """The shape's corners in a box of about -1..1, upright."""
    match shape:
        case "square":
            return [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)]
        case "triangle":
            return [(0.0, -0.95), (0.98, 0.75), (-0.98, 0.75)]
        case "star":
            return _ring(5, 0.45)
        case "diamond":
            return [(0.0, -1.05), (0.72, 0.0), (0.0, 1.05), (-0.72, 0.0)]
        case "heart":
            return _heart()
    raise ValueError(f"no outline for the shape {shape!r}")


def draw_shape(rng: np.random.Generator, shape: str, colour: str, background: str) -> Array:
    """A canvas: the shape near the middle, lit from above left, over a plain or softly graded background."""
    back = jitter(rng, COLOURS[background], 0.035)
    canvas = gradient(
        [
            (0.0, mix(back, (1, 1, 1), float(rng.uniform(0, 0.14)))),
            (1.0, mix(back, (0, 0, 0), float(rng.uniform(0, 0.12)))),
        ]
    )
    x, y = 0.5 + float(rng.normal(0, 0.025)), 0.5 + float(rng.normal(0, 0.025))
    radius = float(rng.uniform(0.25, 0.36))
    mask = _mask(rng, shape, x, y, radius)
    shadow = glow(x, y + radius * 0.25, radius * 1.15) * 0.22
    paint(canvas, shadow, mix(back, (0, 0, 0), 0.6))
    fill = jitter(rng, COLOURS[colour], 0.035)
    paint(canvas, mask, fill)
    lower = np.clip((Y - y) / radius * 0.5 + 0.35 + (X - x) / radius * 0.2, 0, 1)
    paint(canvas, mask * lower * 0.28, mix(fill, (0, 0, 0), 0.55))
    add_light(canvas, mask * glow(x - radius * 0.35, y - radius * 0.4, radius * 0.6) * 0.28, (1, 1, 1))
    return canvas


def _mask(rng: np.random.Generator, shape: str, x: float, y: float, radius: float) -> Array:
    if shape == "circle":
        return disc(x, y, radius)
    angle = float(rng.normal(0, 0.07))
    return polygons([[(x + px * radius, y + py * radius) for px, py in _turn(outline(shape), angle)]])
