"""Picture files on their way from a generator to the disk, and from there to Discord."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import discord
from PIL import Image

from bot.credentials import Seal
from generation import provenance
from generation.contract import Finished
from storage import images


def sealed(result: Finished, seal: Seal) -> Finished:
    """A result with all its files signed. Blocks: use a thread."""
    return replace(result, images=tuple(map(seal, result.images)), grid=seal(result.grid))


def keep(folder: Path, job_id: str, result: Finished, seeds: Sequence[int]) -> list[images.Image]:
    """Write a result's grid and pictures to disk and return the rows that describe them. Blocks: use a thread."""
    data = {images.file_name(index): one for index, one in enumerate((result.grid, *result.images))}
    written = images.write(folder, job_id, data)
    return [
        _row(job_id, index, data[name], written[name], seeds[index - 1] if index else None)
        for index, name in enumerate(data)
    ]


def _row(job_id: str, index: int, data: bytes, file: images.WrittenFile, seed: int | None) -> images.Image:
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
        width, height = picture.size
    return images.Image(
        job_id=job_id,
        index=index,
        sha256=file.sha256,
        bytes=file.bytes,
        width=width,
        height=height,
        seed=seed,
        content_type=content_type(data),
    )


def content_type(data: bytes) -> str:
    """The media type of an encoded JPEG or PNG."""
    return "image/jpeg" if data.startswith(b"\xff\xd8") else "image/png"


def attachment(data: bytes, filename: str, alt: str) -> discord.File:
    """An upload; a `discord.File` is used up by one request, so make one for each."""
    return discord.File(io.BytesIO(data), filename, description=alt)


def shrink(data: bytes, limit: int, seal: Seal) -> bytes:
    """A JPEG of the picture with at most `limit` bytes where that can be done without ruining it, which says the same
    of itself. Blocks: use a thread.
    """
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as whole:
        label = provenance.found_in(whole).options("JPEG")
        picture = whole.convert("RGB")
    quality = 92
    while True:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True, **label)
        small = seal(out.getvalue())
        if len(small) <= limit or max(picture.size) <= 256:
            return small
        if quality > 80:
            quality -= 6
        else:
            picture = picture.resize(
                (picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS
            )
