"""From a request to calls of a pipeline, and from what they draw to the pictures that were asked for. Pillow only.

A way is a generator: it yields calls, is sent the pictures of each, and returns the finished ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, ImageChops, ImageFilter

from generation import pictures
from generation.catalogue import ModelSpec
from generation.containers import BadSource
from generation.contract import (
    MAX_SEED,
    Blend,
    Control,
    Edit,
    ImageToImage,
    Inpaint,
    Outpaint,
    Request,
    Sampling,
    TextToImage,
    Tile,
    Upscale,
)
from generation.families import Way

Pictures = list[Image.Image]

_FEATHER = 6
"""Pixels inside of a mask over which the new picture takes over from the old one."""
_CARRY = 12
"""Pixels over which the old picture's colours fade into the new one's."""
_MIDDLE = 128
"""Stands for no difference between two levels."""
_OVERLAP = 0.25
"""How much of a tile its neighbour draws too, when a picture is drawn larger in parts."""
_KEPT = 8
"""At full strength, what is wider than so many parts of a tile stays as it was when a picture is drawn larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one call of a pipeline draws: the sampling in a way, and the pictures that the way needs."""

    way: Way
    sampling: Sampling
    #: RGB, of the sampling's size: one for each seed or one for all; for an edit, its references.
    sources: Sequence[Image.Image] = ()
    #: L, of the sampling's size: what is white is drawn anew.
    mask: Image.Image | None = None
    #: How much of the source is drawn anew, in (0, 1].
    strength: float | None = None
    #: Whether the picture is to continue itself beyond its edges.
    tiled: bool = False


Calls = Generator[Call, Pictures, Pictures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a request is drawn: in `count` calls of about the same length."""

    count: int
    calls: Callable[[Sampling], Calls]
    #: Whether what a call draws is finished as it is.
    final: bool = False


def plan(request: Request, spec: ModelSpec) -> Plan:
    """How a request is drawn. Raises BadSource for pictures that can't be read or used."""
    size = (request.sampling.width, request.sampling.height)
    match request:
        case TextToImage():
            return _single(Way.TEXT)
        case ImageToImage():
            source = pictures.open_source(request.source, *size)
            return _single(Way.IMAGE, sources=(source,), strength=request.strength)
        case Inpaint():
            mask = _mask(request.mask, size)
            source = pictures.open_source(request.source, *size)
            return Plan(count=1, calls=lambda sampling: _inpainted(sampling, (source,), mask, request.strength))
        case Edit():
            return _single(Way.EDIT, sources=_opened(request.sources, size, most=spec.family.references))
        case Control():
            return _single(Way.CONTROL, sources=(pictures.open_source(request.source, *size),))
        case Outpaint():
            canvas, mask = _canvas(request, size)
            return Plan(count=1, calls=lambda sampling: _inpainted(sampling, (canvas,), mask, 1.0))
        case Tile():
            return _single(Way.TEXT, tiled=True)
        case Blend():
            sources = _opened(request.sources, size, most=5)
            if Way.IMAGE not in spec.family.ways:
                return _single(Way.EDIT, sources=sources[: spec.family.references])
            return _single(Way.IMAGE, sources=(_average(sources),), strength=request.strength)
        case Upscale():
            source = pictures.open_source(request.source, *size)
            tile = (_within(spec.width, size[0], spec), _within(spec.height, size[1], spec))
            boxes = list(_boxes(size, tile))
            batches = [boxes[first : first + spec.max_images] for first in range(0, len(boxes), spec.max_images)]
            if Way.UPSCALE in spec.family.ways:
                way, keeps, told = Way.UPSCALE, 0.0, request.sampling
            else:
                way, keeps = Way.IMAGE, request.strength * tile[0] / _KEPT
                told = request.sampling if len(boxes) == 1 else _wordless(request.sampling, spec)
            told = replace(told, width=tile[0], height=tile[1])

            def calls(sampling: Sampling) -> Calls:
                return _upscaled(replace(told, seeds=sampling.seeds), source, batches, way, request.strength, keeps)

            return Plan(count=len(batches), calls=calls)


def _single(way: Way, **more: Any) -> Plan:
    """One call, whose pictures are the finished ones."""

    def calls(sampling: Sampling) -> Calls:
        return (yield Call(way=way, sampling=sampling, **more))

    return Plan(count=1, calls=calls, final=True)


def _opened(sources: Sequence[bytes], size: tuple[int, int], *, most: int) -> tuple[Image.Image, ...]:
    """Several pictures. Raises BadSource, also for none and for too many."""
    if not 1 <= len(sources) <= most:
        raise BadSource(f"{len(sources)} pictures were given, and 1 to {most} are taken")
    return tuple(pictures.open_source(source, *size) for source in sources)


# Inpainting and outpainting


def _mask(data: bytes, size: tuple[int, int]) -> Image.Image:
    mask = pictures.open_source(data, *size).convert("L").point(lambda level: 255 * (level > 127))
    if mask.getbbox() is None:
        raise BadSource("the mask has nothing white, so there is nothing to draw anew")
    return mask


def _inpainted(sampling: Sampling, sources: Sequence[Image.Image], mask: Image.Image, strength: float) -> Calls:
    """The old pixels lie outside of the mask afterwards: a pipeline gives them back nearly, and not quite."""
    drawn = yield Call(way=Way.INPAINT, sampling=sampling, sources=sources, mask=mask, strength=strength)
    soft = ImageChops.darker(mask.filter(ImageFilter.GaussianBlur(_FEATHER / 2)), mask)
    olds = sources if len(sources) > 1 else list(sources) * len(drawn)
    return [Image.composite(_matched(new, old, mask), old, soft) for new, old in zip(drawn, olds, strict=True)]


def _matched(new: Image.Image, old: Image.Image, mask: Image.Image) -> Image.Image:
    """The new picture in the old one's colours at the edge of the mask, and more and more in its own away from it.

    Outside of the mask it shows the old picture too, a little off. That difference, blurred, is taken along over the edge,
    where the blur reaches half of it: hence twice.
    """
    off = ImageChops.subtract(old, new, 1, _MIDDLE)
    off.paste((_MIDDLE,) * 3, mask=mask)
    carried = off.filter(ImageFilter.GaussianBlur(_CARRY))
    return ImageChops.add(ImageChops.add(new, carried, 1, -_MIDDLE), carried, 1, -_MIDDLE)


def _canvas(request: Outpaint, size: tuple[int, int]) -> tuple[Image.Image, Image.Image]:
    """The canvas with the picture in its place, what lies at its edges drawn out over the rest, and the mask of the rest.

    Raises BadSource for a place that is no part of the canvas, or all of it.
    """
    left, top, width, height = request.place
    right, bottom = size[0] - left - width, size[1] - top - height
    if min(left, top, right, bottom) < 0 or min(width, height) < 1 or (width, height) == size:
        raise BadSource(f"a picture of {width}×{height} at {left}, {top} leaves nothing to draw on {size[0]}×{size[1]}")
    picture = pictures.open_source(request.source, width, height)
    columns, rows = _edges(left, width, right), _edges(top, height, bottom)
    canvas = Image.new("RGB", size)
    for (x, wide), across in columns:
        for (y, high), down in rows:
            part = picture.crop((across[0], down[0], across[1], down[1]))
            canvas.paste(part.resize((wide, high), Image.Resampling.BILINEAR), (x, y))
    canvas = canvas.filter(ImageFilter.GaussianBlur(_FEATHER))
    canvas.paste(picture, (left, top))
    mask = Image.new("L", size, 255)
    mask.paste(0, (left, top, left + width, top + height))
    return canvas, mask


def _edges(before: int, length: int, after: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Along one side: where each stretch lies on the canvas, (start, length), and what of the picture fills it."""
    stretches = (
        ((0, before), (0, 1)),
        ((before, length), (0, length)),
        ((before + length, after), (length - 1, length)),
    )
    return [(place, part) for place, part in stretches if place[1]]


# Blends


def _average(sources: Sequence[Image.Image]) -> Image.Image:
    """Every picture counts the same."""
    blended = sources[0]
    for number, picture in enumerate(sources[1:], start=2):
        blended = Image.blend(blended, picture, 1 / number)
    return blended


# Larger pictures


Box = tuple[int, int, int, int]


def _boxes(size: tuple[int, int], tile: tuple[int, int]) -> Iterator[Box]:
    """Tiles that cover a picture, each of which overlaps its neighbours: (left, top, right, bottom)."""
    for top in _starts(size[1], tile[1]):
        for left in _starts(size[0], tile[0]):
            yield left, top, left + tile[0], top + tile[1]


def _within(native: int, side: int, spec: ModelSpec) -> int:
    """A side that the model draws and that is no longer than the picture's."""
    return min(native, side // spec.multiple * spec.multiple)


def _starts(side: int, tile: int) -> list[int]:
    if side <= tile:
        return [0]
    count = math.ceil((side - tile) / (tile * (1 - _OVERLAP))) + 1
    return [round(index * (side - tile) / (count - 1)) for index in range(count)]


def _wordless(sampling: Sampling, spec: ModelSpec) -> Sampling:
    """Without words, of which a tile shows but a part: told of all of it, it would draw each thing once more."""
    off = spec.family.off
    return replace(sampling, prompt="", negative="", guidance=sampling.guidance if off is None else off)


def _upscaled(
    sampling: Sampling, source: Image.Image, batches: Sequence[Sequence[Box]], way: Way, strength: float, keeps: float
) -> Calls:
    """Each tile is drawn from the enlarged picture, and laid over those before it with edges that fade in.

    Of a tile only detail is taken: what is wider than `keeps` pixels stays as it was, colours above all.
    """
    first = sampling.seeds[0]
    result, number = source.copy(), 0
    for batch in batches:
        seeds = tuple((first + number + index) % (MAX_SEED + 1) for index in range(len(batch)))
        number += len(batch)
        parts = [source.crop(box) for box in batch]
        drawn = yield Call(
            way=way,
            sampling=replace(sampling, seeds=seeds),
            sources=parts,
            strength=strength,
        )
        for box, picture, part in zip(batch, drawn, parts, strict=True):
            result.paste(_in_colours_of(part, picture, keeps) if keeps else picture, box[:2], _fade(box))
    return [result]


def _in_colours_of(old: Image.Image, new: Image.Image, radius: float) -> Image.Image:
    """The new picture, and what of the old one is left after a blur."""
    off = ImageChops.subtract(old, new, 1, _MIDDLE).filter(ImageFilter.GaussianBlur(radius))
    return ImageChops.add(new, off, 1, -_MIDDLE)


def _fade(box: Box) -> Image.Image:
    """Full in the middle of a tile, and rising over its overlap with those that lie before it, on the left and above."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    ramp_x = Image.new("L", (width, 1), 255)
    ramp_y = Image.new("L", (1, height), 255)
    across, down = round(width * _OVERLAP), round(height * _OVERLAP)
    if left > 0:
        ramp_x.putdata([min(255, 255 * (x + 1) // across) for x in range(width)])
    if top > 0:
        ramp_y.putdata([min(255, 255 * (y + 1) // down) for y in range(height)])
    return ImageChops.multiply(ramp_x.resize((width, height)), ramp_y.resize((width, height)))
