"""What people travel in: a boat, a hot-air balloon, a rocket, a bicycle and a car, lit from the left."""

from itertools import pairwise
from math import pi, sin

import numpy as np

from generation.builtin.drawing.buildings import (
    DARK,
    FLAG,
    GLASS,
    LAMP,
    WHITE,
    WOOD,
    arc,
    brightness,
    shaded,
    sunlit,
)
from generation.builtin.drawing.canvas import Colour, Point, Polygon, Sprite, darker, lighter, mix

TYRE: Colour = (0.15, 0.15, 0.18)
STEEL: Colour = (0.80, 0.82, 0.86)
WICKER: Colour = (0.70, 0.48, 0.26)
FLAME: Colour = (0.99, 0.46, 0.08)


def _smooth(points: Polygon, closed: bool = True) -> list[Point]:
    """A smooth curve through the points (Catmull-Rom)."""
    count = len(points)
    last = count if closed else count - 1

    def at(index: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(points[index % count if closed else min(max(index, 0), count - 1)])

    path: list[Point] = []
    for i in range(last):
        a, b, c, d = at(i - 1), at(i), at(i + 1), at(i + 2)
        for t in np.linspace(0.0, 1.0, 12, endpoint=False):
            x, y = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
            path.append((float(x), float(y)))
    return path if closed else [*path, points[-1]]


def draw_boat(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A sailing boat: a broad painted hull, a white mainsail and a painted jib."""
    mast, top = 0.02, 0.98
    boom = float(rng.uniform(0.50, 0.56))
    sprite.stroke([(mast, 0.15), (mast, top)], 0.035, WOOD)
    sail = _smooth([(mast + 0.04, 0.90), (mast + 0.30, 0.62), (mast + boom, 0.31)], closed=False)
    sprite.polygon([*sail, (mast + 0.04, 0.31)], WHITE)
    low = _smooth([(mast + 0.30, 0.62), (mast + boom, 0.31)], closed=False)
    sprite.polygon([(mast + 0.17, 0.31), *low], shaded(WHITE, 0.14))
    jib = _smooth([(mast - 0.04, 0.88), (-0.26, 0.58), (-0.52, 0.29)], closed=False)
    sprite.polygon([*jib, (mast - 0.04, 0.31)], sunlit(colour, 0.12))
    sprite.polygon([(mast - 0.04, 0.88), (-0.2, 0.3), (mast - 0.04, 0.31)], shaded(colour, 0.06))
    _hull(sprite, colour)
    if sprite.night:
        sprite.disc(mast, top, 0.04, LAMP, lit=True)
        sprite.shine(mast, top, 0.2, LAMP, 0.6)


def _hull(sprite: Sprite, colour: Colour) -> None:
    """A hull with a pale rail, its waterline at 0."""
    bow = _smooth([(-0.74, 0.25), (-0.60, 0.06), (-0.42, -0.07)], closed=False)
    stern = _smooth([(0.46, -0.07), (0.58, 0.04), (0.64, 0.22)], closed=False)
    sprite.polygon([*bow, *stern], colour)
    sprite.polygon([(-0.62, 0.08), (-0.42, -0.07), (0.46, -0.07), (0.59, 0.06)], shaded(colour, 0.25))
    rail = WHITE if brightness(colour) < 0.9 else WOOD
    sprite.polygon([(-0.78, 0.27), (-0.72, 0.20), (0.635, 0.17), (0.66, 0.23)], rail)


def draw_balloon(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A hot-air balloon with striped gores and a wicker basket, its flame glowing at night."""
    wide = float(rng.uniform(0.365, 0.385))
    for x in (-1, 1):
        sprite.stroke([(x * 0.085, 0.12), (x * 0.12, 0.27)], 0.018, darker(WOOD, 0.2))
    profile = [*arc(0.0, 0.64, 1.0, 90, -25, 1.0)]
    edge = [(wide * x, 0.64 + 0.36 * (y - 0.64)) for x, y in profile]
    edge += _smooth([edge[-1], (wide * 0.62, 0.35), (0.13, 0.23)], closed=False)[1:]
    bounds = [sin(angle * pi / 180) for angle in (-90, -54, -18, 18, 54, 90)]
    for i, (left, right) in enumerate(pairwise(bounds)):
        tone = colour if i % 2 == 0 else _stripe(colour)
        tone = sunlit(tone, 0.1) if i == 0 else shaded(tone) if i == 4 else tone
        _band(sprite, edge, left, right, tone)
    sprite.rectangle(-0.13, 0.22, 0.13, 0.25, shaded(colour, 0.4))
    if sprite.night:
        sprite.disc(0.0, 0.19, 0.03, LAMP, lit=True)
        sprite.shine(0.0, 0.36, 0.30, LAMP, 0.55)
    sprite.polygon([(-0.11, 0.14), (0.11, 0.14), (0.085, 0.0), (-0.085, 0.0)], WICKER)
    sprite.polygon([(0.03, 0.14), (0.11, 0.14), (0.085, 0.0), (0.02, 0.0)], shaded(WICKER, 0.3))
    sprite.stroke([(-0.11, 0.14), (0.11, 0.14)], 0.035, darker(WOOD, 0.1))


def _stripe(colour: Colour) -> Colour:
    """A tint for every other gore that leaves the colour what it is."""
    bright = brightness(colour)
    return shaded(colour, 0.16) if bright > 0.9 else lighter(colour, 0.14 if bright < 0.2 else 0.26)


def draw_rocket(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A rocket pointing up, with a round window, three fins and a flame below."""
    half = float(rng.uniform(0.165, 0.18))
    trim = FLAG if min(colour) > 0.8 else shaded(colour, 0.32)
    _flame(sprite)
    sprite.polygon([(-0.09, 0.22), (0.09, 0.22), (0.12, 0.30), (-0.12, 0.30)], DARK)
    for end, tone in ((-1, trim), (1, shaded(trim, 0.25))):
        fin = _smooth([(end * 0.13, 0.54), (end * 0.28, 0.40), (end * 0.33, 0.16)], closed=False)
        sprite.polygon([*fin, (end * 0.12, 0.30)], tone)
    side = _smooth([(0.0, 1.0), (half * 0.66, 0.84), (half, 0.60), (0.12, 0.27)], closed=False)
    _band(sprite, side, -1.0, 1.0, colour)
    _band(sprite, side, -1.0, -0.5, sunlit(colour, 0.3))
    _band(sprite, side, 0.45, 1.0, shaded(colour))
    nose = [(x, y) for x, y in side if y > 0.82]
    _band(sprite, nose, -1.0, 1.0, trim)
    _band(sprite, nose, 0.3, 1.0, shaded(trim, 0.25))
    rim = WHITE if brightness(colour) < 0.9 else mix(DARK, WHITE, 0.45)
    sprite.disc(0.0, 0.64, 0.105, rim)
    sprite.disc(0.0, 0.64, 0.072, LAMP if sprite.night else GLASS, lit=sprite.night)
    sprite.stroke([(0.0, 0.43), (0.0, 0.27)], 0.06, trim)


def _band(sprite: Sprite, edge: Polygon, left: float, right: float, colour: Colour) -> None:
    """What lies between two multiples of an edge's distance from the middle."""
    sprite.polygon([*((x * left, y) for x, y in edge), *((x * right, y) for x, y in reversed(edge))], colour)


def _flame(sprite: Sprite) -> None:
    """The fire under a rocket."""
    for wide, tip, colour in ((0.13, 0.0, FLAME), (0.075, 0.09, LAMP)):
        edge = _smooth([(wide * 0.6, 0.26), (wide, 0.19), (wide * 0.6, (0.19 + tip) / 2), (0.0, tip)], closed=False)
        sprite.polygon([*edge, *((-x, y) for x, y in reversed(edge))], colour, lit=True)
    if sprite.night:
        sprite.shine(0.0, 0.12, 0.32, FLAME, 0.6)


def draw_bicycle(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A bicycle from the side: two wheels with rims and mudguards, a frame, a saddle and a handlebar."""
    rear, front = (-0.54, 0.35), (0.56, 0.35)
    crank, seat, head = (-0.08, 0.31), (-0.22 + float(rng.uniform(-0.02, 0.02)), 0.74), (0.36, 0.80)
    for x, y in (rear, front):
        sprite.ring(x, y, 0.35, 0.085, TYRE)
        sprite.stroke(arc(x, y, 0.365, 35, 150), 0.045, colour)
        sprite.disc(x, y, 0.045, STEEL)
    sprite.stroke([seat, (-0.26, 0.86)], 0.05, TYRE)
    sprite.stroke([(0.34, 0.86), (0.32, 0.95)], 0.05, TYRE)
    for line, tone in (
        ([rear, crank], shaded(colour)),
        ([rear, seat], colour),
        ([head, front], colour),
        ([crank, (0.38, 0.74)], shaded(colour)),
        ([crank, seat], colour),
        ([seat, head], colour),
        ([head, (0.335, 0.87)], colour),
    ):
        sprite.stroke(line, 0.10, tone)
    _fittings(sprite, crank)


def _fittings(sprite: Sprite, crank: Point) -> None:
    """A bicycle's saddle, handlebar, pedals and lamp."""
    x, y = crank
    sprite.stroke([(x - 0.06, y - 0.16), (x + 0.06, y + 0.16)], 0.035, TYRE)
    for side in (-1, 1):
        sprite.stroke(
            [(x + side * 0.06 - 0.05, y + side * 0.16), (x + side * 0.06 + 0.05, y + side * 0.16)], 0.05, TYRE
        )
    sprite.disc(x, y, 0.075, TYRE)
    sprite.disc(x, y, 0.035, STEEL)
    sprite.polygon(
        _smooth([(-0.43, 0.92), (-0.40, 0.86), (-0.24, 0.855), (-0.09, 0.885), (-0.10, 0.92), (-0.26, 0.925)]),
        darker(WOOD, 0.2),
    )
    sprite.stroke([(0.37, 0.96), (0.33, 0.97), (0.16, 0.92)], 0.055, TYRE)
    if sprite.night:
        sprite.disc(0.45, 0.80, 0.055, LAMP, lit=True)
        sprite.shine(0.50, 0.80, 0.25, LAMP, 0.7)


def draw_car(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A small round car from the side, driving to the right, its headlamp alight at night."""
    roof = float(rng.uniform(0.97, 1.0))
    body = _smooth(
        [
            (-1.10, 0.24),
            (-1.12, 0.42),
            (-0.98, 0.60),
            (-0.72, 0.70),
            (0.50, 0.66),
            (0.95, 0.56),
            (1.12, 0.40),
            (1.10, 0.24),
        ],
        closed=False,
    )
    cabin = _smooth(
        [(-0.92, 0.58), (-0.72, 0.84), (-0.42, roof - 0.02), (-0.02, roof), (0.26, 0.90), (0.54, 0.62)],
        closed=False,
    )
    sprite.polygon(cabin, colour)
    sprite.polygon(body, colour)
    _windows(sprite, roof)
    sprite.polygon([(-1.12, 0.38), (1.125, 0.38), (1.10, 0.20), (-1.10, 0.20)], shaded(colour, 0.25))
    sprite.stroke([(-0.90, 0.60), (0.66, 0.60)], 0.035, sunlit(colour, 0.4))
    sprite.stroke([(-0.06, 0.50), (0.06, 0.50)], 0.04, STEEL)
    for end in (-1, 1):
        sprite.stroke([(end * 0.98, 0.22), (end * 1.14, 0.22)], 0.08, STEEL)
    for x in (-0.64, 0.66):
        sprite.disc(x, 0.25, 0.30, shaded(colour, 0.5))
        sprite.disc(x, 0.235, 0.235, TYRE)
        sprite.disc(x, 0.235, 0.125, STEEL)
        sprite.disc(x, 0.235, 0.05, TYRE)
    sprite.disc(-1.06, 0.46, 0.06, FLAG, lit=sprite.night)
    sprite.disc(1.03, 0.45, 0.085, LAMP if sprite.night else WHITE, lit=sprite.night)
    if sprite.night:
        sprite.shine(1.10, 0.45, 0.45, LAMP, 0.8)


def _windows(sprite: Sprite, roof: float) -> None:
    """The two side windows of a car."""
    top = roof - 0.09
    glass = mix(GLASS, LAMP, 0.4) if sprite.night else GLASS
    rear = _smooth([(-0.77, 0.64), (-0.64, 0.80), (-0.40, top - 0.02), (-0.22, top)], closed=False)
    front = _smooth([(-0.12, top), (0.02, top - 0.01), (0.20, 0.83), (0.38, 0.64)], closed=False)
    sprite.polygon([*rear, (-0.22, 0.64)], glass)
    sprite.polygon([*front, (-0.12, 0.64)], glass)
    sprite.polygon([(-0.12, top), (-0.02, top), (-0.12, 0.72)], lighter(glass, 0.5))
    sprite.polygon([(-0.42, top - 0.02), (-0.30, top), (-0.52, 0.64), (-0.66, 0.64)], lighter(glass, 0.5))
