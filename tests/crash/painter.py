"""A worker process without a model: it takes a moment, draws noise, and fails now and then.

It speaks `generation.wire` on its pipes and ends with its input, as the real worker does. No two of its pictures are
alike, not even of the same request, so that pictures of different attempts can't be taken for each other.
"""

from __future__ import annotations

import io
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Iterator

from PIL import Image

from generation import wire
from generation.contract import Event, Failed, FailureReason, Finished, Progressed, Started

STEPS = 3
STEP_SECONDS = 0.008
"""On average."""
FAILURES = {FailureReason.WORKER_DIED: 0.04, FailureReason.BROKEN_IMAGE: 0.04}
"""How likely each is."""


def main() -> None:
    drawings: queue.SimpleQueue[wire.Draw] = queue.SimpleQueue()
    stopped: set[str] = set()
    threading.Thread(target=_listen, args=(drawings, stopped), daemon=True).start()
    while True:
        draw = drawings.get()
        for event in _draw(draw, stopped):
            try:
                wire.write(sys.stdout.buffer, wire.Said(ticket=draw.ticket, event=event))
            except BrokenPipeError:
                os._exit(0)


def _listen(drawings: queue.SimpleQueue[wire.Draw], stopped: set[str]) -> None:
    try:
        while True:
            match wire.read(sys.stdin.buffer):
                case wire.Draw() as draw:
                    drawings.put(draw)
                case wire.Stop(ticket=ticket):
                    stopped.add(ticket)
    except EOFError:
        os._exit(0)


def _draw(draw: wire.Draw, stopped: set[str]) -> Iterator[Event]:
    yield Started()
    for step in range(1, STEPS + 1):
        time.sleep(random.expovariate(1 / STEP_SECONDS))
        if draw.ticket in stopped:
            yield Failed(reason=FailureReason.CANCELLED)
            return
        yield Progressed(step=step, steps=STEPS, preview=_noise("JPEG"))
    dice = random.random()
    for reason, chance in FAILURES.items():
        if dice < chance:
            yield Failed(reason=reason)
            return
        dice -= chance
    yield Finished(
        images=tuple(_noise("PNG") for _ in draw.request.sampling.seeds),
        grid=_noise("JPEG"),
        seconds=STEPS * STEP_SECONDS,
    )


def _noise(kind: str, side: int = 16) -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(out, kind)
    return out.getvalue()


if __name__ == "__main__":
    main()
