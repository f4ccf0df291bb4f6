"""What a worker does after the last step of four 1024² pictures: pixels to files, and files to the bot's process."""

from __future__ import annotations

import os
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from benchmarks.rows import Row, median
from generation import encoding, wire
from generation.contract import Finished, Sampling, TextToImage

if TYPE_CHECKING:
    import torch

_SIDE = 1024
_PICTURES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """Seconds, one after the other."""

    pixels: float
    files: float
    pipe: float

    @property
    def total(self) -> float:
        return self.pixels + self.files + self.pipe


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
        times, sizes = [], []
        for _ in range(5 if quick else 30):
            one, finished = _once(request, threads, outlet, arrived)
            times.append(one)
            sizes = [len(data) / 1e6 for data in finished.images]
    total = median([one.total for one in times])
    parts = ", ".join(
        f"{name} {median([getattr(one, name) for one in times]) * 1000:.0f} ms" for name in ("pixels", "files", "pipe")
    )
    return [
        Row(
            what=f"Encode and hand over four {_SIDE}² results of {median(sizes):.1f} MB and their grid",
            measured=f"{total * 1000:.0f} ms ({parts})",
            target="≤ 60 ms",
            met=total <= 0.06,
        )
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
    request: TextToImage, threads: ThreadPoolExecutor, outlet: BinaryIO, arrived: queue.SimpleQueue[float]
) -> tuple[_Times, Finished]:
    from generation.pipelines.base import to_pictures

    decoded = _decoded()
    began = time.perf_counter()
    drawn = to_pictures(decoded)
    converted = time.perf_counter()
    images, grid = encoding.encode(drawn, request, threads)
    encoded = time.perf_counter()
    finished = Finished(images=images, grid=grid, seconds=1.0)
    wire.write(outlet, wire.Said(ticket="one", event=finished))
    handed = arrived.get()
    return _Times(pixels=converted - began, files=encoded - converted, pipe=handed - encoded), finished


def _decoded() -> torch.Tensor:
    """What a VAE would give: (4, 3, 1024, 1024) in -1..1."""
    import torch

    seeded = torch.Generator().manual_seed(7)
    shapes = torch.randn((_PICTURES, 3, 24, 24), generator=seeded)
    smooth = torch.nn.functional.interpolate(shapes, (_SIDE, _SIDE), mode="bicubic")
    grain = torch.randn((_PICTURES, 3, _SIDE, _SIDE), generator=seeded)
    return (0.4 * smooth + 0.012 * grain).clamp(-1, 1)
