"""A canvas to draw training pictures on: antialiased masks, gradients, noise, glow, and sprites.

Positions and lengths are in units of 256 pixels; x runs right and y runs down from the upper left corner. A mask is
float32, shape (height, width) in pixels, 0..1. Colours are RGB in 0..1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

UNIT = 256
"""Pixels in one unit of length."""
SUPERSAMPLING = 3

Array = NDArray[np.float32]
Colour = tuple[float, float, float]
Point = tuple[float, float]
Polygon = Sequence[Point]
Tone = Callable[[Colour], Colour]
"""What the light of a scene makes of a colour."""


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """The colour `amount` (0..1) of the way from `first` to `second`."""
    red, green, blue = (a + (b - a) * amount for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Colour, amount: float) -> Colour:
    """The colour `amount` of the way to black."""
    return mix(colour, (0.0, 0.0, 0.0), amount)


def lighter(colour: Colour, amount: float) -> Colour:
    """The colour `amount` of the way to white."""
    return mix(colour, (1.0, 1.0, 1.0), amount)


def jitter(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """The colour moved at random by at most `spread` in each channel."""
    red, green, blue = np.clip(np.asarray(colour) + rng.uniform(-spread, spread, 3), 0.0, 1.0)
    return float(red), float(green), float(blue)


class Canvas:
    """A picture being drawn: float32 RGB in 0..1, `pixels` of shape (rows, columns, 3)."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.width, self.height = columns / UNIT, rows / UNIT
        self.scale = min(self.width, self.height)
        """The shorter side, in units; what should fit into any shape of picture is sized by it."""
        self.pixels: Array = np.zeros((rows, columns, 3), np.float32)
        self.x_axis: Array = ((np.arange(columns) + 0.5) / UNIT).astype(np.float32)
        self.y_axis: Array = ((np.arange(rows) + 0.5) / UNIT).astype(np.float32)
        self.x: Array = np.broadcast_to(self.x_axis[None, :], (rows, columns))
        self.y: Array = np.broadcast_to(self.y_axis[:, None], (rows, columns))

    def paint(self, mask: Array, colour: Colour | Array) -> None:
        """Lays a colour, or an array of colours, over the picture where the mask is set."""
        self.pixels += mask[..., None] * (np.asarray(colour, np.float32) - self.pixels)

    def add_light(self, mask: Array, colour: Colour) -> None:
        """Brightens by a coloured light, as a glow does (screen blending)."""
        self.pixels += (1.0 - self.pixels) * mask[..., None] * np.asarray(colour, np.float32)

    def fill(self, stops: Sequence[tuple[float, Colour]]) -> None:
        """Fills the whole picture with a gradient from top to bottom through (height, colour) stops."""
        heights = [height for height, _ in stops]
        column = [np.interp(self.y_axis, heights, [colour[i] for _, colour in stops]) for i in range(3)]
        self.pixels[:] = np.stack(column, axis=-1).astype(np.float32)[:, None, :]

    def noise(self, rng: np.random.Generator, down: float, across: float) -> Array:
        """Smooth noise in 0..1 with about that many bumps to a unit of length."""
        size = ceil(across * self.width) + 1, ceil(down * self.height) + 1
        grid = Image.fromarray(rng.random((size[1], size[0]), dtype=np.float32))
        smooth = grid.resize((self.columns, self.rows), Image.Resampling.BICUBIC)
        return np.clip(np.asarray(smooth, np.float32), 0.0, 1.0)

    def ridge(self, rng: np.random.Generator, base: float, height: float, bumps: float, octaves: int) -> Array:
        """A skyline: for each column the y of the ridge, around `base` and rising by up to `height`."""
        line = np.zeros(self.columns, np.float32)
        for octave in range(octaves):
            knots = rng.uniform(0.0, 1.0, max(round(bumps * self.width), 1) * 2**octave + 2)
            spots = np.linspace(0.0, self.width, len(knots))
            line += np.interp(self.x_axis, spots, knots).astype(np.float32) * 0.5**octave
        line /= 2.0 - 0.5 ** (octaves - 1)
        skyline: Array = (base - height * line).astype(np.float32)
        return skyline

    def waves(self, rng: np.random.Generator, base: float, height: float, bumps: float) -> Array:
        """A smooth rolling skyline made of two sines, with that many bumps to a unit of length."""
        first, second = rng.uniform(0, 2 * np.pi, 2)
        line = np.sin(self.x_axis * bumps * 2 * np.pi + first)
        line = line + 0.5 * np.sin(self.x_axis * bumps * 4.4 * np.pi + second)
        skyline: Array = (base - height * (0.5 + line / 3.0)).astype(np.float32)
        return skyline

    def below(self, line: Array | float) -> Array:
        """The mask of everything under a skyline, with a one-pixel soft edge."""
        edge = np.asarray(line, np.float32)
        mask: Array = np.clip((self.y - edge) * UNIT + 0.5, 0.0, 1.0).astype(np.float32)
        return mask

    def disc(self, x: float, y: float, radius: float, stretch: float = 1.0) -> Array:
        """A filled circle, or an ellipse `stretch` times as wide as high."""
        distance = np.sqrt(((self.x - x) / stretch) ** 2 + (self.y - y) ** 2)
        return np.clip((radius - distance) * UNIT + 0.5, 0.0, 1.0).astype(np.float32)

    def glow(self, x: float, y: float, radius: float) -> Array:
        """Light that falls off smoothly from 1 at a point."""
        square = (self.x - x) ** 2 + (self.y - y) ** 2
        return np.exp(-square / (radius * radius)).astype(np.float32)

    def polygons(self, shapes: Sequence[Polygon]) -> Array:
        """One mask of several filled polygons, antialiased by supersampling."""
        sheet = Image.new("L", (self.columns * SUPERSAMPLING, self.rows * SUPERSAMPLING))
        pen, scale = ImageDraw.Draw(sheet), UNIT * SUPERSAMPLING
        for shape in shapes:
            pen.polygon([(px * scale, py * scale) for px, py in shape], fill=255)
        return np.asarray(sheet.reduce(SUPERSAMPLING), np.float32) / np.float32(255.0)

    def to_image(self) -> Image.Image:
        """An 8-bit RGB picture."""
        return Image.fromarray((np.clip(self.pixels, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8))


@dataclass(kw_only=True)
class Sprite:
    """One thing, drawn in coordinates of its own: (0, 0) is the middle of its foot, y runs up, 1 is its size.

    Shapes lie over one another in the order of the calls; nothing shows on the canvas before `place`. Room is kept
    for -`reach`..`reach` across, -0.25..`reach` up. Colours pass through `tone`, except of what is `lit`: a window at
    night, say.
    """

    canvas: Canvas
    x: float
    foot: float
    size: float
    tone: Tone = field(default=lambda colour: colour)
    night: bool = False
    reach: float = 1.6
    lights: list[tuple[Point, float, Colour, float]] = field(default_factory=list)

    BELOW = 0.25

    def __post_init__(self) -> None:
        self._scale = self.size * UNIT * SUPERSAMPLING
        self._left = int((self.x - self.reach * self.size) * UNIT)
        self._top = int((self.foot - self.reach * self.size) * UNIT)
        columns = ceil(2 * self.reach * self.size * UNIT) + 2
        rows = ceil((self.reach + self.BELOW) * self.size * UNIT) + 2
        self._sheet = Image.new("RGBA", (columns * SUPERSAMPLING, rows * SUPERSAMPLING))
        self._pen = ImageDraw.Draw(self._sheet)

    def _canvas_point(self, point: Point) -> Point:
        return self.x + point[0] * self.size, self.foot - point[1] * self.size

    def _sheet_point(self, point: Point) -> Point:
        x, y = self._canvas_point(point)
        return (x * UNIT - self._left) * SUPERSAMPLING, (y * UNIT - self._top) * SUPERSAMPLING

    def _ink(self, colour: Colour, lit: bool = False) -> tuple[int, int, int, int]:
        red, green, blue = colour if lit else self.tone(colour)
        return round(_clip(red) * 255), round(_clip(green) * 255), round(_clip(blue) * 255), 255

    def polygon(self, points: Polygon, colour: Colour, lit: bool = False) -> None:
        """A filled polygon."""
        self._pen.polygon([self._sheet_point(point) for point in points], fill=self._ink(colour, lit))

    def rectangle(
        self, left: float, bottom: float, right: float, top: float, colour: Colour, lit: bool = False
    ) -> None:
        """A filled upright rectangle."""
        self.polygon([(left, bottom), (left, top), (right, top), (right, bottom)], colour, lit)

    def disc(self, x: float, y: float, radius: float, colour: Colour, stretch: float = 1.0, lit: bool = False) -> None:
        """A filled circle, or an ellipse `stretch` times as wide as high."""
        cx, cy = self._sheet_point((x, y))
        across, down = radius * stretch * self._scale, radius * self._scale
        self._pen.ellipse((cx - across, cy - down, cx + across, cy + down), fill=self._ink(colour, lit))

    def ring(self, x: float, y: float, radius: float, width: float, colour: Colour) -> None:
        """A circle's outline, its width reaching inward."""
        cx, cy = self._sheet_point((x, y))
        r = radius * self._scale
        line = max(round(width * self._scale), 1)
        self._pen.ellipse((cx - r, cy - r, cx + r, cy + r), outline=self._ink(colour), width=line)

    def stroke(self, points: Polygon, width: float, colour: Colour) -> None:
        """A line through the points with round ends and joints."""
        path = [self._sheet_point(point) for point in points]
        line = max(round(width * self._scale), 1)
        self._pen.line(path, fill=self._ink(colour), width=line, joint="curve")
        for cx, cy in path:
            r = line / 2
            self._pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=self._ink(colour))

    def shine(self, x: float, y: float, radius: float, colour: Colour, strength: float = 0.5) -> None:
        """A light that glows over the finished thing and its surroundings."""
        self.lights.append(((x, y), radius, colour, strength))

    def place(self, reflection: float = 0.0) -> None:
        """Lays what was drawn on the canvas, and a mirrored, fainter copy below its foot if asked for."""
        premultiplied = self._sheet.convert("RGBa").reduce(SUPERSAMPLING)
        layer = np.asarray(premultiplied, np.float32) / np.float32(255.0)
        if reflection:
            foot = round(self.foot * UNIT) - self._top
            mirrored = layer[:foot][::-1] * reflection
            self._lay(mirrored, round(self.foot * UNIT))
        self._lay(layer, self._top)
        for point, radius, colour, strength in self.lights:
            x, y = self._canvas_point(point)
            self.canvas.add_light(self.canvas.glow(x, y, radius * self.size) * strength, colour)

    def _lay(self, layer: Array, top: int) -> None:
        """Composites premultiplied RGBA; whatever lies outside of the canvas is cut off."""
        canvas = self.canvas
        rows = slice(max(top, 0), min(top + layer.shape[0], canvas.rows))
        columns = slice(max(self._left, 0), min(self._left + layer.shape[1], canvas.columns))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        part = layer[rows.start - top : rows.stop - top, columns.start - self._left : columns.stop - self._left]
        target = canvas.pixels[rows, columns]
        target *= 1.0 - part[..., 3:]
        target += part[..., :3]


def _clip(channel: float) -> float:
    return min(max(channel, 0.0), 1.0)
