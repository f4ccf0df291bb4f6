"""Contact sheets: small pictures in a grid, each with a few lines of text below."""

from collections.abc import Sequence
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont

SIDE = 160
"""The side of a picture's square cell in pixels."""
GAP, TEXT_SIZE, LINE, LINES = 6, 10, 12, 3
LETTERS = 33
"""How many letters fit on a line."""


def lay_out(pictures: Sequence[Image.Image], texts: Sequence[str], columns: int) -> Image.Image:
    """One RGB picture with all of them, row by row."""
    wide, high = SIDE + GAP, SIDE + LINES * LINE + GAP
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * wide + GAP, rows * high + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_SIZE)
    for index, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        left, top = GAP + index % columns * wide, GAP + index // columns * high
        small = picture.copy()
        small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        sheet.paste(small, (left + (SIDE - small.width) // 2, top + (SIDE - small.height) // 2))
        for row, line in enumerate(wrap(text, LETTERS)[:LINES]):
            pen.text((left, top + SIDE + 1 + row * LINE), line, fill=(40, 40, 40), font=font)
    return sheet
