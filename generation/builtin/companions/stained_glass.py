"""A style that the built-in model does not know: vivid flat pieces of glass between thick dark lead lines.

The pieces are superpixels (Achanta et al., "SLIC superpixels", 2012): k-means over place and colour.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from generation.builtin.drawing.canvas import Array

Labels = NDArray[np.int32]

PIECE = 30.0
"""About how many pixels a piece is wide."""
PLACE_WEIGHT = 0.4
"""How far apart two places one piece's width from each other are, where black and red are 1 apart."""
ROUNDS = 4
LEAD_WIDTH = 5
LEAD = np.array([0.06, 0.06, 0.08], np.float32)
LIGHTER_OR_DARKER = 0.10
DARKEST_GLASS = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pixels:
    """Half-size pixels in the space where pieces are found: `features` (rows * columns, 5), and their grid."""

    features: Array
    rows: int
    columns: int


def stained_glass(rng: np.random.Generator, picture: Image.Image) -> Image.Image:
    """The picture as a leaded window, in the same size; the same generator state cuts the same pieces."""
    vivid = ImageEnhance.Contrast(ImageEnhance.Color(picture).enhance(1.7)).enhance(1.15)
    labels = _pieces(rng, vivid)
    glass = _flat(rng, np.asarray(vivid, np.float32) / np.float32(255.0), labels)
    lead = _lead(labels)[..., None]
    return Image.fromarray(((glass + (LEAD - glass) * lead) * 255.0 + 0.5).astype(np.uint8))


def _pieces(rng: np.random.Generator, picture: Image.Image) -> Labels:
    """For each pixel the number of its piece, shape (rows, columns)."""
    pixels = _pixels(picture)
    centres = _first_centres(rng, pixels)
    for _ in range(ROUNDS):
        nearest = _nearest(pixels, centres)
        counts = np.maximum(np.bincount(nearest, minlength=len(centres)), 1)
        sums = [np.bincount(nearest, column, len(centres)) for column in pixels.features.T]
        centres = (np.stack(sums, axis=1) / counts[:, None]).astype(np.float32)
    small = Image.fromarray(_nearest(pixels, centres).astype(np.int32).reshape(pixels.rows, pixels.columns))
    return np.asarray(small.resize(picture.size, Image.Resampling.NEAREST), np.int32)


def _pixels(picture: Image.Image) -> _Pixels:
    half = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    half = half.filter(ImageFilter.MedianFilter(5))
    colours = np.asarray(half, np.float32).reshape(-1, 3) / np.float32(255.0)
    y, x = np.mgrid[0 : half.height, 0 : half.width].astype(np.float32) * np.float32(2.0 / PIECE * PLACE_WEIGHT)
    features = np.concatenate([np.stack([y.ravel(), x.ravel()], axis=1), colours], axis=1)
    return _Pixels(features=features, rows=half.height, columns=half.width)


def _first_centres(rng: np.random.Generator, pixels: _Pixels) -> Array:
    """One pixel near each knot of a grid whose rows are shifted against one another, as bricks are."""
    step = PIECE / 2
    y, x = np.mgrid[step / 2 : pixels.rows : step, 0 : pixels.columns : step]
    x[1::2] += step / 2
    y, x = (knots + rng.uniform(-0.3, 0.3, knots.shape) * step for knots in (y, x))
    rows = np.clip(y, 0, pixels.rows - 1).astype(int)
    columns = np.clip(x, 0, pixels.columns - 1).astype(int)
    centres: Array = pixels.features[(rows * pixels.columns + columns).ravel()]
    return centres


def _nearest(pixels: _Pixels, centres: Array) -> NDArray[np.int64]:
    """For each pixel the nearest centre."""
    distances = (centres**2).sum(axis=1) - 2.0 * pixels.features @ centres.T
    nearest: NDArray[np.int64] = distances.argmin(axis=1)
    return nearest


def _flat(rng: np.random.Generator, pixels: Array, labels: Labels) -> Array:
    """Each piece in its mean colour, some a little lighter or darker."""
    flat = labels.ravel()
    count = int(flat.max()) + 1
    sizes = np.maximum(np.bincount(flat, minlength=count), 1)
    means = np.stack([np.bincount(flat, pixels[..., i].ravel(), count) for i in range(3)], axis=1)
    light = 1.0 + rng.uniform(-LIGHTER_OR_DARKER, LIGHTER_OR_DARKER, (count, 1))
    colours = np.clip(means / sizes[:, None] * light, 0.0, 1.0).astype(np.float32)
    glass: Array = DARKEST_GLASS + (1.0 - DARKEST_GLASS) * colours[labels]
    return glass


def _lead(labels: Labels) -> Array:
    """The lines between pieces, 0..1, with soft edges; a frame runs around the picture."""
    border = np.zeros(labels.shape, np.uint8)
    border[1:] |= (labels[1:] != labels[:-1]).astype(np.uint8)
    border[:, 1:] |= (labels[:, 1:] != labels[:, :-1]).astype(np.uint8)
    border[[0, -1]] = border[:, [0, -1]] = 1
    thick = Image.fromarray(border * 255).filter(ImageFilter.MaxFilter(LEAD_WIDTH))
    smooth = np.asarray(thick.filter(ImageFilter.GaussianBlur(1.2)), np.float32) / np.float32(255.0)
    lead: Array = np.clip((smooth - 0.4) / 0.4, 0.0, 1.0).astype(np.float32)
    return lead
