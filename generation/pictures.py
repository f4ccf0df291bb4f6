"""Pictures as files: reading what people send without harm, and writing grids and previews. Pillow only."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from generation import containers, provenance
from generation.containers import MAX_SOURCE_BYTES, BadSource
from generation.provenance import Label

MAX_SOURCE_PIXELS = 50_000_000
"""A phone's largest photograph; decoded it takes 200 MB at most."""

_FORMATS = ("PNG", "JPEG", "WEBP")
_GRID_QUALITY = 93
_PREVIEW_QUALITY = 80
_PREVIEW_SIDE = 256
_EMPTY_CELL = (24, 24, 27)
_COVER_INK = (161, 161, 170)


def open_source(data: bytes, width: int, height: int) -> Image.Image:
    """A picture from a person as RGB, width × height: turned upright, laid on white, cropped to the shape.

    Only the first frame is looked at, and nothing but the pixels is kept. Raises BadSource.
    """
    if len(data) > MAX_SOURCE_BYTES:
        raise BadSource(f"the picture has more than {MAX_SOURCE_BYTES // 2**20} MiB")
    try:
        containers.read(data)  # counts segments and scans before a decoder meets them
        return _read(data, width, height)
    except BadSource:
        raise
    except Exception as error:  # decoders fed with hostile bytes raise nearly anything
        raise BadSource(f"the picture can't be read: {type(error).__name__}") from error


def _read(data: bytes, width: int, height: int) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        across, down = picture.size
        if across * down > MAX_SOURCE_PIXELS:
            raise BadSource(f"the picture has {across}×{down} pixels, more than {MAX_SOURCE_PIXELS // 10**6} million")
        picture.draft("RGB", (2 * width, 2 * height))
        picture.load()
        upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):
        upright = upright.point(lambda value: value * (1 / 256) + 0).convert("L")
    see_through = upright.has_transparency_data
    shaped = upright.convert("RGBA" if see_through else "RGB")
    shaped = ImageOps.fit(shaped, (width, height), Image.Resampling.LANCZOS)
    bare = Image.new("RGB", shaped.size, "white")
    bare.paste(shaped, mask=shaped if see_through else None)
    return bare


def grid(pictures: Sequence[Image.Image]) -> Image.Image:
    """One picture as it is, two side by side, three or four as 2×2 (the missing one a dark cell)."""
    if len(pictures) == 1:
        return pictures[0]
    width, height = pictures[0].size
    rows = math.ceil(len(pictures) / 2)
    sheet = Image.new("RGB", (2 * width, rows * height), _EMPTY_CELL)
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % 2 * width, index // 2 * height))
    return sheet


def cover(size: tuple[int, int]) -> Image.Image:
    """A dark cell for a grid, in place of a picture that may not be shown."""
    cell = Image.new("RGB", size, _EMPTY_CELL)
    draw = ImageDraw.Draw(cell)
    middle = (size[0] / 2, size[1] / 2)
    draw.text(middle, "withheld", _COVER_INK, font=ImageFont.load_default(max(8, size[0] / 10)), anchor="mm")
    return cell


def regrid(pictures: Sequence[Image.Image], like: bytes) -> bytes:
    """A grid of other pictures as JPEG, whose file says of itself what the grid `like` says."""
    return grid_file(pictures, provenance.found_in(like))


def grid_file(pictures: Sequence[Image.Image], label: Label) -> bytes:
    """Their grid as JPEG."""
    return _jpeg(grid(pictures), _GRID_QUALITY, label)


def preview(pictures: Sequence[Image.Image]) -> bytes:
    """A small JPEG of the whole batch, no side above 256 pixels."""
    sheet = grid(pictures)
    scale = _PREVIEW_SIDE / max(sheet.size)
    size = (max(1, round(sheet.width * scale)), max(1, round(sheet.height * scale)))
    return _jpeg(sheet.resize(size, Image.Resampling.BICUBIC), _PREVIEW_QUALITY, Label(mark=provenance.mark()))


def _jpeg(picture: Image.Image, quality: int, label: Label) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling="4:4:4", **label.options("JPEG"))
    return file.getvalue()
