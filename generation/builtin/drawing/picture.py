"""Draws any scene in any size."""

import numpy as np
from PIL import Image

from generation.builtin.drawing.canvas import Canvas
from generation.builtin.drawing.landscape import draw_landscape
from generation.builtin.drawing.scenes import Landscape, Scene, Shape, Still
from generation.builtin.drawing.shapes import draw_shapes
from generation.builtin.drawing.still import draw_still
from generation.builtin.drawing.styles import apply_style


def draw(rng: np.random.Generator, scene: Scene, size: tuple[int, int]) -> Image.Image:
    """The scene as an RGB picture of (columns, rows); the same generator state draws the same picture."""
    canvas = Canvas(*size)
    match scene:
        case Shape():
            draw_shapes(rng, canvas, scene)
        case Still():
            draw_still(rng, canvas, scene)
        case Landscape():
            draw_landscape(rng, canvas, scene)
    return apply_style(rng, canvas.to_image(), scene.style)
