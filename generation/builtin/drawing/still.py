"""A coloured thing on the floor before a coloured wall."""

from copy import deepcopy

import numpy as np
from PIL import Image, ImageFilter

from generation.builtin.drawing.canvas import UNIT, Array, Canvas, Colour, Tone, darker, jitter, lighter, mix
from generation.builtin.drawing.palette import COLOURS
from generation.builtin.drawing.scenes import Still
from generation.builtin.drawing.things import Standing, place_thing

FLOOR = 0.82
FOOT = 0.88
LARGEST = 1.2
FLOORS: tuple[Colour, ...] = ((0.66, 0.64, 0.61), (0.70, 0.60, 0.49), (0.58, 0.49, 0.40), (0.76, 0.72, 0.66))
SKIRTING: Colour = (0.93, 0.91, 0.87)


def draw_still(rng: np.random.Generator, canvas: Canvas, scene: Still) -> None:
    """Fills the canvas with the wall, the floor, and the thing with its shadow."""
    wall = jitter(rng, COLOURS[scene.wall], 0.02)
    _draw_wall(rng, canvas, wall)
    _draw_floor(rng, canvas)
    middle, foot = canvas.width / 2, FOOT * canvas.height
    aside = float(rng.uniform(-0.07, 0.07)) * canvas.columns
    silhouette = _silhouette(deepcopy(rng), canvas, scene, middle, foot)
    taken = np.flatnonzero(silhouette.any(axis=0))
    room = min(int(taken[0]), canvas.columns - 1 - int(taken[-1])) - 6
    shift = round(float(np.clip(aside, -max(room, 0), max(room, 0))))
    _draw_shadows(canvas, np.roll(silhouette, shift, axis=1), foot)
    _place(rng, canvas, scene, middle + shift / UNIT, foot)


def _silhouette(rng: np.random.Generator, canvas: Canvas, scene: Still, x: float, foot: float) -> Array:
    """The pixels that the thing will cover."""
    ghost = Canvas(canvas.columns, canvas.rows)
    ghost.pixels -= 1.0
    _place(rng, ghost, scene, x, foot)
    covered: Array = (ghost.pixels.max(axis=2) > -0.5).astype(np.float32)
    return covered


def _place(rng: np.random.Generator, canvas: Canvas, scene: Still, x: float, foot: float) -> None:
    plain: Tone = _unchanged
    standing = Standing(x=x, foot=foot, tone=plain, largest=LARGEST)
    place_thing(rng, canvas, scene.thing, scene.colour, standing)


def _unchanged(colour: Colour) -> Colour:
    return colour


def _draw_wall(rng: np.random.Generator, canvas: Canvas, wall: Colour) -> None:
    """A flat wall with a large pattern of a slightly different tone, lit from above."""
    bright = sum(wall) / 3
    canvas.fill([(0.0, lighter(wall, 0.03)), (FLOOR * canvas.height, darker(wall, 0.03))])
    other = lighter(wall, 0.09) if bright < 0.3 else darker(wall, 0.07 if bright > 0.8 else 0.11)
    kind = int(rng.integers(4))
    if kind == 1:
        canvas.paint(_bricks(rng, canvas), other)
    elif kind == 2:
        canvas.paint(_planks(rng, canvas), other)
    elif kind == 3:
        canvas.paint(_panels(rng, canvas), other)


def _bricks(rng: np.random.Generator, canvas: Canvas) -> Array:
    """Every third brick or so of a wall of bricks, and the joints between all of them."""
    high = int(rng.integers(18, 25))
    wide, joint = 2 * high, 2
    rows, columns = np.arange(canvas.rows)[:, None], np.arange(canvas.columns)[None, :]
    course = rows // high
    along = columns + (course % 2) * high
    joints = (rows % high < joint) | (along % wide < joint)
    toned = rng.random((canvas.rows // high + 1, canvas.columns // wide + 2)) < 0.3
    mask: Array = np.where(joints, 1.0, 0.5 * toned[course, along // wide]).astype(np.float32)
    return mask


def _planks(rng: np.random.Generator, canvas: Canvas) -> Array:
    """Upright planks, every other one toned."""
    wide = int(rng.integers(20, 33))
    columns = np.arange(canvas.columns) + int(rng.integers(wide))
    stripes = np.where(columns % wide < 2, 1.0, 0.55 * (columns // wide % 2)).astype(np.float32)
    return np.broadcast_to(stripes[None, :], (canvas.rows, canvas.columns))


def _panels(rng: np.random.Generator, canvas: Canvas) -> Array:
    """Panels with a frame of the wall's own tone between them."""
    count = max(round(canvas.width / float(rng.uniform(0.28, 0.36))), 2)
    wide, high = canvas.width / count, FLOOR * canvas.height / 2
    across = np.abs((canvas.x / wide) % 1.0 - 0.5) * wide
    down = np.abs((canvas.y / high) % 1.0 - 0.5) * high
    inset = np.minimum(wide / 2 - across, high / 2 - down) * UNIT
    frame: Array = np.clip(inset - 9.0, 0.0, 1.0) - 0.5 * np.clip(inset - 12.0, 0.0, 1.0)
    return frame


def _draw_floor(rng: np.random.Generator, canvas: Canvas) -> None:
    """A neutral floor, lighter towards the viewer, with a skirting board along the wall."""
    floor = jitter(rng, FLOORS[int(rng.integers(len(FLOORS)))], 0.02)
    edge = FLOOR * canvas.height
    amount = np.clip((canvas.y - edge) / (canvas.height - edge), 0.0, 1.0)[..., None]
    far, near = np.asarray(darker(floor, 0.16), np.float32), np.asarray(lighter(floor, 0.08), np.float32)
    canvas.paint(canvas.below(edge - 5 / UNIT), mix(SKIRTING, floor, 0.15))
    canvas.paint(canvas.below(edge), darker(floor, 0.5))
    canvas.paint(canvas.below(edge + 2 / UNIT), (far + (near - far) * amount).astype(np.float32))


def _draw_shadows(canvas: Canvas, silhouette: Array, foot: float) -> None:
    """The thing's faint shadow on the wall, and the dark one on the floor where it stands."""
    sheet = Image.fromarray((silhouette * 255.0).astype(np.uint8))
    soft = sheet.filter(ImageFilter.BoxBlur(5)).transform(sheet.size, Image.Transform.AFFINE, (1, 0, -7, 0, 1, -5))
    above: Array = 1.0 - canvas.below(FLOOR * canvas.height)
    on_wall: Array = np.asarray(soft, np.float32) / np.float32(255.0) * above
    canvas.paint(on_wall * 0.20, (0.05, 0.04, 0.06))
    row = min(round(foot * UNIT), canvas.rows)
    touching = np.flatnonzero(silhouette[max(row - 12, 0) : row].any(axis=0))
    if not len(touching):
        return
    left, right = float(touching[0]) / UNIT, float(touching[-1] + 1) / UNIT
    across = (canvas.x - (left + right) / 2) / ((right - left) / 2 + 0.03)
    down = (canvas.y - foot) / (0.035 * canvas.scale)
    pool: Array = np.exp(-(np.abs(across) ** 3) * 1.2 - down**2)
    canvas.paint(pool * canvas.below(FLOOR * canvas.height) * 0.5, (0.08, 0.06, 0.06))
