"""Plants, animals and a snowman."""

from collections.abc import Sequence
from math import cos, pi, sin

import numpy as np

from generation.builtin.drawing.canvas import Colour, Point, Polygon, Sprite, lighter, mix

COAL: Colour = (0.12, 0.12, 0.15)
BARK: Colour = (0.46, 0.29, 0.17)
STEM: Colour = (0.15, 0.48, 0.20)
CARROT: Colour = (0.97, 0.50, 0.12)
SCARLET: Colour = (0.86, 0.14, 0.16)
ROSE: Colour = (0.95, 0.55, 0.62)
DUSK: Colour = (0.14, 0.10, 0.30)
CREAM: Colour = (1.0, 0.97, 0.90)
DARK = 0.25
"""The brightest channel below which a colour is taken for black."""
WARM = 0.2
"""How much more red than blue makes a colour's shade a warm one."""


def _is_dark(colour: Colour) -> bool:
    return max(colour) < DARK


def _shade(colour: Colour, amount: float = 0.24) -> Colour:
    """The colour on its far side; black turns lighter there, or nothing would be seen inside of it."""
    red, green, blue = colour
    if _is_dark(colour):
        return lighter(colour, amount * 0.7)
    warm = red - blue > WARM
    return mix(colour, (red * 0.4, green * 0.16, blue * 0.25) if warm else DUSK, amount)


def _pale(colour: Colour, amount: float = 0.5) -> Colour:
    """The colour on its light side."""
    return lighter(colour, amount * 0.4) if _is_dark(colour) else mix(colour, CREAM, amount)


def _curve(points: Polygon, closed: bool = False, steps: int = 8) -> list[Point]:
    """A smooth line (Catmull-Rom) through the points."""
    knots = np.asarray(points, np.float64)
    ends = (knots[-1:], knots[:2]) if closed else (knots[:1], knots[-1:])
    knots = np.concatenate([ends[0], knots, ends[1]])
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    line = [
        b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False)
    ]
    path = [(float(x), float(y)) for x, y in np.concatenate(line)]
    return path if closed else [*path, points[-1]]


def _blob(sprite: Sprite, points: Polygon, colour: Colour) -> None:
    """A filled shape with a smooth outline through the points."""
    sprite.polygon(_curve(points, closed=True), colour)


def _limb(sprite: Sprite, points: Polygon, start: float, end: float, colour: Colour) -> None:
    """A smooth round line through the points, `start` wide where it begins and `end` at its tip."""
    path = _curve(points, steps=14)
    for (x, y), width in zip(path, np.linspace(start, end, len(path)), strict=True):
        sprite.disc(x, y, float(width) / 2, colour)


def _petal(sprite: Sprite, x: float, y: float, angle: float, length: float, width: float, colour: Colour) -> None:
    """An egg that grows out of (x, y) in the direction of `angle`."""
    turns = [2 * pi * i / 24 for i in range(24)]
    along = [(length * (0.5 - 0.5 * cos(turn)), width / 2 * sin(turn) * (1 - 0.25 * cos(turn))) for turn in turns]
    c, s = cos(angle), sin(angle)
    sprite.polygon([(x + a * c - b * s, y + a * s + b * c) for a, b in along], colour)


def _discs(sprite: Sprite, spots: Sequence[tuple[float, float, float]], colour: Colour) -> None:
    for x, y, radius in spots:
        sprite.disc(x, y, radius, colour)


def draw_tree(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A broad-leaved tree: a brown trunk and a full round crown, lit from above."""
    sway = float(rng.uniform(-0.02, 0.02))
    sprite.polygon(_curve([(-0.13, 0.0), (-0.075, 0.1), (-0.06, 0.5), (0.06, 0.5), (0.075, 0.1), (0.13, 0.0)]), BARK)
    sprite.polygon(
        _curve([(0.02, 0.0), (0.015, 0.1), (0.01, 0.5), (0.06, 0.5), (0.075, 0.1), (0.13, 0.0)]), _shade(BARK)
    )
    sprite.stroke([(0.0, 0.26), (0.16, 0.44)], 0.06, _shade(BARK))
    sprite.stroke([(-0.02, 0.28), (-0.15, 0.44)], 0.06, BARK)
    crown = [
        (-0.26, 0.57, 0.19),
        (0.26, 0.57, 0.19),
        (0.0, 0.53, 0.18),
        (-0.20 + sway, 0.75, 0.19),
        (0.20 + sway, 0.75, 0.19),
        (sway, 0.81, 0.19),
        (0.0, 0.66, 0.20),
    ]
    _discs(sprite, crown, _shade(colour, 0.34))
    _discs(sprite, [(x - 0.025, y + 0.045, r - 0.035) for x, y, r in crown], colour)
    light = mix(colour, (1.0, 0.96, 0.55) if colour[1] > colour[0] else CREAM, 0.32)
    _discs(sprite, [(-0.22 + sway, 0.80, 0.11), (-0.05 + sway, 0.88, 0.10), (-0.11 + sway, 0.81, 0.10)], light)
    _discs(sprite, [(0.18 + sway, 0.83, 0.07), (0.24 + sway, 0.80, 0.06)], light)
    _discs(sprite, [(-0.33, 0.63, 0.06), (-0.27, 0.60, 0.06)], light)


def draw_cactus(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A saguaro with two raised arms and a blossom on top."""
    left, right = float(rng.uniform(0.66, 0.72)), float(rng.uniform(0.78, 0.84))
    arms = [
        ([(-0.04, 0.34), (-0.24, 0.35), (-0.34, 0.45), (-0.345, left - 0.08)], 0.17),
        ([(0.04, 0.46), (0.22, 0.47), (0.32, 0.57), (0.325, right - 0.08)], 0.17),
    ]
    for arm, width in arms:
        _limb(sprite, arm, width, width, _shade(colour))
        _limb(sprite, [(x - 0.025, y + 0.015) for x, y in arm], width - 0.05, width - 0.05, colour)
    for x, width, tone in ((0.0, 0.30, _shade(colour)), (-0.03, 0.24, colour)):
        sprite.rectangle(x - width / 2, 0.0, x + width / 2, 0.82, tone)
        sprite.disc(x, 0.82, width / 2, tone)
    light = mix(colour, (0.92, 1.0, 0.6), 0.4)
    sprite.stroke([(-0.07, 0.09), (-0.07, 0.83)], 0.045, light)
    sprite.stroke([(0.03, 0.04), (0.03, 0.80)], 0.04, _shade(colour, 0.16))
    sprite.stroke([(-0.375, 0.49), (-0.375, left - 0.09)], 0.04, light)
    sprite.stroke([(0.29, 0.61), (0.29, right - 0.09)], 0.04, light)
    for angle in (0.25, 0.5, 0.75):
        _petal(sprite, 0.0, 0.94, angle * pi, 0.13, 0.09, (0.96, 0.38, 0.58))
    sprite.disc(0.0, 0.965, 0.035, (1.0, 0.84, 0.25))


def draw_flower(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """One big daisy with a stem and two leaves."""
    turn, x, y = float(rng.uniform(-0.1, 0.1)), 0.0, 0.68
    _limb(sprite, [(0.02, -0.01), (0.035, 0.2), (0.02, 0.45), (x, y)], 0.065, 0.055, STEM)
    for angle, green in ((0.80, STEM), (0.20, _shade(STEM, 0.16))):
        _petal(sprite, 0.03, 0.06, angle * pi, 0.40, 0.16, green)
        tip = 0.03 + 0.30 * cos(angle * pi), 0.06 + 0.30 * sin(angle * pi)
        sprite.stroke([(0.03, 0.06), tip], 0.025, mix(green, (0.9, 1.0, 0.5), 0.3))
    for i in range(8):
        _petal(sprite, x, y, turn + (i + 0.5) * pi / 4, 0.29, 0.17, _shade(colour, 0.36))
    for i in range(8):
        _petal(sprite, x, y, turn + i * pi / 4, 0.35, 0.155, colour)
    yellow = colour[0] > 0.8 and colour[1] > 0.7 and colour[2] < 0.5
    heart: Colour = (0.52, 0.29, 0.12) if yellow else (0.99, 0.80, 0.18)
    sprite.disc(x, y, 0.12, _shade(heart, 0.25))
    sprite.disc(x - 0.008, y + 0.012, 0.1, heart)


def draw_snowman(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A snowman of three balls with a carrot nose, coal buttons, a top hat, a scarf and stick arms."""
    wave = float(rng.uniform(-0.03, 0.03))
    for side, lift in ((-1, 0.70 + wave), (1, 0.66 - wave)):
        sprite.stroke([(side * 0.12, 0.50), (side * 0.42, lift)], 0.04, BARK)
        sprite.stroke([(side * 0.33, lift - 0.06), (side * 0.35, lift + 0.07)], 0.035, BARK)
    for y, radius in ((0.23, 0.25), (0.50, 0.195), (0.735, 0.16)):
        sprite.disc(0.0, y, radius, mix(colour, (0.48, 0.60, 0.80), 0.42), 1.08)
        sprite.disc(-0.02, y + 0.018, radius - 0.03, colour, 1.07)
    _discs(sprite, [(-0.02, 0.50, 0.027), (-0.02, 0.40, 0.027), (-0.02, 0.27, 0.03)], COAL)
    sprite.stroke(_curve([(0.07, 0.60), (0.12, 0.53), (0.11, 0.42)]), 0.085, _shade(SCARLET))
    sprite.stroke(_curve([(-0.125, 0.635), (0.0, 0.605), (0.125, 0.635)]), 0.085, SCARLET)
    _discs(sprite, [(-0.075, 0.775, 0.026), (0.045, 0.775, 0.026)], COAL)
    sprite.polygon([(-0.03, 0.765), (-0.03, 0.69), (-0.22, 0.705)], CARROT)
    sprite.disc(-0.025, 0.727, 0.038, CARROT)
    sprite.stroke([(-0.19, 0.86), (0.19, 0.86)], 0.05, COAL)
    sprite.polygon([(-0.115, 0.86), (-0.125, 1.06), (0.125, 1.06), (0.115, 0.86)], COAL)
    sprite.polygon([(-0.116, 0.885), (-0.12, 0.935), (0.12, 0.935), (0.116, 0.885)], SCARLET)


def draw_cat(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A sitting cat that looks at us, its long tail curled up behind it."""
    shade, swing = _shade(colour), float(rng.uniform(-0.02, 0.02))
    tail = [
        (0.24, 0.09),
        (0.46, 0.07),
        (0.60, 0.20),
        (0.58, 0.40),
        (0.50 + swing, 0.54),
        (0.58 + swing, 0.68),
    ]
    _limb(sprite, tail, 0.13, 0.10, colour)
    _limb(sprite, [(0.50 + swing, 0.54), (0.515 + swing, 0.61), (0.58 + swing, 0.68)], 0.108, 0.10, shade)
    back = [(-0.30, 0.52), (-0.29, 0.34), (-0.20, 0.14), (-0.12, 0.0), (0.26, 0.0), (0.38, 0.10)]
    _blob(sprite, [*back, (0.37, 0.27), (0.24, 0.46), (0.08, 0.62), (-0.12, 0.66)], colour)
    _blob(sprite, [(-0.27, 0.52), (-0.25, 0.36), (-0.17, 0.32), (-0.07, 0.40), (-0.03, 0.54)], _pale(colour))
    sprite.disc(0.20, 0.18, 0.165, shade)
    sprite.disc(0.215, 0.17, 0.16, colour)
    sprite.stroke([(0.04, 0.035), (0.2, 0.035)], 0.075, colour)
    _limb(sprite, [(-0.12, 0.27), (-0.10, 0.18), (-0.09, 0.045)], 0.10, 0.09, shade)
    _limb(sprite, [(-0.20, 0.28), (-0.20, 0.18), (-0.20, 0.05)], 0.14, 0.11, colour)
    sprite.stroke([(-0.25, 0.04), (-0.19, 0.04)], 0.08, _pale(colour))
    _draw_cat_head(sprite, colour, -0.14, 0.70)


def _draw_cat_head(sprite: Sprite, colour: Colour, x: float, y: float) -> None:
    """A round face with two pointed ears; a black cat's eyes shine at night."""
    for side in (-1, 1):
        sprite.polygon([(x + side * a, y + b) for a, b in ((0.26, 0.06), (0.23, 0.335), (0.02, 0.19))], colour)
        inner = ((0.215, 0.12), (0.20, 0.26), (0.085, 0.17))
        sprite.polygon([(x + side * a, y + b) for a, b in inner], mix(ROSE, colour, 0.25))
    sprite.disc(x, y - 0.035, 0.185, _shade(colour), 1.36)
    sprite.disc(x, y, 0.2, colour, 1.3)
    _discs(sprite, [(x - 0.055, y - 0.085, 0.07), (x + 0.055, y - 0.085, 0.07)], _pale(colour))
    eye: Colour = (0.98, 0.86, 0.30) if _is_dark(colour) else (0.80, 0.92, 0.45)
    for side in (-1, 1):
        sprite.disc(x + side * 0.115, y + 0.035, 0.06, eye, 0.95, lit=sprite.night and _is_dark(colour))
        sprite.disc(x + side * 0.11, y + 0.035, 0.05, COAL, 0.62)
    sprite.polygon([(x - 0.038, y - 0.035), (x + 0.038, y - 0.035), (x, y - 0.085)], ROSE)


def draw_dog(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A standing dog in profile with a long snout, floppy ears, a wagging tail and a red collar."""
    shade, wag = _shade(colour), float(rng.uniform(-0.03, 0.03))
    for x in (-0.14, 0.28):
        sprite.stroke([(x, 0.34), (x, 0.055), (x - 0.03, 0.05)], 0.11, shade)
    _limb(sprite, [(0.40, 0.52), (0.54, 0.60), (0.62, 0.74), (0.60 + wag, 0.92)], 0.13, 0.075, colour)
    _blob(
        sprite,
        [(-0.34, 0.62), (-0.33, 0.38), (-0.2, 0.25), (0.05, 0.29), (0.25, 0.30), (0.45, 0.28),
         (0.50, 0.46), (0.42, 0.60), (0.20, 0.61), (-0.08, 0.63), (-0.2, 0.70)],
        colour,
    )  # fmt: skip
    _limb(sprite, [(-0.24, 0.40), (-0.24, 0.2), (-0.24, 0.06)], 0.16, 0.12, colour)
    _limb(sprite, [(0.38, 0.40), (0.36, 0.28), (0.41, 0.18), (0.39, 0.06)], 0.22, 0.12, colour)
    for x in (-0.24, 0.39):
        sprite.stroke([(x - 0.045, 0.045), (x + 0.005, 0.045)], 0.09, _pale(colour))
    _limb(sprite, [(-0.20, 0.52), (-0.32, 0.72)], 0.32, 0.27, colour)
    sprite.stroke([(-0.375, 0.535), (-0.22, 0.555), (-0.10, 0.63)], 0.085, SCARLET)
    sprite.disc(-0.34, 0.475, 0.045, (0.99, 0.80, 0.18))
    _draw_dog_head(sprite, colour)


def _draw_dog_head(sprite: Sprite, colour: Colour) -> None:
    """A head in profile with an open mouth."""
    sprite.stroke([(-0.50, 0.65), (-0.53, 0.58)], 0.08, ROSE)
    sprite.stroke([(-0.46, 0.71), (-0.62, 0.71)], 0.17, _pale(colour))
    sprite.disc(-0.38, 0.80, 0.185, colour, 1.05)
    sprite.polygon([(-0.50, 0.92), (-0.66, 0.79), (-0.5, 0.72), (-0.4, 0.75)], colour)
    sprite.disc(-0.68, 0.765, 0.055, COAL, 1.1)
    sprite.disc(-0.47, 0.845, 0.038, (1.0, 1.0, 1.0) if _is_dark(colour) else COAL)
    ear = [(-0.36, 0.95), (-0.22, 0.93), (-0.13, 0.78), (-0.14, 0.64), (-0.24, 0.61), (-0.31, 0.71)]
    _blob(sprite, ear, _shade(colour, 0.42))


def draw_bird(sprite: Sprite, rng: np.random.Generator, colour: Colour) -> None:
    """A bird flying past with both wings raised."""
    shade, flap = _shade(colour), float(rng.uniform(-0.04, 0.04))
    far = [(-0.20, 0.36), (-0.30, 0.62), (-0.36, 0.98 + flap), (-0.12, 0.86), (0.04, 0.62), (0.06, 0.36)]
    _blob(sprite, far, _shade(colour, 0.4))
    sprite.polygon([(0.30, 0.26), (0.80, 0.36), (0.74, 0.24), (0.82, 0.12), (0.34, 0.12)], shade)
    _blob(
        sprite,
        [(-0.65, 0.38), (-0.59, 0.20), (-0.38, 0.05), (-0.06, 0.0), (0.24, 0.08), (0.48, 0.20),
         (0.42, 0.30), (0.1, 0.37), (-0.22, 0.44), (-0.40, 0.56), (-0.58, 0.53)],
        colour,
    )  # fmt: skip
    sprite.polygon([(-0.61, 0.47), (-0.86, 0.35), (-0.60, 0.29)], CARROT)
    _blob(sprite, [(-0.52, 0.18), (-0.3, 0.05), (-0.02, 0.025), (0.18, 0.11), (-0.1, 0.15)], _pale(colour))
    near = [
        (-0.24, 0.32),
        (-0.12, 0.60),
        (0.10, 0.86),
        (0.46, 1.0 + flap),
        (0.44, 0.82),
        (0.40, 0.62),
        (0.30, 0.44),
        (0.10, 0.24),
        (-0.12, 0.20),
    ]
    _blob(sprite, near, shade)
    _blob(sprite, [(x * 0.86 - 0.035, y * 0.86 + 0.075) for x, y in near], colour)
    sprite.disc(-0.49, 0.40, 0.055, (1.0, 1.0, 1.0) if _is_dark(colour) else COAL)
