"""Styles as picture transforms: watercolour, pixel art and pencil sketch over any finished canvas."""

import numpy as np
from PIL import Image, ImageFilter

from generation.builtin.canvas import SIZE, Array, noise

STYLES = ("watercolor", "pixel art", "sketch")

PIXELS = 64
PIXEL_COLOURS = 24


def to_image(canvas: Array) -> Image.Image:
    """An 8-bit RGB picture of a canvas."""
    return Image.fromarray((np.clip(canvas, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8))


def apply_style(rng: np.random.Generator, canvas: Array, style: str) -> Image.Image:
    """The canvas as a picture in the named style; "" leaves it as it is."""
    match style:
        case "watercolor":
            return _watercolour(rng, canvas)
        case "pixel art":
            small = to_image(canvas).resize((PIXELS, PIXELS), Image.Resampling.BOX)
            flat = small.quantize(PIXEL_COLOURS, dither=Image.Dither.NONE).convert("RGB")
            return flat.resize((SIZE, SIZE), Image.Resampling.NEAREST)
        case "sketch":
            return _sketch(rng, canvas)
    return to_image(canvas)


def _warp(rng: np.random.Generator, canvas: Array, reach: float) -> Array:
    """Moves pixels by smooth noise, up to `reach` of them, so that edges wobble like a brush's."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    shift = [(noise(rng, 14, 14) - 0.5) * 2 * reach for _ in range(2)]
    rows = np.clip(rows + shift[0], 0, SIZE - 1).astype(int)
    columns = np.clip(columns + shift[1], 0, SIZE - 1).astype(int)
    moved: Array = canvas[rows, columns]
    return moved


def _watercolour(rng: np.random.Generator, canvas: Array) -> Image.Image:
    """Pale washes with wobbling edges, darker rims, blotches, and a white paper border."""
    wobbly = to_image(_warp(rng, canvas, 5.0)).filter(ImageFilter.MedianFilter(5))
    paint = np.asarray(wobbly, np.float32) / 255.0
    soft = np.asarray(wobbly.filter(ImageFilter.GaussianBlur(4)), np.float32) / 255.0
    rim = np.clip((soft - paint).mean(axis=2), 0, 1)[..., None]
    paint = 1.0 - (1.0 - paint) * 0.78 - rim * 0.5
    blotch = (0.5 * noise(rng, 7, 7) + 0.5 * noise(rng, 18, 18))[..., None]
    paint = paint + (1.0 - paint) * np.clip(blotch * 1.5 - 0.5, 0, 1) * 0.45
    axis = np.minimum(np.arange(SIZE), np.arange(SIZE)[::-1]).astype(np.float32)
    edge = np.minimum(axis[:, None], axis[None, :]) + 10 * (noise(rng, 12, 12) - 0.5)
    frame = np.clip((edge - 8.0) / 5.0, 0, 1)[..., None]
    return to_image(0.97 + (paint - 0.97) * frame)


def _sketch(rng: np.random.Generator, canvas: Array) -> Image.Image:
    """Grey pencil on paper: dark outlines, and hatching where the picture is dark."""
    grey = to_image(canvas).convert("L")
    blurred = np.asarray(grey.filter(ImageFilter.GaussianBlur(4)), np.float32) / 255.0
    sharp = np.asarray(grey.filter(ImageFilter.GaussianBlur(0.8)), np.float32) / 255.0
    lines = np.clip(sharp / (blurred + 0.06), 0.0, 1.0)
    lines = np.clip((lines - 0.45) / 0.5, 0, 1)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    hatch = 0.5 + 0.5 * np.sin((rows + columns) * 0.9 + 3 * noise(rng, 8, 8))
    dark = np.clip(0.85 - blurred, 0, 1)
    page = 0.96 * lines - dark * 0.42 * (0.55 + 0.6 * hatch)
    warm = np.stack([page, page * 0.995, page * 0.975], axis=-1)
    return to_image(0.12 + 0.88 * warm.astype(np.float32))
