"""Pictures from people, and the files made of results."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from generation import pictures
from tests.generation.requests import decoded, encoded, picture


def png_of_declared_size(width: int, height: int) -> bytes:
    """A PNG whose header says more than its data holds."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


WHOLE = encoded(picture(64, 48), "PNG")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        encoded(picture(8, 8).convert("P"), "GIF"),
        encoded(picture(8, 8), "TIFF"),
        WHOLE[: len(WHOLE) // 2],
        WHOLE[:40],
        encoded(picture(64, 48), "JPEG")[:300],
        png_of_declared_size(9000, 9000),
        png_of_declared_size(2**31 - 1, 2**31 - 1),
        png_of_declared_size(100, 100),
        WHOLE + bytes(pictures.MAX_SOURCE_BYTES),
    ],
)
def test_hostile_sources_are_refused(data: bytes) -> None:
    with pytest.raises(pictures.BadSource):
        pictures.open_source(data, 32, 32)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_sources_are_refused_or_read(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP"]))
    whole = bytearray(encoded(picture(24, 16), form))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        opened = pictures.open_source(bytes(whole), 32, 32)
    except pictures.BadSource:
        return
    assert (opened.mode, opened.size) == ("RGB", (32, 32))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    grey = Image.fromarray(np.full((40, 60), 128, np.uint8))
    source = Image.fromarray(np.full((40, 60), 128 * 256, np.uint16)) if mode == "I;16" else grey.convert(mode)
    opened = pictures.open_source(encoded(source), 32, 16)
    assert (opened.mode, opened.size) == ("RGB", (32, 16))
    if mode != "1":
        assert abs(np.asarray(opened).astype(int) - 128).max() <= 2


def test_what_is_transparent_is_laid_on_white() -> None:
    source = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    assert pictures.open_source(encoded(source), 8, 8).getpixel((4, 4)) == (255, 255, 255)


def test_a_turned_photograph_is_set_upright_and_its_facts_are_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera"
    source = Image.new("RGB", (40, 20), "blue")
    source.paste("red", (0, 0, 20, 20))
    opened = pictures.open_source(encoded(source, "JPEG", exif=exif.tobytes(), quality=95), 20, 40)
    assert opened.getpixel((10, 5))[0] > 200
    assert opened.getpixel((10, 35))[2] > 200
    assert not opened.getexif()


def test_another_shape_is_cropped_not_stretched() -> None:
    source = Image.new("RGB", (90, 30), "black")
    source.paste("white", (30, 0, 60, 30))
    assert pictures.open_source(encoded(source), 30, 30).getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize(("count", "size"), [(1, (20, 10)), (2, (40, 10)), (3, (40, 20)), (4, (40, 20))])
def test_grids(count: int, size: tuple[int, int]) -> None:
    colours = ["red", "lime", "blue", "white"]
    sheet = pictures.grid([Image.new("RGB", (20, 10), colour) for colour in colours[:count]])
    assert sheet.size == size
    corners = [(5, 5), (35, 5), (5, 15), (35, 15)]
    seen = [sheet.getpixel(corner) for corner in corners[:count]]
    assert seen == [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)][:count]
    if count == 3:
        assert max(sheet.getpixel(corners[3])) < 40


@pytest.mark.parametrize("size", [(64, 64), (512, 256), (16, 384)])
def test_a_preview_is_small(size: tuple[int, int]) -> None:
    shown = decoded(pictures.preview([picture(*size)] * 4))
    assert shown.format == "JPEG"
    assert max(shown.size) == 256


def test_a_damaged_file_does_not_take_long() -> None:
    """300 frames in one file: only the first is looked at."""
    frames = [Image.new("L", (2000, 2000), index % 256) for index in range(20)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True, method=0)
    assert pictures.open_source(file.getvalue(), 64, 64).size == (64, 64)
