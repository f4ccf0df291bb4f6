"""What result files say of themselves, as other programs read it, and what is read back from anybody's files."""

from __future__ import annotations

import io
import struct
import time
import zlib
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generation import parameters, pictures, provenance
from generation.contract import ImageToImage, Request, TextToImage
from generation.parameters import Parameters
from generation.read_metadata import describe
from tests.generation.requests import decoded, encoded, image_to_image, picture, result_files, text_to_image

FORMS = ["PNG", "JPEG", "WEBP"]
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"

A1111 = (
    "masterpiece, (a fox:1.2) <lora:snow:0.8>\nin the snow\n"
    "Negative prompt: blurry, lowres\nbad hands\n"
    "Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.0, Seed: 123456789, Size: 832x1216, "
    'Model hash: 31e35c80fc, Model: sd_xl_base_1.0, Lora hashes: "snow: a1b2c3, ice: d4e5f6", '
    'Hashes: {"model": "31e35c80fc", "vae": "aa"}, Version: v1.10.1'
)


def results(request: Request) -> tuple[tuple[bytes, ...], bytes]:
    """The files of a request's pictures and of their grid."""
    return result_files(request, [picture(32, 32, seed) for seed in request.sampling.seeds])


def saved(form: str, label: provenance.Label) -> bytes:
    return encoded(picture(16, 16), form, **label.options(form))


def seen_by_the_web_ui(data: bytes) -> str:
    """The text that AUTOMATIC1111 reads: a PNG's chunk, or a UserComment in big-endian UTF-16 as piexif decodes it."""
    image = decoded(data)
    if "parameters" in image.info:
        return str(image.info["parameters"])
    comment = image.getexif().get_ifd(0x8769)[0x9286]
    assert comment.startswith(b"UNICODE\0")
    return str(comment[8:].decode("utf-16-be"))


def packet(data: bytes) -> dict[str, str]:
    """The properties in a file's XMP, read as XML."""
    xmp = decoded(data).info["xmp"]
    root = ElementTree.fromstring(xmp if isinstance(xmp, str) else xmp.decode())
    return dict(next(root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")).attrib)


@pytest.mark.parametrize("request_", [text_to_image(prompt="雪の中の狐 🦊"), image_to_image(negative="fog")])
def test_every_file_of_a_job_tells_what_it_was_made_from(request_: Request) -> None:
    files, grid = results(request_)
    for index, data in enumerate([*files, grid]):
        found = describe(data).parameters
        assert found is not None
        assert (found.prompt, found.negative) == (request_.sampling.prompt, request_.sampling.negative)
        assert found.facts["Seed"] == str(request_.sampling.seeds[index % len(files)])
        assert found.facts["Size"] == "32x32"
        assert found.facts["Model"] == "sd"
        assert ("Batch pos" in found.facts) == (data is not grid)
        assert seen_by_the_web_ui(data).startswith(request_.sampling.prompt)


def test_every_file_of_a_job_says_that_ai_made_it() -> None:
    request = text_to_image('sd "large" <&>')
    files, grid = results(request)
    for data in [*files, grid]:
        assert describe(data).says_ai
        facts = packet(data)
        assert facts[f"{IPTC}DigitalSourceType"] == provenance.SOURCE_TYPE
        assert facts[f"{IPTC}AISystemUsed"] == request.sampling.model
        assert facts["{http://ns.adobe.com/xap/1.0/}CreatorTool"].startswith("Easel ")
        assert request.sampling.prompt not in str(facts)
    assert describe(pictures.preview([picture(32, 32)])).says_ai


def test_the_words_of_a_private_job_are_in_none_of_its_files() -> None:
    files, grid = results(text_to_image(prompt="swordfish", negative="haddock", private=True))
    for data in [*files, grid]:
        for word in ("swordfish", "haddock"):
            assert word.encode() not in data
            assert word.encode("utf-16-be") not in data
        found = describe(data)
        assert found.says_ai
        assert found.parameters is not None
        assert found.parameters.prompt == found.parameters.negative == ""
        assert found.parameters.facts["Steps"] == "4"


WORDS = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            "Negative prompt: x",
            "Steps: 1, Seed: 2, Size: 3x4",
            "a fox",
            "狐",
            "🦊👩‍👩‍👧",
            '"',
            "\\",
            ",",
            "",
            " ",
        ]
    ),
    max_size=5,
).map("\n".join)
NUMBERS = st.floats(0, 1e6, allow_nan=False)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    values: dict[str, Any] = {
        "model": draw(st.text(min_size=1, max_size=20)),
        "prompt": draw(WORDS),
        "negative": draw(WORDS),
        "guidance": draw(NUMBERS),
        "steps": draw(st.integers(1, 999)),
    }
    if draw(st.booleans()):
        return text_to_image(**values)
    return image_to_image(**values, strength=draw(NUMBERS))


@settings(max_examples=300, deadline=None)
@given(requests(), st.sampled_from(FORMS))
def test_all_words_and_numbers_come_back_as_they_were(request_: TextToImage | ImageToImage, form: str) -> None:
    written = parameters.of_request(request_, 0)
    found = describe(saved(form, provenance.of_request(request_, 0)))
    assert found.parameters == written
    assert float(written.facts["CFG scale"]) == request_.sampling.guidance
    assert found.says_ai


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("letter", ["a", "狐", "🦊"])
def test_long_prompts_survive_in_every_format(form: str, letter: str) -> None:
    prompt = letter * 15_000
    found = describe(saved(form, provenance.of_request(text_to_image(prompt=prompt)))).parameters
    assert found is not None
    assert found.prompt == prompt


def test_a_prompt_too_long_for_a_jpeg_leaves_the_facts_and_the_mark() -> None:
    found = describe(saved("JPEG", provenance.of_request(text_to_image(prompt="a fox " * 10_000))))
    assert found.says_ai
    assert found.parameters is not None
    assert found.parameters.prompt == ""
    assert found.parameters.facts["Seed"] == "11"


def test_half_a_letter_is_replaced_and_breaks_nothing() -> None:
    found = describe(saved("PNG", provenance.of_request(text_to_image(prompt="a \ud83e fox")))).parameters
    assert found is not None
    assert found.prompt == "a ? fox"


@pytest.mark.parametrize("form", FORMS)
def test_files_of_the_web_ui_are_read(form: str) -> None:
    found = describe(saved(form, provenance.Label(text=A1111)))
    assert not found.says_ai
    assert found.parameters is not None
    assert found.parameters.prompt == "masterpiece, (a fox:1.2) <lora:snow:0.8>\nin the snow"
    assert found.parameters.negative == "blurry, lowres\nbad hands"
    expected = {"Steps": "28", "CFG scale": "7.0", "Model": "sd_xl_base_1.0", "Version": "v1.10.1"}
    assert found.parameters.facts.items() >= expected.items()
    assert found.parameters.facts["Lora hashes"] == "snow: a1b2c3, ice: d4e5f6"


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("first", ["a", "一"])
def test_comments_in_either_byte_order_are_read(order: str, first: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + f"{first} fox\nSteps: 1, Seed: 2, Size: 3x4".encode(order)
    found = describe(encoded(picture(8, 8), "JPEG", exif=exif.tobytes())).parameters
    assert found == Parameters(prompt=f"{first} fox", facts={"Steps": "1", "Seed": "2", "Size": "3x4"})


@pytest.mark.parametrize("form", FORMS)
def test_a_plain_picture_says_nothing(form: str) -> None:
    found = describe(encoded(picture(8, 8), form))
    assert (found.parameters, found.says_ai, found.signed) == (None, False, False)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunk(name: bytes, data: bytes, *, before: bytes = b"IDAT") -> bytes:
    whole = encoded(picture(16, 16))
    at = whole.index(before) - 4
    return whole[:at] + chunk(name, data) + whole[at:]


def test_text_behind_the_pixels_is_found() -> None:
    found = describe(with_chunk(b"tEXt", b"parameters\0a fox", before=b"IEND")).parameters
    assert found == Parameters(prompt="a fox")


WHOLE = encoded(picture(64, 48))
HUGE = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"GIF89a" + bytes(100),
        WHOLE[:40],
        WHOLE[: len(WHOLE) // 2],
        encoded(picture(64, 48), "JPEG")[:500],
        encoded(picture(64, 48), "WEBP")[:60],
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", HUGE) + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
        with_chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(200 * 2**20))),
        with_chunk(b"tEXt", b"parameters\0" + b"a" * (parameters.MAX_TEXT + 1)),
        encoded(picture(16, 16), "WEBP", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        WHOLE + bytes(pictures.MAX_SOURCE_BYTES),
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_hostile_files_are_refused_or_say_nothing(data: bytes) -> None:
    began = time.perf_counter()
    with suppress(pictures.BadSource):
        assert describe(data).parameters is None
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("piece", ["a", "a: ", 'a1: "', "\n", " ", "a: b, ", '"\\', "Negative prompt: "])
def test_no_text_takes_long_to_read(piece: str) -> None:
    began = time.perf_counter()
    parameters.parse((piece * parameters.MAX_TEXT)[: parameters.MAX_TEXT])
    assert time.perf_counter() - began < 5


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_or_read(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(FORMS))
    whole = bytearray(saved(form, provenance.of_request(text_to_image())))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(pictures.BadSource):
        describe(bytes(whole))


def test_other_tools_text_chunks_are_no_parameters() -> None:
    info = PngInfo()
    info.add_text("Software", "a camera")
    file = io.BytesIO()
    picture(8, 8).save(file, "PNG", pnginfo=info)
    assert describe(file.getvalue()).parameters is None
