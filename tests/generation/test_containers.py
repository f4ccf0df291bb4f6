"""The walk over a stranger's file: bounded, whatever the file says, and never more than a BadSource."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation import containers
from generation.containers import MAX_PIECES, MAX_TEXTS_BYTES, BadSource, contents
from generation.pictures import open_source
from tests.bot.pictures.hostile import COSTLY, chunk, jpeg, png, progressive, segment
from tests.generation.requests import encoded, picture


@pytest.mark.parametrize("what", COSTLY)
def test_what_has_too_many_pieces_is_left_at_the_limit(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    class Counted(contents.Collector):
        def piece(self) -> None:
            looked_at.append(1)
            contents.Collector.piece(self)

    for module in (containers.png, containers.jpeg):
        monkeypatch.setattr(module, "Collector", Counted)
    with pytest.raises(BadSource, match=r"more than [0-9,]+ (pieces|scans)"):
        containers.read(COSTLY[what]())
    assert len(looked_at) <= MAX_PIECES + 1


@pytest.mark.parametrize("what", ["scans", "short EXIF"])
def test_no_decoder_meets_them(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("PIL.Image.open", never)
    with pytest.raises(BadSource, match="more than"):
        open_source(COSTLY[what](), 64, 64)


def test_ordinary_files_are_far_from_the_limits() -> None:
    for form in ("PNG", "JPEG", "WEBP"):
        assert containers.read(encoded(picture(2048, 2048), form)).pieces < 1000
    assert containers.read(encoded(picture(256, 256), "JPEG", progressive=True)).pieces < 50
    assert containers.read(progressive(20)).pieces == 26
    assert containers.read(jpeg(segment(0xFE, b"hello"), 9000)).pieces > 900


def test_texts_are_unpacked_up_to_a_limit_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = []
    real = zlib.decompressobj

    class Watched:
        def __init__(self) -> None:
            self._real = real()

        def decompress(self, data: bytes, most: int) -> bytes:
            out = self._real.decompress(data, most)
            unpacked.append(len(out))
            return out

    monkeypatch.setattr(contents.zlib, "decompressobj", Watched)
    bomb = zlib.compress(bytes(50 * 2**20), 9)
    found = containers.read(png(b"".join(chunk(b"zTXt", b"k%d\0\0" % n + bomb) for n in range(100))))
    assert sum(unpacked) <= MAX_TEXTS_BYTES + 100
    assert len(found.left_out) == 100


def test_a_text_that_is_too_large_hides_no_other() -> None:
    large = chunk(b"tEXt", b"workflow\0" + b"x" * (containers.MAX_TEXT_BYTES + 1))
    found = containers.read(png(large + chunk(b"tEXt", b"parameters\0a fox")))
    assert found.texts == {"parameters": "a fox"}
    assert found.left_out == {"workflow"}


SEEDS = [
    encoded(picture(16, 16), "PNG"),
    encoded(picture(16, 16), "JPEG"),
    encoded(picture(16, 16), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0" + bytes(40), xmp=b"<x/>"),
    png(chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"b")) + chunk(b"eXIf", b"MM\0*\0\0\0\x08")),
]


@given(st.data())
def test_damaged_files_are_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(len(whole) // 2, len(whole))) :]
    with suppress(BadSource):
        containers.read(bytes(whole))


def tiff(order: str, entries: list[tuple[int, int, int, int]], rest: bytes) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    body = struct.pack(order + "IH", 8, len(entries))
    return mark + body + b"".join(struct.pack(order + "HHII", *entry) for entry in entries) + rest


@given(
    st.sampled_from("<>"),
    st.lists(
        st.tuples(
            st.sampled_from([0x010F, 0x0110, 0x8769, 0x9286, 0x9000]),
            st.integers(0, 13),
            st.sampled_from([0, 1, 4, 5, 50, 2**32 - 1]),
            st.sampled_from([0, 8, 10, 26, 60, 2**32 - 1]),
        ),
        max_size=8,
    ),
    st.binary(max_size=60),
)
def test_no_exif_raises(order: str, entries: list[tuple[int, int, int, int]], rest: bytes) -> None:
    found: Any = containers.read(png(chunk(b"eXIf", tiff(order, entries, rest))))
    assert all(isinstance(text, str) for text in found.texts.values())
