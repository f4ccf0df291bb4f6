"""What a worker does after the last step of four 1024² pictures: pixels to files, and files to the bot's process."""

from __future__ import annotations

import os
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from benchmarks.rows import Row, median
from generation import encoding, wire
from generation.contract import Finished, Sampling, TextToImage

if TYPE_CHECKING:
    import torch

_SIDE = 1024
_PICTURES = 4


_DECODING = 0.08
"""Seconds in which a GPU decodes one of them, more or less, while the processor has nothing to do."""


def run(*, quick: bool) -> list[Row]:
    """The median of several; the pictures are smooth shapes with the grain of a photograph."""
    request = TextToImage(
        sampling=Sampling(
            model="easel",
            prompt="a red house by the sea",
            width=_SIDE,
            height=_SIDE,
            steps=20,
            guidance=4.0,
            seeds=tuple(range(_PICTURES)),
        )
    )
    arrived: queue.SimpleQueue[float] = queue.SimpleQueue()
    outlet = _reader(arrived)
    with ThreadPoolExecutor(_PICTURES) as threads:
        decoded = _decoded()
        beside, at_once, sizes = [], [], []
        for _ in range(5 if quick else 30):
            beside.append(_once(request, decoded, _DECODING, threads, outlet, arrived)[0])
            seconds, finished = _once(request, decoded, 0.0, threads, outlet, arrived)
            at_once.append(seconds)
            sizes = [len(data) / 1e6 for data in finished.images]
    what = f"Encode and hand over four {_SIDE}² results of {median(sizes):.1f} MB and their grid, "
    return [
        Row(
            what=f"{what}from the last one's pixels on, when each was decoded in {_DECODING * 1000:.0f} ms",
            measured=f"{median(beside) * 1000:.0f} ms",
            target="≤ 60 ms",
            met=median(beside) <= 0.06,
        ),
        Row(what=f"{what}when all are there at once", measured=f"{median(at_once) * 1000:.0f} ms"),
    ]


def _reader(arrived: queue.SimpleQueue[float]) -> BinaryIO:
    """The pipe's near end; a thread reads the far one, as the bot does, and tells when a message is complete."""
    far, near = os.pipe()

    def read() -> None:
        with os.fdopen(far, "rb") as inlet, suppress(EOFError):
            while True:
                wire.read(inlet)
                arrived.put(time.perf_counter())

    threading.Thread(target=read, daemon=True).start()
    return os.fdopen(near, "wb")


def _once(
    request: TextToImage,
    decoded: torch.Tensor,
    decoding: float,
    threads: ThreadPoolExecutor,
    outlet: BinaryIO,
    arrived: queue.SimpleQueue[float],
) -> tuple[float, Finished]:
    """Seconds from the last picture's pixels, or from the first one's where decoding takes no time; the result."""
    from generation.pipelines.base import to_picture

    files, began = encoding.Files(request, threads), time.perf_counter()
    for pixels in decoded:
        if decoding:
            time.sleep(decoding)
            began = time.perf_counter()
        files.add(to_picture(pixels))
    images, grid = files.finish()
    finished = Finished(images=images, grid=grid, seconds=1.0)
    wire.write(outlet, wire.Said(ticket="one", event=finished))
    return arrived.get() - began, finished


def _decoded() -> torch.Tensor:
    """Four pictures in 0..1, (4, 3, 1024, 1024)."""
    import torch

    seeded = torch.Generator().manual_seed(7)
    shapes = torch.randn((_PICTURES, 3, 24, 24), generator=seeded)
    smooth = torch.nn.functional.interpolate(shapes, (_SIDE, _SIDE), mode="bicubic")
    grain = torch.randn((_PICTURES, 3, _SIDE, _SIDE), generator=seeded)
    return (0.5 + 0.2 * smooth + 0.006 * grain).clamp(0, 1)
