"""Draws what was asked for over days as a picture, on a ground of its own, so that it reads in dark mode and in light.

It shows no more than `admin_pages.statistics_alt` says in words.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from storage.jobs.statistics import Share, Span, Statistics

WIDTH, HEIGHT = 1200, 900
_GROUND, _TEXT, _LINES = "#2b2d31", "#dbdee1", "#4a4d55"
_BLUE, _ORANGE, _GREY, _GREEN = "#56b4e9", "#e69f00", "#9a9da6", "#2fbf8f"
"""Colours that people with any kind of colour vision tell apart."""
_MARGIN, _LEGEND, _AXIS = 90, 104, 46
_LABELS_AT_MOST = 5

LETTERS = 24
"""Pixels of the smallest letters. Discord shows the picture 550 pixels wide, which leaves eleven of them."""
_FONT = ImageFont.load_default(30)
_SMALL = ImageFont.load_default(LETTERS)

Row = tuple[str, str, Sequence[float]]
"""A row of values: its name, its colour, and a value for each span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of the picture; bars of `rows` are stacked, or stand beside each other. What is `whole` has no halves."""

    left: int
    top: int
    title: str
    rows: Sequence[Row]
    stacked: bool
    whole: bool = False

    @property
    def plot(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the bars' ground."""
        right, bottom = self.left + WIDTH // 2, self.top + HEIGHT // 2
        return self.left + _MARGIN, self.top + _LEGEND, right - 20, bottom - _AXIS


def chart(statistics: Statistics) -> bytes:
    """The picture as a PNG. Blocks: use a thread."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), _GROUND)
    draw = ImageDraw.Draw(picture)
    spans = statistics.spans
    days = [label(one) for one in spans]
    for panel in _panels(spans):
        _draw_panel(draw, panel, days)
    _draw_models(draw, WIDTH // 2, HEIGHT // 2, statistics.models)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def label(span: Span) -> str:
    """The day on which a span begins, as the axis and the words name it."""
    return f"{span.start.day} {span.start:%b}"


def _panels(spans: Sequence[Span]) -> tuple[Panel, ...]:
    jobs: list[Row] = [
        ("done", _BLUE, [one.done for one in spans]),
        ("failed", _ORANGE, [one.failed for one in spans]),
        ("cancelled", _GREY, [one.cancelled for one in spans]),
        ("open", _GREEN, [one.open for one in spans]),
    ]
    waits: list[Row] = [
        ("median", _BLUE, [one.wait or 0 for one in spans]),
        ("95 of 100 below", _ORANGE, [one.long_wait or 0 for one in spans]),
    ]
    minutes: list[Row] = [("", _GREEN, [one.seconds / 60 for one in spans])]
    return (
        Panel(left=0, top=0, title="Jobs", rows=jobs, stacked=True, whole=True),
        Panel(left=WIDTH // 2, top=0, title="Drawing, minutes", rows=minutes, stacked=True),
        Panel(left=0, top=HEIGHT // 2, title="Wait, seconds", rows=waits, stacked=False),
    )


def _draw_panel(draw: ImageDraw.ImageDraw, panel: Panel, days: Sequence[str]) -> None:
    left, top, right, bottom = panel.plot
    draw.text((left, panel.top + 14), panel.title, _TEXT, _FONT)
    _draw_legend(draw, panel)
    columns = list(zip(*(values for _, _, values in panel.rows), strict=True))
    highest = max((sum(one) if panel.stacked else max(one) for one in columns), default=0)
    ticks = scale(highest, whole=panel.whole)
    for tick in ticks:
        y = bottom - round(tick / ticks[-1] * (bottom - top))
        draw.line((left, y, right, y), _LINES)
        draw.text((left - 8, y), f"{tick:g}", _TEXT, _SMALL, anchor="rm")
    width = (right - left) / len(days)
    every = math.ceil(len(days) / _LABELS_AT_MOST)
    for place, (day, column) in enumerate(zip(days, columns, strict=True)):
        x = left + place * width
        _draw_bars(draw, panel, column, x=x, width=width, most=ticks[-1])
        if place % every == 0:
            draw.text((x + width / 2, bottom + 8), day, _TEXT, _SMALL, anchor="ma")


def _draw_bars(
    draw: ImageDraw.ImageDraw, panel: Panel, column: Sequence[float], *, x: float, width: float, most: float
) -> None:
    _, top, _, bottom = panel.plot
    gap, ground = width * 0.15, float(bottom)
    each = (width - 2 * gap) / (1 if panel.stacked else len(column))
    for place, ((_, colour, _), value) in enumerate(zip(panel.rows, column, strict=True)):
        start = x + gap + (0 if panel.stacked else place * each)
        height = value / most * (bottom - top)
        if value > 0:
            draw.rectangle((start, ground - max(height, 1), start + each - 1, ground), colour)
        if panel.stacked:
            ground -= height


def _draw_legend(draw: ImageDraw.ImageDraw, panel: Panel) -> None:
    x, y = float(panel.left + _MARGIN), panel.top + 62
    for name, colour, _ in panel.rows:
        if name:
            draw.rectangle((x, y, x + 16, y + 16), colour)
            draw.text((x + 22, y + 8), name, _TEXT, _SMALL, anchor="lm")
            x += 36 + draw.textlength(name, _SMALL)


def _draw_models(draw: ImageDraw.ImageDraw, left: int, top: int, models: Sequence[Share]) -> None:
    """Bars that lie, with the name and the minutes above each."""
    draw.text((left + _MARGIN, top + 14), "Models, minutes of drawing", _TEXT, _FONT)
    most = max((one.seconds for one in models), default=0) or 1
    longest = WIDTH // 2 - _MARGIN - 20
    for place, one in enumerate(models):
        y = top + _LEGEND + place * 68
        draw.text((left + _MARGIN, y), f"{_ascii(one.who)}: {one.seconds / 60:.1f}", _TEXT, _SMALL)
        length = max(1, round(one.seconds / most * longest))
        draw.rectangle((left + _MARGIN, y + 32, left + _MARGIN + length, y + 54), _BLUE)


def _ascii(name: str) -> str:
    """What the built-in font can show."""
    return name.encode("ascii", "replace").decode()[:28]


def scale(highest: float, *, whole: bool = False) -> list[float]:
    """Round numbers from 0 to at least `highest`: four to six of them, or fewer that are `whole`."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(
        power * factor
        for factor in ((1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10))
        if power * factor >= rough * (1 - 1e-9)
    )
    step = max(step, 1.0) if whole else step
    count = math.ceil(highest / step * (1 - 1e-9))
    return [round(step * n, 10) for n in range(max(count, 1) + 1)]
