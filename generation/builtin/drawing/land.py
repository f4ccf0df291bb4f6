"""What stands on the ground of a landscape: plains, mountains, hills, dunes, forests, an island, a volcano."""

import numpy as np

from generation.builtin.drawing.canvas import Array, Colour, Point, Sprite, darker, lighter, mix
from generation.builtin.drawing.sky import circle, shade
from generation.builtin.drawing.view import SNOW, View, paint_bands, paint_slope

GRASS: dict[str, Colour] = {
    "": (0.40, 0.67, 0.27),
    "spring": (0.58, 0.82, 0.34),
    "autumn": (0.84, 0.64, 0.25),
    "winter": SNOW,
}
FOLIAGE: dict[str, tuple[Colour, ...]] = {
    "": ((0.22, 0.52, 0.22), (0.30, 0.58, 0.22), (0.20, 0.47, 0.28)),
    "spring": ((0.98, 0.66, 0.78), (0.98, 0.78, 0.85), (0.55, 0.80, 0.34)),
    "autumn": ((0.93, 0.52, 0.14), (0.84, 0.28, 0.16), (0.95, 0.74, 0.20)),
    "winter": ((0.26, 0.52, 0.44), (0.22, 0.46, 0.46)),
}
BLOSSOM: dict[str, tuple[Colour, ...]] = {
    "": ((1.0, 0.90, 0.30), (0.93, 0.27, 0.24), (1.0, 1.0, 1.0)),
    "spring": ((1.0, 0.58, 0.74), (1.0, 0.78, 0.87)),
}


def draw_plain(view: View, top: float, colour: Colour) -> None:
    """A plain from `top` to the bottom edge, in three bands."""
    line = view.canvas.waves(view.rng, top, 0.015, 1.0)
    paint_bands(view, line, view.shade(lighter(colour, 0.12), 0.22), view.shade(darker(colour, 0.10)), 3, 0.03)


def draw_meadow(view: View, top: float) -> None:
    """A plain of grass in the season's colour."""
    draw_plain(view, top, GRASS[view.season])


def draw_mountains(view: View) -> None:
    """A pale range and two rows of peaks before it, all with snow caps."""
    rng, relief = view.rng, view.relief
    rock = mix((0.40, 0.44, 0.58), (0.52, 0.44, 0.44), float(rng.random()))
    far = view.canvas.ridge(rng, view.horizon + 0.02, 0.26 * relief, 3.0, 2)
    view.canvas.paint(view.canvas.below(far), view.shade(rock, 0.68, 0.3))
    sheet = view.panorama(view.plain + 0.02)
    base = view.plain - view.horizon
    for row, (density, low, high) in enumerate(((1.9, 0.30, 0.42), (2.7, 0.15, 0.24))):
        spots = view.spread(density)
        for spot in rng.permutation(len(spots)):
            height = base + relief * float(rng.uniform(low, high))
            _draw_peak(view, sheet, view.left + spots[spot], height, rock, 0.34 - 0.2 * row)
    sheet.place()


def _draw_peak(view: View, sheet: Sprite, x: float, height: float, rock: Colour, distance: float) -> None:
    half, side = height * float(view.rng.uniform(0.72, 0.95)), view.lit_from

    def points(*spots: Point) -> list[Point]:
        return [(x - side * across * half, up * height) for across, up in spots]

    lit, dark = view.shade(lighter(rock, 0.12), distance, 0.2), view.shade(darker(rock, 0.28), distance, 0.1)
    white = mix(shade(view.light, SNOW, distance * 0.4), SNOW, 0.4)
    blue = mix(shade(view.light, (0.74, 0.80, 0.93), distance * 0.4), SNOW, 0.2)
    sheet.polygon(points((-1, 0), (0, 1), (1, 0), (1, -0.2), (-1, -0.2)), lit)
    sheet.polygon(points((0, 1), (1, 0), (1, -0.2), (0.14, -0.2), (-0.06, 0.3), (0.05, 0.57)), dark)
    cap = points((0, 1), (0.35, 0.65), (0.20, 0.70), (0.05, 0.57), (-0.10, 0.70), (-0.24, 0.58), (-0.38, 0.62))
    sheet.polygon(cap, white)
    sheet.polygon([cap[0], cap[1], cap[2], cap[3], *points((-0.02, 0.78))], blue)


def draw_hills(view: View, front: bool) -> None:
    """Rolling hills, one behind another, with a few trees; `front` adds the nearest one."""
    canvas, rng, grass = view.canvas, view.rng, GRASS[view.season]
    deep = view.plain - view.horizon
    tops = [view.horizon + 0.01, view.horizon + 0.4 * deep + 0.03 * canvas.height]
    if front:
        tops = [tops[0], view.horizon + 0.14 * canvas.height, view.horizon + 0.3 * canvas.height]
    for layer, top in enumerate(tops):
        line = canvas.waves(rng, top, (0.15 - 0.025 * layer) * view.relief, float(rng.uniform(0.7, 1.1)))
        crest = view.shade(mix(grass, (0.92, 0.92, 0.45), 0.22 - 0.05 * layer), 0.42 - 0.18 * layer)
        foot = view.shade(mix(grass, (0.10, 0.40, 0.20), 0.22 + 0.1 * layer), 0.30 - 0.14 * layer, 0.85)
        paint_slope(view, line, crest, foot, 0.22 * view.relief)
        if layer < 2:
            _draw_grove(view, line, 2.6 + layer, (0.085 + 0.03 * layer) * view.relief, 0.3 - 0.18 * layer)


def _draw_grove(view: View, line: Array, density: float, height: float, distance: float) -> None:
    """A few trees along a skyline."""
    sheet = view.panorama(float(line.max()))
    for x in view.spread(density, 0.45):
        if view.rng.random() < 0.7:
            column = min(max(int(x * 256), 0), view.canvas.columns - 1)
            up = float(line.max() - line[column]) - 0.008
            _draw_forest_tree(view, sheet, view.left + x, up, height * float(view.rng.uniform(0.8, 1.2)), distance)
    sheet.place()


def draw_desert(view: View) -> None:
    """Sand dunes, each with a bright and a shaded side."""
    rng, canvas = view.rng, view.canvas
    sand = mix((0.95, 0.78, 0.48), (0.93, 0.68, 0.42), float(rng.random()))
    far = canvas.waves(rng, view.horizon + 0.01, 0.06 * view.relief, 1.2)
    canvas.paint(canvas.below(far), view.shade(sand, 0.38))
    rows = ((0.06, 1.8, 0.13), (0.22, 1.3, 0.17), (0.46, 1.0, 0.20))
    for row, (down, density, height) in enumerate(rows):
        foot = view.horizon + down * (canvas.height - view.horizon) + 0.04
        line = canvas.waves(rng, foot - 0.02, 0.02, 0.8)
        sheet = view.panorama(foot + 0.02)
        for x in view.spread(density):
            _draw_dune(view, sheet, view.left + x, height * view.relief, sand, 0.26 - 0.11 * row)
        sheet.place()
        canvas.paint(canvas.below(line), view.shade(sand, 0.24 - 0.11 * row))


def _draw_dune(view: View, sheet: Sprite, x: float, height: float, sand: Colour, distance: float) -> None:
    height *= float(view.rng.uniform(0.75, 1.1))
    half, side = height * float(view.rng.uniform(2.0, 2.6)), -view.lit_from
    steps = [step / 10 for step in range(11)]
    rise = [(x - side * half * (1 - t), height * t**1.5) for t in steps]
    fall = [(x + side * half * 0.85 * t, height * (1 - t) ** 1.35) for t in steps]
    edge = [(x + side * half * (0.10 * np.sin(t * 6.0) + 0.22 * t), height * (1 - t)) for t in reversed(steps)]
    sheet.polygon([*rise, *fall], view.shade(lighter(sand, 0.22), distance))
    sheet.polygon([*fall, *edge], view.shade(mix(sand, (0.62, 0.36, 0.22), 0.5), distance))


def draw_forest(view: View, bottom: float, gap: Point | None = None) -> None:
    """Rows of trees down to `bottom`, larger and richer as they come nearer; `gap` keeps a part of x free."""
    canvas, rng = view.canvas, view.rng
    rows = 4
    sheet = view.panorama(bottom)
    for row in range(rows):
        near = row / (rows - 1)
        foot = view.horizon + 0.02 + (bottom - view.horizon - 0.02) * near
        height = (0.15 + 0.15 * near) * (0.4 * canvas.scale + 0.6 * view.relief)
        for x in view.spread(11.0 - 5.5 * near):
            tall = height * float(rng.uniform(0.8, 1.15))
            if gap is None or row < 2 or not gap[0] - 0.3 * tall < x < gap[1] + 0.3 * tall:
                _draw_forest_tree(view, sheet, view.left + x, bottom - foot, tall, 0.48 - 0.45 * near)
    sheet.place()


def _draw_forest_tree(view: View, sheet: Sprite, x: float, foot: float, height: float, distance: float) -> None:
    leaf = view.any_of(FOLIAGE[view.season])
    if view.season in ("spring", "autumn"):
        _draw_round_tree(view, sheet, x, foot, height, leaf, distance)
    else:
        _draw_pine(view, sheet, x, foot, height, leaf, distance)


def _draw_pine(view: View, sheet: Sprite, x: float, foot: float, height: float, leaf: Colour, distance: float) -> None:
    lit, dark = (
        shade(view.light, lighter(leaf, 0.10), distance),
        shade(view.light, darker(leaf, 0.22), distance),
    )
    white = shade(view.light, (0.84, 0.91, 0.99), distance * 0.5)
    trunk, side = height * 0.035, -view.lit_from
    sheet.rectangle(x - trunk, foot, x + trunk, foot + height * 0.2, shade(view.light, (0.36, 0.24, 0.16), distance))
    for half, low, top in ((0.27, 0.12, 0.56), (0.215, 0.36, 0.78), (0.155, 0.60, 1.0)):
        base, peak, wide = foot + low * height, foot + top * height, half * height
        sheet.polygon([(x - wide, base), (x, peak), (x + wide, base)], lit)
        sheet.polygon([(x, base), (x, peak), (x + side * wide, base)], dark)
        if view.snow:
            down = peak - 0.64 * (peak - base)
            sheet.polygon(
                [(x - wide * 0.64, down), (x, peak), (x + wide * 0.64, down), (x, down + 0.04 * height)],
                white,
            )


def _draw_round_tree(
    view: View, sheet: Sprite, x: float, foot: float, height: float, leaf: Colour, distance: float
) -> None:
    trunk, lean = height * 0.045, view.lit_from * height
    sheet.rectangle(x - trunk, foot, x + trunk, foot + height * 0.5, shade(view.light, (0.40, 0.26, 0.18), distance))
    tones = [shade(view.light, tone, distance) for tone in (darker(leaf, 0.16), leaf, lighter(leaf, 0.26))]
    for dx, dy, radius in ((-0.17, 0.46, 0.19), (0.17, 0.46, 0.19), (0.0, 0.70, 0.26)):
        sheet.disc(x + dx * height, foot + dy * height, radius * height, tones[0])
    sheet.disc(x + 0.04 * lean, foot + 0.64 * height, 0.24 * height, tones[1])
    sheet.disc(x + 0.09 * lean, foot + 0.76 * height, 0.12 * height, tones[2])


def draw_field(view: View) -> None:
    """A meadow with a low line of hills and a few trees far behind it."""
    canvas, rng = view.canvas, view.rng
    line = canvas.waves(rng, view.horizon + 0.005, 0.05 * view.relief, float(rng.uniform(0.6, 1.0)))
    far = mix(GRASS[view.season], (0.20, 0.45, 0.40), 0.4)
    canvas.paint(canvas.below(line), view.shade(far, 0.45, 0.9))
    _draw_grove(view, line, 3.0, 0.12 * view.relief, 0.3)
    draw_meadow(view, view.horizon + 0.02 * canvas.height)


def draw_flowers(view: View, top: float) -> None:
    """Large dots of blossom on the grass, larger as they come nearer; none in autumn and in the snow."""
    if view.snow or view.season not in BLOSSOM:
        return
    canvas = view.canvas
    for colour in BLOSSOM[view.season]:
        dots = []
        for x in view.spread(9.0, 0.45):
            near = float(view.rng.uniform(0.12, 1.0))
            dots.append(circle(x, top + (canvas.height - top) * near, 0.006 + 0.012 * near, 1.25))
        canvas.paint(canvas.polygons(dots), view.shade(colour, 0.05))


def draw_volcano(view: View) -> None:
    """A cone with a smoking crater and streams of glowing lava."""
    canvas, rng = view.canvas, view.rng
    middle = canvas.width * float(rng.uniform(0.4, 0.6))
    height = (0.36 + float(rng.uniform(0.0, 0.06))) * view.relief
    x, foot, rim = view.left + middle, view.plain + 0.03, height * 0.17
    half = height * 1.15
    far = canvas.ridge(rng, view.horizon + 0.02, 0.12 * view.relief, 3.0, 2)
    canvas.paint(canvas.below(far), view.shade((0.42, 0.38, 0.46), 0.6))
    sheet = view.panorama(foot)
    _draw_smoke(view, sheet, x, height)
    steps = [step / 12 for step in range(13)]
    left = [(x - rim - (half - rim) * (1 - t) ** 1.7, height * t) for t in steps]
    right = [(2 * x - px, py) for px, py in reversed(left)]
    rock: Colour = (0.42, 0.32, 0.34)
    sheet.polygon([*left, *right], view.shade(rock, 0.08, 0.4))
    dark = right if view.lit_from < 0 else left[::-1]
    sheet.polygon([*dark, (x, 0.0), (x + 0.1 * rim, height * 0.5)], view.shade(darker(rock, 0.3), 0.08, 0.4))
    sheet.disc(x, height, rim * 0.28, (0.98, 0.42, 0.10), 3.55, lit=True)
    for offset, reach in ((-0.62, 0.50), (0.06, 0.86), (0.60, 0.62)):
        _draw_lava(sheet, x + offset * rim, height, offset * half * 0.42, reach * height)
    sheet.shine(x, height, 0.30 * view.relief, (1.0, 0.35, 0.10), 0.55)
    sheet.place()


def _draw_lava(sheet: Sprite, x: float, top: float, drift: float, length: float) -> None:
    for colour, wide in (((0.93, 0.20, 0.08), 1.0), ((1.0, 0.72, 0.18), 0.45)):
        steps = [step / 8 for step in range(9)]
        path = [(x + drift * t**1.4 + 0.10 * top * t * np.sin(5 * t), top * 1.01 - length * t) for t in steps]
        half = [wide * top * (0.035 + 0.022 * t) for t in steps]
        edge = [(px + w, py) for (px, py), w in zip(path, half, strict=True)]
        sheet.polygon([*((px - w, py) for (px, py), w in zip(path, half, strict=True)), *edge[::-1]], colour)
        sheet.disc(*path[-1], half[-1], colour)


def _draw_smoke(view: View, sheet: Sprite, x: float, top: float) -> None:
    gray = view.shade((0.60, 0.56, 0.60), 0.1, 0.0)
    wind = -view.lit_from * top
    puffs = [
        (0.02, 0.08, 0.11),
        (0.10, 0.22, 0.14),
        (0.24, 0.36, 0.17),
        (0.44, 0.46, 0.20),
        (0.70, 0.52, 0.17),
    ]
    for colour, shrink in ((darker(gray, 0.2), 1.0), (gray, 0.84), (lighter(gray, 0.22), 0.5)):
        for dx, up, radius in puffs:
            rise = (1 - shrink) * radius * 0.5
            sheet.disc(x + dx * wind - rise * wind, top * (1 + up + rise), radius * top * shrink, colour)


def draw_island(view: View, middle: float, foot: float) -> None:
    """A small island of sand and grass with two or three palms."""
    canvas, rng = view.canvas, view.rng
    size = 0.30 * canvas.scale
    sheet = view.panorama(foot)
    x = view.left + middle
    sheet.disc(x, -0.01, size * 0.16, lighter(shade(view.light, (0.45, 0.80, 0.84)), 0.25), 7.0)
    steps = [step / 16 for step in range(17)]
    mound = [(x + size * (2 * t - 1), size * 0.30 * np.sin(np.pi * t)) for t in steps]
    sheet.polygon(mound, view.shade((0.97, 0.86, 0.60), 0.05))
    sheet.disc(x, size * 0.0, size * 0.055, view.shade((0.84, 0.70, 0.46), 0.05), 14.0)
    grass = [(x + size * 0.62 * (2 * t - 1), size * (0.18 + 0.22 * np.sin(np.pi * t))) for t in steps]
    sheet.polygon(grass, view.shade((0.36, 0.66, 0.28), 0.05))
    leans = [(-0.34, -0.30), (0.30, 0.34), (0.02, 0.10)][: int(rng.integers(2, 4))]
    for where, lean in leans:
        _draw_palm(view, sheet, x + where * size, size * 0.24, size * float(rng.uniform(0.85, 1.15)), lean)
    sheet.place()


def _draw_palm(view: View, sheet: Sprite, x: float, foot: float, height: float, lean: float) -> None:
    trunk = [(x + lean * height * t**1.6, foot + height * t) for t in (0.0, 0.25, 0.5, 0.75, 1.0)]
    sheet.stroke(trunk, height * 0.075, view.shade((0.56, 0.38, 0.22), 0.03, 0.2))
    cx, cy = trunk[-1]
    for reach, drop, tone in (
        (-0.62, 0.16, 0.0), (0.62, 0.16, 0.0), (-0.50, -0.24, 0.2), (0.50, -0.24, 0.2), (-0.24, 0.42, 0.1), (0.28, 0.40, 0.1),
    ):  # fmt: skip
        steps = [step / 6 for step in range(7)]
        spine = [(reach * t, drop * np.sin(1.9 * t) * 1.2 - 0.30 * t * t + 0.02) for t in steps]
        wide = [0.085 * np.sin(np.pi * (0.12 + 0.88 * t)) for t in steps]
        over = [(cx + height * a, cy + height * (b + w)) for (a, b), w in zip(spine, wide, strict=True)]
        under = [(cx + height * a, cy + height * (b - w)) for (a, b), w in zip(spine, wide, strict=True)]
        sheet.polygon([*over, *under[::-1]], view.shade(darker((0.26, 0.60, 0.26), tone), 0.03, 0.3))
