"""What stands on the ground of a landscape: mountains, hills, dunes, forests, water, houses, boats, trees."""

import numpy as np

from generation.builtin.canvas import (
    SIZE,
    Array,
    Colour,
    Polygon,
    X,
    Y,
    add_light,
    below,
    disc,
    glow,
    mix,
    noise,
    paint,
    polygons,
    ridge,
    waves,
)
from generation.builtin.sky import Light, Luminary, shade


def draw_mountains(rng: np.random.Generator, canvas: Array, light: Light, horizon: float) -> None:
    """Two or three ranges, paler with distance, lit from one side, the far ones with snow."""
    count = int(rng.integers(2, 4))
    rock = mix((0.36, 0.38, 0.48), (0.48, 0.40, 0.38), float(rng.random()))
    for layer in range(count):
        nearness = layer / (count - 1)
        height = (0.36 - 0.18 * nearness) * float(rng.uniform(0.85, 1.15))
        line = ridge(rng, horizon + 0.02, height, 3 + 2 * layer, 5)
        mask = below(line)
        distance = 0.55 - 0.4 * nearness
        paint(canvas, mask, shade(light, rock, distance))
        slope = np.convolve(np.gradient(line) * SIZE, np.ones(7) / 7, mode="same")
        lean = slope[None, :] + (noise(rng, 9, 30) - 0.5) * 1.2
        lit = np.clip(lean * 0.8, -1, 1) * np.clip(1.2 - (Y - line) * 6.0, 0, 1)
        paint(canvas, mask * np.clip(lit, 0, 1) * 0.55, shade(light, (0.15, 0.17, 0.28), distance))
        if layer == 0:
            depth = 0.07 + 0.07 * (noise(rng, 12, 40) - 0.5)
            snow = (
                mask * np.clip((depth - (Y - line)) * 40, 0, 1) * np.clip((horizon - 0.13 - line) * 20, 0, 1)
            )
            paint(canvas, snow * (1.0 - 0.35 * np.clip(lit, 0, 1)), shade(light, (1.0, 1.0, 1.0), 0.15))


def draw_ground(rng: np.random.Generator, canvas: Array, light: Light, top: float, colour: Colour) -> None:
    """A plain from `top` to the bottom edge, nearer parts richer, with a little texture."""
    mask = below(waves(rng, top, 0.015, 1.5))
    paint(canvas, mask, shade(light, colour, 0.25))
    near = np.clip((Y - top) / (1.0 - top + 1e-3), 0, 1)
    paint(canvas, mask * near * 0.8, shade(light, mix(colour, (0.1, 0.2, 0.05), 0.25)))
    paint(canvas, mask * noise(rng, 24, 8) * 0.18, shade(light, mix(colour, (1, 1, 0.6), 0.5)))


def draw_hills(rng: np.random.Generator, canvas: Array, light: Light, horizon: float) -> None:
    """Three rolling green hills, one behind another."""
    green = mix((0.35, 0.66, 0.22), (0.50, 0.70, 0.25), float(rng.random()))
    for layer in range(3):
        base = horizon + 0.02 + layer * (1.0 - horizon) * 0.28
        line = waves(rng, base, 0.13 - 0.02 * layer, float(rng.uniform(0.5, 1.1)))
        mask = below(line)
        paint(canvas, mask, shade(light, mix(green, (0.12, 0.40, 0.12), 0.25 * layer), 0.42 - 0.2 * layer))
        crest = np.clip(1.0 - (Y - line) * 9.0, 0, 1)
        paint(canvas, mask * crest * 0.3, shade(light, (0.80, 0.88, 0.40), 0.3 - 0.12 * layer))


def draw_desert(rng: np.random.Generator, canvas: Array, light: Light, horizon: float) -> None:
    """Sand dunes with a bright and a shaded side."""
    sand = mix((0.93, 0.76, 0.46), (0.90, 0.66, 0.40), float(rng.random()))
    for layer in range(3):
        base = horizon + 0.03 + layer * (1.0 - horizon) * 0.3
        line = waves(rng, base, 0.12, float(rng.uniform(0.6, 1.3)))
        mask = below(line)
        paint(canvas, mask, shade(light, sand, 0.3 - 0.14 * layer))
        side = np.clip(np.gradient(line) * SIZE * 2.5, 0, 1)[None, :]
        fade = np.clip(1.0 - (Y - line) * 6.0, 0, 1)
        paint(canvas, mask * side * fade * 0.6, shade(light, (0.62, 0.40, 0.26), 0.15))
        paint(canvas, mask * fade * (1 - side) * 0.25, shade(light, (1.0, 0.92, 0.70)))


def _pine(x: float, foot: float, height: float) -> list[Polygon]:
    width = height * 0.24
    tiers = [
        [
            (x, foot - height + step * height * 0.26),
            (x - width * (0.5 + 0.28 * step), foot - height * (0.58 - 0.27 * step)),
            (x + width * (0.5 + 0.28 * step), foot - height * (0.58 - 0.27 * step)),
        ]
        for step in range(3)
    ]
    trunk = height * 0.03
    return [
        *tiers,
        [
            (x - trunk, foot - 0.1 * height),
            (x + trunk, foot - 0.1 * height),
            (x + trunk, foot),
            (x - trunk, foot),
        ],
    ]


def draw_forest(rng: np.random.Generator, canvas: Array, light: Light, horizon: float, bottom: float) -> None:
    """Rows of pines from the horizon towards `bottom`, larger and darker as they come nearer."""
    rows = 3
    green = mix((0.16, 0.42, 0.22), (0.22, 0.48, 0.18), float(rng.random()))
    for row in range(rows):
        nearness = (row + 1) / rows
        foot = horizon + (bottom - horizon) * nearness
        height = 0.15 + 0.17 * nearness
        count = int(20 - 9 * nearness)
        spots = (np.arange(count) + rng.uniform(-0.35, 0.35, count) + 0.5) / count
        shapes = [p for x in spots for p in _pine(float(x), foot, height * float(rng.uniform(0.75, 1.15)))]
        colour = shade(light, mix(green, (0.05, 0.18, 0.10), 0.55 * nearness), 0.5 - 0.45 * nearness)
        paint(canvas, below(foot - 0.05), colour)
        paint(canvas, polygons(shapes), colour)


def draw_water(
    rng: np.random.Generator, canvas: Array, light: Light, shore: float, kind: str, luminary: Luminary | None
) -> None:
    """A lake mirrors all that stands above its shore; the sea only the sky, broken by waves."""
    rows = (np.arange(SIZE) + 0.5) / SIZE
    depth = np.clip(rows - shore, 0.0, None)
    calm = 0.002 if kind == "lake" else 0.006
    ripple = calm * np.sin(rows * 210 + 6 * np.sin(rows * 40)) * (0.3 + 4 * depth)
    source = np.clip(
        ((shore - depth * (0.9 if kind == "lake" else 0.5) + ripple) * SIZE), 0, SIZE - 1
    ).astype(int)
    mirror = canvas[source]
    blue = shade(light, (0.16, 0.45, 0.66) if kind == "lake" else (0.08, 0.42, 0.62))
    if kind == "sea":
        mirror = np.broadcast_to(mirror.mean(axis=1, keepdims=True), mirror.shape)
    amount = np.clip((0.35 if kind == "lake" else 0.5) + depth * 0.5, 0, 0.85).astype(np.float32)[
        :, None, None
    ]
    water = mirror * (1 - amount) + np.asarray(blue, np.float32) * amount
    water = water.astype(np.float32)
    crest = np.clip(noise(rng, 70 if kind == "sea" else 45, 7) - 0.62, 0, 1) * (1.6 if kind == "sea" else 0.7)
    add_light(water, (crest * np.clip(depth * 4 + 0.2, 0, 1)[:, None]).astype(np.float32), light.horizon)
    if luminary is not None:
        width = 0.03 + depth[:, None] * 0.14
        path = np.exp(-(((X - luminary.x) / width) ** 2)) * np.clip(noise(rng, 60, 12) * 1.7 - 0.35, 0, 1)
        add_light(water, (path * 0.8).astype(np.float32), luminary.colour)
    paint(canvas, below(shore), water)


def draw_house(
    rng: np.random.Generator, canvas: Array, light: Light, x: float, foot: float, night: bool
) -> None:
    """A house with a roof, a door, a chimney and two windows that shine at night."""
    w, h = float(rng.uniform(0.12, 0.16)), float(rng.uniform(0.13, 0.17))
    wall = [(0.95, 0.92, 0.84), (0.85, 0.70, 0.52), (0.93, 0.85, 0.62), (0.80, 0.45, 0.36)][
        int(rng.integers(4))
    ]
    roof = [(0.75, 0.24, 0.18), (0.50, 0.28, 0.20), (0.35, 0.36, 0.45)][int(rng.integers(3))]
    own = 0.29 if night else 0.18

    def tone(colour: Colour) -> Colour:
        return mix(shade(light, colour), colour, own)

    box: Polygon = [(x - w, foot), (x - w, foot - h), (x + w, foot - h), (x + w, foot)]
    paint(canvas, polygons([box]), tone(wall))
    paint(
        canvas,
        polygons(
            [
                [
                    (x + w * 0.5, foot - h * 1.9),
                    (x + w * 0.72, foot - h * 1.9),
                    (x + w * 0.72, foot - h),
                    (x + w * 0.5, foot - h),
                ]
            ]
        ),
        tone((0.55, 0.3, 0.25)),
    )
    peak = foot - h * float(rng.uniform(1.75, 2.0))
    paint(
        canvas,
        polygons([[(x - w * 1.2, foot - h * 0.97), (x, peak), (x + w * 1.2, foot - h * 0.97)]]),
        tone(roof),
    )
    door: Polygon = [
        (x - w * 0.17, foot),
        (x - w * 0.17, foot - h * 0.6),
        (x + w * 0.17, foot - h * 0.6),
        (x + w * 0.17, foot),
    ]
    paint(canvas, polygons([door]), tone((0.42, 0.24, 0.14)))
    pane = (1.0, 0.85, 0.40) if night or light.strength < 0.7 else tone((0.55, 0.75, 0.90))
    for side in (-1, 1):
        cx, cy = x + side * w * 0.58, foot - h * 0.55
        paint(
            canvas,
            polygons(
                [
                    [
                        (cx - w * 0.2, cy - h * 0.18),
                        (cx + w * 0.2, cy - h * 0.18),
                        (cx + w * 0.2, cy + h * 0.18),
                        (cx - w * 0.2, cy + h * 0.18),
                    ]
                ]
            ),
            pane,
        )
        if night:
            add_light(canvas, glow(cx, cy, 0.07) * 0.5, (1.0, 0.75, 0.3))


def draw_boat(rng: np.random.Generator, canvas: Array, light: Light, x: float, water: float) -> None:
    """A sailing boat on the water line, with its reflection."""
    s = float(rng.uniform(0.09, 0.13))
    hull = [(0.62, 0.28, 0.18), (0.80, 0.20, 0.18), (0.20, 0.28, 0.50)][int(rng.integers(3))]
    sail = [(1.0, 0.98, 0.92), (1.0, 0.98, 0.92), (0.95, 0.45, 0.30)][int(rng.integers(3))]

    def tone(colour: Colour) -> Colour:
        return mix(shade(light, colour), colour, 0.22)

    parts: list[tuple[list[tuple[float, float]], Colour]] = [
        ([(-s, -s * 0.32), (s, -s * 0.32), (s * 0.65, s * 0.12), (-s * 0.7, s * 0.12)], hull),
        (
            [(-s * 0.04, -s * 2.3), (s * 0.04, -s * 2.3), (s * 0.04, -s * 0.3), (-s * 0.04, -s * 0.3)],
            (0.35, 0.22, 0.15),
        ),
        ([(s * 0.08, -s * 2.2), (s * 0.95, -s * 0.5), (s * 0.08, -s * 0.5)], sail),
        (
            [(-s * 0.1, -s * 1.9), (-s * 0.75, -s * 0.5), (-s * 0.1, -s * 0.5)],
            mix(sail, (0.8, 0.8, 0.8), 0.35),
        ),
    ]
    for shape, colour in parts:
        mirrored = [(x + px, water + s * 0.2 - py * 0.7) for px, py in shape]
        paint(canvas, polygons([mirrored]) * 0.3, tone(colour))
    for shape, colour in parts:
        paint(canvas, polygons([[(x + px, water + py) for px, py in shape]]), tone(colour))


def draw_tree(rng: np.random.Generator, canvas: Array, light: Light, x: float, foot: float) -> None:
    """A broad-leaved tree: a trunk and a crown of overlapping leaf balls, lit from above."""
    s = float(rng.uniform(0.15, 0.2))
    trunk: Polygon = [
        (x - s * 0.13, foot),
        (x - s * 0.07, foot - s * 1.2),
        (x + s * 0.07, foot - s * 1.2),
        (x + s * 0.13, foot),
    ]
    paint(canvas, polygons([trunk]), shade(light, (0.40, 0.26, 0.16)))
    leaf = mix((0.18, 0.48, 0.16), (0.32, 0.55, 0.15), float(rng.random()))
    balls = [
        (x + float(rng.uniform(-0.6, 0.6)) * s, foot - s * float(rng.uniform(1.1, 2.0))) for _ in range(9)
    ]
    for dy, colour in (
        (0.0, mix(leaf, (0.03, 0.15, 0.05), 0.5)),
        (-0.12, leaf),
        (-0.26, mix(leaf, (0.85, 0.9, 0.3), 0.35)),
    ):
        for bx, by in balls:
            paint(canvas, disc(bx, by + dy * s, s * (0.46 + dy)), shade(light, colour))
