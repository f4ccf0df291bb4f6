"""One to four coloured shapes on a coloured background, softly shaded."""

from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageFilter

from generation.builtin.drawing.canvas import UNIT, Array, Canvas, Colour, Point, darker, jitter, lighter
from generation.builtin.drawing.palette import COLOURS
from generation.builtin.drawing.scenes import Shape

NEUTRAL = ("black", "white", "gray", "brown")
"""Colours that much shading would turn into one another."""

DIRECTIONS: dict[str, Point] = {"left": (-1, 0), "right": (1, 0), "above": (0, -1), "below": (0, 1)}


def draw_shapes(rng: np.random.Generator, canvas: Canvas, scene: Shape) -> None:
    """Fills the canvas with the background and the scene's shapes, lit from above left."""
    back = _fill(rng, scene.background)
    depth = 0.5 if scene.background in NEUTRAL else 1.0
    top = lighter(back, float(rng.uniform(0.0, 0.14)) * depth)
    bottom = darker(back, float(rng.uniform(0.0, 0.12)) * depth)
    canvas.fill([(0.0, top), (canvas.height, bottom)])
    centres, radius = _layout(rng, canvas, scene)
    angle = float(np.clip(rng.normal(0.0, 0.05), -0.1, 0.1))
    mask = _mask(canvas, scene.shape, centres, radius, 0.3 * angle if scene.size == "big" else angle)
    canvas.paint(_shadow(mask, radius) * 0.42, darker(back, 0.72))
    colour, shading = _fill(rng, scene.colour), 0.45 if scene.colour in NEUTRAL else 1.0
    canvas.paint(mask, colour)
    for x, y in centres:
        _shade(canvas, mask, (x, y), radius, colour, shading)


def outline(shape: str) -> list[Point]:
    """The shape's corners in a box of about -1..1, upright."""
    match shape:
        case "circle":
            return _around(90)
        case "square":
            return [(-0.82, -0.82), (0.82, -0.82), (0.82, 0.82), (-0.82, 0.82)]
        case "triangle":
            return [(0.0, -0.92), (0.98, 0.76), (-0.98, 0.76)]
        case "star":
            return _around(10, inner=0.45)
        case "diamond":
            return [(0.0, -1.04), (0.72, 0.0), (0.0, 1.04), (-0.72, 0.0)]
        case "heart":
            return [_heart_point(2 * pi * i / 90) for i in range(90)]
    raise ValueError(f"no outline for the shape {shape!r}")


def _around(count: int, inner: float = 1.0) -> list[Point]:
    """Points around the unit circle from the top, every other one at the inner radius."""
    radii = [inner if i % 2 else 1.0 for i in range(count)]
    return [(r * sin(2 * pi * i / count), -r * cos(2 * pi * i / count)) for i, r in enumerate(radii)]


def _heart_point(t: float) -> Point:
    height = 13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t)
    return 16 * sin(t) ** 3 / 17, -height / 17 - 0.12


def _fill(rng: np.random.Generator, name: str) -> Colour:
    return jitter(rng, COLOURS[name], 0.012 if name in NEUTRAL else 0.03)


def _layout(rng: np.random.Generator, canvas: Canvas, scene: Shape) -> tuple[list[Point], float]:
    """The centres of the shapes and their radius."""
    if scene.count > 1:
        return _arrange(rng, canvas, scene)
    share = {"": (0.25, 0.33), "small": (0.10, 0.13), "big": (0.42, 0.46)}[scene.size]
    if scene.place:
        share = share if scene.size == "small" else (0.16, 0.20)
    across, down = DIRECTIONS.get(scene.place, (0, 0))
    spread = 0.006 if scene.size == "big" else 0.015
    shift = np.clip(rng.normal(0.0, spread, 2), -2 * spread, 2 * spread) * canvas.scale
    offset = float(rng.uniform(0.25, 0.27))
    x = canvas.width * (0.5 + across * offset) + float(shift[0])
    y = canvas.height * (0.5 + down * offset) + float(shift[1])
    return [(x, y)], float(rng.uniform(*share)) * canvas.scale


def _arrange(rng: np.random.Generator, canvas: Canvas, scene: Shape) -> tuple[list[Point], float]:
    """Two or three in a row along the longer side, or four in a block."""
    columns, rows = scene.count, 1
    if scene.count == 4:
        columns, rows = 2, 2
    elif canvas.height > canvas.width:
        columns, rows = 1, scene.count
    room = min(canvas.width / columns, canvas.height / rows, 0.62 * canvas.scale)
    share = {"": (0.36, 0.41), "small": (0.20, 0.24), "big": (0.41, 0.43)}[scene.size]
    radius = float(rng.uniform(*share)) * room
    step = min(canvas.width / columns, 1.3 * room), min(canvas.height / rows, 1.3 * room)
    shift = rng.uniform(-0.02, 0.02, 2) * room
    left = canvas.width / 2 - (columns - 1) / 2 * step[0] + float(shift[0])
    top = canvas.height / 2 - (rows - 1) / 2 * step[1] + float(shift[1])
    return [(left + i * step[0], top + j * step[1]) for j in range(rows) for i in range(columns)], radius


def _mask(canvas: Canvas, shape: str, centres: list[Point], radius: float, angle: float) -> Array:
    across, up = radius * cos(angle), radius * sin(angle)
    turned = [(px * across - py * up, px * up + py * across) for px, py in outline(shape)]
    return canvas.polygons([[(x + px, y + py) for px, py in turned] for x, y in centres])


def _shadow(mask: Array, radius: float) -> Array:
    """The shapes' soft shadow, a little below and to the right of them."""
    sheet = Image.fromarray((mask * 255.0).astype(np.uint8))
    soft = sheet.filter(ImageFilter.GaussianBlur(2.0 + 0.10 * radius * UNIT))
    across, down = round(0.05 * radius * UNIT), round(0.12 * radius * UNIT)
    moved = soft.transform(soft.size, Image.Transform.AFFINE, (1, 0, -across, 0, 1, -down))
    return np.asarray(moved, np.float32) / np.float32(255.0)


def _shade(canvas: Canvas, mask: Array, centre: Point, radius: float, colour: Colour, shading: float) -> None:
    """Darkens one shape's lower right and lets its upper left shine."""
    x, y = centre
    reach = 1.3 * radius * UNIT
    rows = slice(max(round(y * UNIT - reach), 0), round(y * UNIT + reach))
    columns = slice(max(round(x * UNIT - reach), 0), round(x * UNIT + reach))
    across = (canvas.x[rows, columns] - x) / radius
    down = (canvas.y[rows, columns] - y) / radius
    inside, part = mask[rows, columns], canvas.pixels[rows, columns]
    lower = inside * np.clip(0.5 * down + 0.2 * across + 0.3, 0.0, 1.0) * (0.26 * shading)
    part += lower[..., None] * (np.asarray(darker(colour, 0.6), np.float32) - part)
    shine = inside * np.exp(-((across + 0.35) ** 2 + (down + 0.4) ** 2) / 0.3) * (0.28 * shading)
    part += (1.0 - part) * shine[..., None]
