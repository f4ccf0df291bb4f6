"""Picture files on their way from a generator to the disk, and from there to Discord."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import discord
from PIL import Image

from bot.pictures.signing import Seal
from generation import provenance
from generation.contract import Finished
from storage.jobs import images
from storage.jobs.images import Finding

UPLOAD_LIMIT = 20 * 2**20
"""Bytes that one message may carry everywhere: Discord's default since September 2026. discord.py 2.7.1 says 10 MiB."""

_NO_FILE = hashlib.sha256().hexdigest()


def keep(
    folder: Path,
    job_id: str,
    result: Finished,
    seeds: Sequence[int],
    found: Mapping[int, Finding] = MappingProxyType({}),
) -> list[images.Image]:
    """Write a result's grid and pictures to disk and return the rows that describe them. Blocks: use a thread.

    `found` says what the safety check found in which pictures; of those that nobody may ever see, there is no file.
    """
    data = dict(enumerate((result.grid, *result.images)))
    wanted = [index for index in data if found.get(index) is not Finding.REFUSED]
    written = images.write(folder, job_id, {images.file_name(index): data[index] for index in wanted})
    return [
        _row(
            images.Image(
                job_id=job_id,
                index=index,
                sha256=written[name].sha256 if name in written else _NO_FILE,
                bytes=written[name].bytes if name in written else 0,
                width=0,
                height=0,
                seed=seeds[index - 1] if index else None,
                content_type=content_type(one),
                finding=found.get(index, Finding.SAFE),
            ),
            one,
        )
        for index, one in data.items()
        for name in [images.file_name(index)]
    ]


def _row(row: images.Image, data: bytes) -> images.Image:
    """The row with the picture's size."""
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
        return replace(row, width=picture.width, height=picture.height)


def content_type(data: bytes) -> str:
    """The media type of an encoded JPEG or PNG."""
    return "image/jpeg" if data.startswith(b"\xff\xd8") else "image/png"


def attachment(data: bytes, filename: str, alt: str) -> discord.File:
    """An upload; a `discord.File` is used up by one request, so make one for each."""
    return discord.File(io.BytesIO(data), filename, description=alt)


def upload_limit(channel: object, told: int | None = None) -> int:
    """Bytes that one message may carry in a channel; `told` is what Discord said of it with an interaction."""
    boosted: int = getattr(getattr(channel, "guild", None), "filesize_limit", 0)
    return told or max(boosted, UPLOAD_LIMIT)


def shrink(data: bytes, limit: int, seal: Seal) -> bytes:
    """A JPEG of the picture with at most `limit` bytes where that can be done without ruining it, which says the same
    of itself. Blocks: use a thread.
    """
    label = provenance.found_in(data).options("JPEG")
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as whole:
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
            picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS)
