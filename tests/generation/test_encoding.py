"""Results as files: exactly the pixels that were drawn, in PNG that strict readers take."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from generation.pipelines.base import BrokenImage, to_picture
from tests.generation.requests import decoded, picture, result_files, text_to_image


def file_of(drawn: Image.Image) -> bytes:
    (file,), _ = result_files(text_to_image(seeds=(1,)), [drawn])
    return file


@settings(max_examples=60)
@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_every_pixel_of_any_picture_comes_back(
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> None:
    assert np.array_equal(np.asarray(decoded(file_of(Image.fromarray(pixels))).convert("RGB")), pixels)


def test_a_strict_reader_finds_no_fault() -> None:
    """Lengths and checksums of every chunk, and rows of as many bytes as the header says."""
    file = file_of(picture(96, 64))
    assert file.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = [], 8
    while at < len(file):
        length, name = int.from_bytes(file[at : at + 4]), file[at + 4 : at + 8]
        data, checksum = file[at + 8 : at + 8 + length], file[at + 8 + length : at + 12 + length]
        assert int.from_bytes(checksum) == zlib.crc32(name + data)
        chunks.append((name, data))
        at += 12 + length
    names = [name for name, _ in chunks]
    assert names[0] == b"IHDR"
    assert names[-2:] == [b"IDAT", b"IEND"]
    assert len(zlib.decompress(chunks[-2][1])) == 64 * (1 + 96 * 3)
    assert decoded(file).mode == "RGB"


def test_files_of_drawn_pictures_stay_small() -> None:
    """Smooth colours take far less than their bytes, and a plain surface next to nothing."""
    assert len(file_of(picture(512, 512))) < 512 * 512 * 3 / 3
    assert len(file_of(Image.new("RGB", (512, 512), "teal"))) < 12_000


def test_values_become_levels_from_black_to_white() -> None:
    values = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0]).expand(3, 1, 5)
    drawn = to_picture(values)
    assert list(drawn.convert("L").tobytes()) == [0, 0, 128, 255, 255]


@given(st.sampled_from([float("nan"), float("inf"), float("-inf")]), st.integers(0, 3 * 16 * 16 - 1))
@settings(max_examples=30)
def test_one_value_that_is_no_number_spoils_the_results(value: float, where: int) -> None:
    values = torch.rand(3, 16, 16)
    values.view(-1)[where] = value
    with pytest.raises(BrokenImage, match="aren't numbers"):
        to_picture(values)
