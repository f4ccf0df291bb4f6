"""Drawing primitives for training pictures: antialiased masks, gradients, noise and glow on numpy arrays.

A canvas is float32, shape (SIZE, SIZE, 3), RGB in 0..1. A mask is float32, shape (SIZE, SIZE), 0..1.
Positions and radii are fractions of the picture's side; x runs right and y runs down.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIZE = 256
SUPERSAMPLING = 2

Array = NDArray[np.float32]
Colour = tuple[float, float, float]
Polygon = Sequence[tuple[float, float]]

_AXIS = ((np.arange(SIZE) + 0.5) / SIZE).astype(np.float32)
X: Array = np.broadcast_to(_AXIS[None, :], (SIZE, SIZE))
Y: Array = np.broadcast_to(_AXIS[:, None], (SIZE, SIZE))


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """The colour `amount` (0..1) of the way from `first` to `second`."""
    red, green, blue = (a + (b - a) * amount for a, b in zip(first, second, strict=True))
    return red, green, blue


def jitter(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """The colour moved at random by at most `spread` in each channel."""
    red, green, blue = np.clip(np.asarray(colour) + rng.uniform(-spread, spread, 3), 0.0, 1.0)
    return float(red), float(green), float(blue)


def paint(canvas: Array, mask: Array, colour: Colour | Array) -> None:
    """Lays a colour, or another canvas, over `canvas` in place where the mask is set."""
    canvas += mask[..., None] * (np.asarray(colour, np.float32) - canvas)


def add_light(canvas: Array, mask: Array, colour: Colour) -> None:
    """Brightens `canvas` in place by a coloured light, as a glow does (screen blending)."""
    canvas += (1.0 - canvas) * mask[..., None] * np.asarray(colour, np.float32)


def gradient(stops: Sequence[tuple[float, Colour]]) -> Array:
    """A canvas whose colour runs from top to bottom through (height, colour) stops."""
    heights = [height for height, _ in stops]
    column = [np.interp(_AXIS, heights, [colour[i] for _, colour in stops]) for i in range(3)]
    rows = np.stack(column, axis=-1).astype(np.float32)
    return np.repeat(rows[:, None, :], SIZE, axis=1)


def noise(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Smooth noise in 0..1 with about that many bumps down and across."""
    grid = Image.fromarray(rng.random((rows + 1, columns + 1), dtype=np.float32))
    return np.asarray(grid.resize((SIZE, SIZE), Image.Resampling.BICUBIC), np.float32)


def clouds_mask(rng: np.random.Generator, cover: float) -> Array:
    """Soft streaky clouds; `cover` 0..1 says how much of the sky they take."""
    field = 0.55 * noise(rng, 7, 3) + 0.3 * noise(rng, 16, 7) + 0.15 * noise(rng, 36, 18)
    mask: Array = np.clip((field - (0.72 - 0.35 * cover)) * 4.0, 0.0, 1.0)
    return mask


def ridge(rng: np.random.Generator, base: float, height: float, bumps: int, octaves: int) -> Array:
    """A skyline: for each column the y of the ridge, around `base` and rising by up to `height`."""
    line = np.zeros(SIZE, np.float32)
    for octave in range(octaves):
        knots = rng.uniform(0.0, 1.0, bumps * 2**octave + 2)
        spots = np.linspace(0.0, 1.0, len(knots))
        line += np.interp(_AXIS, spots, knots).astype(np.float32) * 0.5**octave
    line /= 2.0 - 0.5 ** (octaves - 1)
    skyline: Array = (base - height * line).astype(np.float32)
    return skyline


def waves(rng: np.random.Generator, base: float, height: float, bumps: float) -> Array:
    """A smooth rolling skyline made of two sines."""
    first, second = rng.uniform(0, 2 * np.pi, 2)
    line = np.sin(_AXIS * bumps * 2 * np.pi + first) + 0.5 * np.sin(_AXIS * bumps * 4.4 * np.pi + second)
    skyline: Array = (base - height * (0.5 + line / 3.0)).astype(np.float32)
    return skyline


def below(line: Array | float) -> Array:
    """The mask of everything under a skyline, with a one-pixel soft edge."""
    mask: Array = np.clip((Y - np.asarray(line, np.float32)) * SIZE + 0.5, 0.0, 1.0).astype(np.float32)
    return mask


def disc(x: float, y: float, radius: float, stretch: float = 1.0) -> Array:
    """A filled circle, or an ellipse `stretch` times as wide as high."""
    distance = np.sqrt(((X - x) / stretch) ** 2 + (Y - y) ** 2)
    return np.clip((radius - distance) * SIZE + 0.5, 0.0, 1.0).astype(np.float32)


def glow(x: float, y: float, radius: float) -> Array:
    """Light that falls off smoothly from 1 at a point."""
    return np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (radius * radius)).astype(np.float32)


def polygons(shapes: Sequence[Polygon]) -> Array:
    """One mask of several filled polygons, antialiased by supersampling."""
    side = SIZE * SUPERSAMPLING
    sheet = Image.new("L", (side, side))
    pen = ImageDraw.Draw(sheet)
    for shape in shapes:
        pen.polygon([(px * side, py * side) for px, py in shape], fill=255)
    return np.asarray(sheet.reduce(SUPERSAMPLING), np.float32) / np.float32(255.0)
