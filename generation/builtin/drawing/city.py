"""Cities: a skyline of tower blocks, or dark towers in neon light."""

import numpy as np

from generation.builtin.drawing.canvas import Colour, Sprite, darker, lighter, mix
from generation.builtin.drawing.land import draw_plain
from generation.builtin.drawing.sky import shade
from generation.builtin.drawing.view import View

WALLS: tuple[Colour, ...] = (
    (0.62, 0.70, 0.80), (0.86, 0.80, 0.72), (0.74, 0.52, 0.46), (0.50, 0.60, 0.70), (0.90, 0.88, 0.86), (0.46, 0.62, 0.66),
)  # fmt: skip
NEON: tuple[Colour, ...] = (
    (1.0, 0.16, 0.70),
    (0.10, 0.92, 1.0),
    (0.62, 0.28, 1.0),
    (1.0, 0.36, 0.86),
    (0.22, 0.62, 1.0),
)
LAMP: Colour = (1.0, 0.86, 0.42)
PITCH, PANE = 0.066, 0.041
"""The distance from one window to the next, and how wide and high each is."""


def draw_city(view: View, foot: float) -> None:
    """Modern tower blocks on plain ground, with windows that are lit when it is not day."""
    rng, relief = view.rng, view.relief
    sheet = view.panorama(foot)
    for x in view.spread(7.0):
        wide, high = float(rng.uniform(0.04, 0.07)), relief * float(rng.uniform(0.18, 0.36))
        sheet.rectangle(
            view.left + x - wide, 0.0, view.left + x + wide, high, view.shade((0.52, 0.60, 0.74), 0.55, 0.1)
        )
    spots = view.spread(4.8, 0.2)
    for spot in rng.permutation(len(spots)):
        _draw_tower(view, sheet, view.left + spots[spot], relief * float(rng.uniform(0.13, 0.31)))
    sheet.place()
    draw_plain(view, foot - 0.006, mix((0.55, 0.62, 0.55), (0.44, 0.66, 0.34), float(rng.random())))


def _draw_tower(view: View, sheet: Sprite, x: float, height: float) -> None:
    rng, columns = view.rng, int(view.rng.choice((2, 2, 3)))
    half = (columns * PITCH + 0.014) / 2
    wall = view.any_of(WALLS)
    body = mix(shade(view.light, wall, 0.08), wall, 0.12)
    sheet.rectangle(x - half, 0.0, x + half, height, body)
    side = -view.lit_from
    sheet.rectangle(x + side * half * 0.72, 0.0, x + side * half, height, darker(body, 0.24))
    _draw_roof(view, sheet, x, height, half, body)
    glass = darker(body, 0.42) if view.time != "day" else mix((0.36, 0.58, 0.80), body, 0.15)
    share = {"day": 0.0, "dawn": 0.3, "sunset": 0.6, "night": 0.72}[view.time]
    for row in range(int((height - 0.02) / PITCH)):
        for column in range(columns):
            left = x + (column - columns / 2) * PITCH + (PITCH - PANE) / 2
            top = height - 0.018 - row * PITCH
            lit = rng.random() < share
            sheet.rectangle(left, top - PANE, left + PANE, top, LAMP if lit else glass, lit=bool(lit))


def _draw_roof(view: View, sheet: Sprite, x: float, height: float, half: float, body: Colour) -> None:
    match int(view.rng.integers(4)):
        case 0:
            sheet.rectangle(x - half * 0.6, height, x + half * 0.6, height + 0.025, darker(body, 0.12))
        case 1:
            sheet.rectangle(x - 0.006, height, x + 0.006, height + 0.07, darker(body, 0.35))
        case 2:
            slant = height + half * 0.9
            sheet.polygon(
                [(x - half, height), (x - half * view.lit_from, slant), (x + half, height)],
                lighter(body, 0.15),
            )
    if view.snow:
        sheet.rectangle(x - half, height - 0.004, x + half, height + 0.012, shade(view.light, (0.96, 0.98, 1.0)))


def draw_neon_city(view: View, foot: float) -> None:
    """Dark towers edged with neon, and their light on the wet ground before them."""
    rng, canvas, relief = view.rng, view.canvas, view.relief
    sheet = view.panorama(foot)
    for x in view.spread(6.5):
        wide, high = float(rng.uniform(0.04, 0.07)), relief * float(rng.uniform(0.22, 0.38))
        sheet.rectangle(
            view.left + x - wide,
            0.0,
            view.left + x + wide,
            high,
            mix(view.light.haze, (0.20, 0.10, 0.42), 0.62),
        )
    spots = view.spread(4.0, 0.2)
    for spot in rng.permutation(len(spots)):
        _draw_neon_tower(view, sheet, view.left + spots[spot], relief * float(rng.uniform(0.16, 0.35)))
    sheet.place()
    for index, x in enumerate(view.spread(2.4)):
        canvas.add_light(canvas.glow(x, foot - 0.1 * relief, 0.19) * 0.42, NEON[index % 3])
    _draw_wet_ground(view, foot)


def _draw_neon_tower(view: View, sheet: Sprite, x: float, height: float) -> None:
    rng, half = view.rng, float(view.rng.uniform(0.07, 0.11))
    glow, other = (NEON[int(spot)] for spot in rng.permutation(len(NEON))[:2])
    dark: Colour = (0.09, 0.06, 0.20)
    line = 0.020
    sheet.rectangle(x - half, 0.0, x + half, height, glow, lit=True)
    sheet.rectangle(x - half + line, 0.0, x + half - line, height - line, dark, lit=True)
    match int(rng.integers(4)):
        case 0:
            for row in range(int((height - 0.05) / 0.08)):
                top = height - 0.050 - row * 0.08
                sheet.rectangle(x - half * 0.55, top - 0.034, x + half * 0.55, top, other, lit=True)
        case 1:
            for middle in (x - 0.34 * half, x + 0.34 * half):
                sheet.rectangle(middle - 0.015, 0.0, middle + 0.015, height * 0.82, other, lit=True)
        case 2:
            sheet.disc(x, height * 0.72, half * 0.55, other, lit=True)
            sheet.disc(x, height * 0.72, half * 0.27, dark, lit=True)
            sheet.rectangle(x - half * 0.5, height * 0.34, x + half * 0.5, height * 0.42, glow, lit=True)
        case _:
            _draw_lit_windows(view, sheet, x, height, half, other)
    sheet.rectangle(x - 0.009, height, x + 0.009, height + float(rng.uniform(0.02, 0.08)), other, lit=True)


def _draw_lit_windows(view: View, sheet: Sprite, x: float, height: float, half: float, colour: Colour) -> None:
    columns = max(int(1.7 * half / PITCH), 1)
    for row in range(int((height - 0.05) / PITCH)):
        for column in range(columns):
            if view.rng.random() < 0.7:
                left = x + (column - columns / 2) * PITCH + (PITCH - PANE) / 2
                top = height - 0.040 - row * PITCH
                sheet.rectangle(left, top - PANE, left + PANE, top, colour, lit=True)


def _draw_wet_ground(view: View, foot: float) -> None:
    """Dark ground that mirrors the neon above it, fading towards the viewer."""
    canvas = view.canvas
    wet = mix(view.shade((0.16, 0.12, 0.30), 0.1, 0.5), (0.08, 0.05, 0.20), 0.6)
    down = np.clip(canvas.y_axis - foot, 0.0, None)
    mirror = canvas.pixels[np.clip((foot - 0.7 * down) * 256, 0, canvas.rows - 1).astype(int)]
    amount = (0.55 * np.exp(-down / (0.30 * view.relief))).astype(np.float32)[:, None, None]
    ground = np.asarray(wet, np.float32)
    canvas.paint(canvas.below(foot), (ground + (mirror - ground) * amount).astype(np.float32))
