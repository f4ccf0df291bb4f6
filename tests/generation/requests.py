"""Requests to small models, and pictures to start from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image

from generation.contract import ImageToImage, Request, Sampling, TextToImage
from generation.encoding import Files


def text_to_image(model: str = "sd", **changes: Any) -> TextToImage:
    values: dict[str, Any] = {
        "model": model,
        "prompt": "a fox in the snow",
        "width": 32,
        "height": 32,
        "steps": 4,
        "guidance": 4.0,
        "seeds": (11, 12, 13, 14),
    }
    return TextToImage(sampling=Sampling(**values | changes))


def image_to_image(model: str = "sd", **changes: Any) -> ImageToImage:
    values: dict[str, Any] = {
        "model": model,
        "prompt": "a fox in the snow",
        "width": 32,
        "height": 32,
        "steps": 6,
        "guidance": 4.0,
        "seeds": (11, 12),
        "strength": 0.6,
        "source": encoded(picture(32, 32)),
    } | changes
    return ImageToImage(**{name: values.pop(name) for name in ("strength", "source")}, sampling=Sampling(**values))


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def result_files(request: Request, pictures: Sequence[Image.Image]) -> tuple[tuple[bytes, ...], bytes]:
    """The files of a request's pictures and of their grid."""
    with ThreadPoolExecutor(2) as threads:
        files = Files(request, threads)
        for drawn in pictures:
            files.add(drawn)
        return files.finish()


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def levels(data: bytes) -> np.ndarray:
    return np.asarray(decoded(data)).astype(int)
