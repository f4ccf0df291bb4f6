"""What the parts of one landscape share: its light, its levels and season, and ways to paint a stretch of land."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.builtin.drawing.canvas import Array, Canvas, Colour, Sprite, mix
from generation.builtin.drawing.sky import Light, shade

SNOW: Colour = (0.95, 0.97, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What all parts of one landscape share; `plain` is where the flat near ground begins, `snow` its cover 0..1."""

    rng: np.random.Generator
    canvas: Canvas
    light: Light
    time: str
    season: str
    snow: float
    horizon: float
    plain: float
    lit_from: int

    @property
    def relief(self) -> float:
        """The length that mountains and towers are sized by."""
        return (self.canvas.height + self.canvas.scale) / 2

    def shade(self, colour: Colour, distance: float = 0.0, covered: float = 1.0) -> Colour:
        """The colour in this light, under as much of the snow as `covered` says."""
        return shade(self.light, mix(colour, SNOW, self.snow * covered), distance)

    def spread(self, density: float, wobble: float = 0.3) -> list[float]:
        """Positions across the whole width, `density` to a unit of length, each moved a little."""
        count = max(round(density * self.canvas.width), 1)
        spots = (np.arange(count) + 0.5 + self.rng.uniform(-wobble, wobble, count)) / count
        return [float(spot) * self.canvas.width for spot in spots]

    def panorama(self, foot: float) -> Sprite:
        """A sheet as wide as the picture to draw many things on; its x counts from the left edge's `left`."""
        reach = max(self.canvas.width / 2, min(foot, 0.8 * self.relief))
        return Sprite(canvas=self.canvas, x=self.canvas.width / 2, foot=foot, size=1.0, reach=reach)

    @property
    def left(self) -> float:
        """The picture's left edge on a panorama."""
        return -self.canvas.width / 2

    def any_of(self, colours: Sequence[Colour]) -> Colour:
        """One of the colours at random."""
        return colours[int(self.rng.integers(len(colours)))]


def paint_bands(view: View, top: Array | float, far: Colour, near: Colour, count: int, swell: float) -> None:
    """Everything below `top`, in a few wavy bands from one colour to another."""
    canvas, start = view.canvas, float(np.mean(top))
    level: Array = np.zeros((canvas.rows, canvas.columns), np.float32)
    for step in range(1, count):
        y = start + (canvas.height - start) * (step / count) ** 1.4
        level += canvas.below(canvas.waves(view.rng, y, swell * (0.5 + step / count), 1.6 - 0.8 * step / count))
    ends = np.asarray(far, np.float32), np.asarray(near, np.float32)
    canvas.paint(
        canvas.below(top),
        (ends[0] + (ends[1] - ends[0]) * (level / max(count - 1, 1))[..., None]).astype(np.float32),
    )


def paint_slope(view: View, line: Array, crest: Colour, foot: Colour, depth: float) -> None:
    """Everything under a skyline, from the crest's colour smoothly to the foot's."""
    canvas = view.canvas
    down = np.clip((canvas.y - line) / depth, 0.0, 1.0)[..., None]
    first, last = np.asarray(crest, np.float32), np.asarray(foot, np.float32)
    canvas.paint(canvas.below(line), (first + (last - first) * down).astype(np.float32))
