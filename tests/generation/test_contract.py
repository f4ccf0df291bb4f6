"""Requests as they are stored: every form that a version of Easel ever wrote is still read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generation.contract import ImageToImage, Request, Sampling, TextToImage, from_json, to_json, with_source

FIRST: dict[str, Any] = {
    "model": "easel", "prompt": "a fox", "negative": "fog", "width": 256, "height": 192, "steps": 20,
    "guidance": 4.5, "seeds": [7, 8],
}  # fmt: skip
PRIVATE = FIRST | {"private": True}
"""Since `--private`."""

SAMPLING = Sampling(**FIRST | {"seeds": (7, 8)})
QUIET = Sampling(**PRIVATE | {"seeds": (7, 8)})


@pytest.mark.parametrize(
    ("stored", "request_"),
    [
        ({"kind": "text-to-image", **FIRST}, TextToImage(sampling=SAMPLING)),
        ({"kind": "image-to-image", **FIRST, "strength": 0.6}, ImageToImage(sampling=SAMPLING, strength=0.6)),
        ({"kind": "text-to-image", **PRIVATE}, TextToImage(sampling=QUIET)),
        ({"kind": "image-to-image", **PRIVATE, "strength": 0.6}, ImageToImage(sampling=QUIET, strength=0.6)),
        ({"kind": "text-to-image", **PRIVATE, "from_a_later_version": 1}, TextToImage(sampling=QUIET)),
    ],
)
def test_a_request_of_every_version_is_read(stored: dict[str, Any], request_: Request) -> None:
    assert from_json(json.dumps(stored)) == request_


def test_a_request_is_written_as_earlier_versions_read_it() -> None:
    request = with_source(ImageToImage(sampling=QUIET, strength=0.6), b"png")
    assert json.loads(to_json(request)) == {"kind": "image-to-image", **PRIVATE, "strength": 0.6}
