"""The worker process: `python -m generation.worker`, started by `child.py` with `wire.py`'s messages on its pipes.

The main thread draws; a second one reads, so that a request can be stopped while it is drawn. The process ends
when its input ends, and with its parent. torch and diffusers are imported here and nowhere else.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import logging
import os
import platform
import queue
import signal
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from generation import wire
from generation.contract import Failed, Finished

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from generation.contract import Event
    from generation.engine import Engine

log = logging.getLogger(__name__)

_ALIVE_SECONDS = 1.0
_BROKEN_DEVICE, _BROKEN_INPUT = 70, 71
"""Exit statuses: a device error that only a new process cures; an input that holds no messages."""
_PR_SET_PDEATHSIG = 1
"""https://man7.org/linux/man-pages/man2/prctl.2.html"""


class Worker:
    """Draws what comes in. It may hold several requests, of which one advances at a time."""

    def __init__(self, inlet: BinaryIO, outlet: BinaryIO) -> None:
        self._inlet, self._outlet = inlet, outlet
        self._inbox: queue.SimpleQueue[wire.Draw | wire.Favour] = queue.SimpleQueue()
        self._held: dict[str, Iterator[Event]] = {}
        self._favoured = ""
        self._open: set[str] = set()
        self._stopped: set[str] = set()
        self._last_sign = 0.0

    def run(self) -> None:
        """Import, report, and draw until the process is ended."""
        setup = wire.read(self._inlet)
        assert isinstance(setup, wire.Setup)
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        engine, device = self._prepare(setup)
        if setup.preload is not None:
            engine.preload(setup.preload)
        while not engine.broken:
            self._take_in(engine)
            self._advance(engine, device)
        self._leave(_BROKEN_DEVICE)

    def _take_in(self, engine: Engine) -> None:
        """Take what has come, or wait for something to draw."""
        while not self._held or not self._inbox.empty():
            match self._inbox.get():
                case wire.Draw(ticket=ticket, request=request):
                    self._held[ticket] = engine.run(request, partial(self._stopped.__contains__, ticket))
                case wire.Favour(ticket=ticket):
                    self._favoured = ticket

    def _advance(self, engine: Engine, device: torch.device) -> None:
        """Bring one of the requests to its next event."""
        ticket = self._favoured if self._favoured in self._held else next(iter(self._held))
        event = next(self._held[ticket])
        if isinstance(event, Finished | Failed):
            del self._held[ticket]
            self._open.discard(ticket)
            self._stopped.discard(ticket)
            if not engine.broken:
                self._tell_models(engine, device)
        self._send(wire.Said(ticket=ticket, event=event))

    def _prepare(self, setup: wire.Setup) -> tuple[Engine, torch.device]:
        if not setup.allow_downloads:
            os.environ["HF_HUB_OFFLINE"] = "1"
        device, name = _device(setup.device)
        # only now: what libraries print while they are imported must not reach the pipe
        import torch

        from generation.engine import Engine
        from generation.residency import memory

        torch.set_grad_enabled(False)  # nothing is trained here
        _silence_libraries()
        engine = Engine(
            setup.models,
            device,
            allow_downloads=setup.allow_downloads,
            safety=setup.safety,
            alive=self._show_life,
            changed=lambda: self._tell_models(engine, device),
        )
        engine.prepare_safety()
        ready = wire.Ready(
            pid=os.getpid(),
            device=str(device),
            device_name=name,
            versions=_versions(),
            memory=memory(device),
            safety=engine.safety,
        )
        self._send(ready)
        return engine, device

    def _listen(self) -> None:
        """Take messages as they come. The end of the input is the order to end.

        Without this thread nothing would ever stop the process again, so no failure of it leaves the process alive.
        """
        try:
            with contextlib.suppress(EOFError, OSError):
                while True:
                    match wire.read(self._inlet):
                        case wire.Draw() as draw:
                            self._open.add(draw.ticket)
                            self._inbox.put(draw)
                        case wire.Favour() as favour:
                            self._inbox.put(favour)
                        case wire.Stop(ticket=ticket) if ticket in self._open:
                            self._stopped.add(ticket)
        except BaseException:
            log.exception("what came from the bot can't be read")
            self._leave(_BROKEN_INPUT)
        self._leave(0)

    def _tell_models(self, engine: Engine, device: torch.device) -> None:
        from generation.residency import memory

        self._send(wire.Models(states=engine.states(), memory=memory(device), safety=engine.safety))

    def _show_life(self) -> None:
        now = time.monotonic()
        if now - self._last_sign >= _ALIVE_SECONDS:
            self._send(wire.Alive())

    def _send(self, message: wire.FromWorker) -> None:
        self._last_sign = time.monotonic()
        try:
            wire.write(self._outlet, message)
        except OSError:
            self._leave(0)

    def _leave(self, status: int) -> None:
        """End at once: there is nothing to save, and a computation would hold up an orderly end."""
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Entry point of the process."""
    _die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):
        # meant for the parent, which drains: a service manager or a terminal sends them to the whole group
        signal.signal(number, signal.SIG_IGN)
    inlet, outlet = _take_pipes()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    Worker(inlet, outlet).run()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes under private numbers. Whatever a library prints goes to stderr, and it can read nothing."""
    inlet, outlet = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return inlet, outlet


def _die_with_parent() -> None:
    """On Linux the kernel kills this process when its parent dies; elsewhere the end of the input has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _device(wanted: str) -> tuple[torch.device, str]:
    """torch's device for the setting, and its name. Raises RuntimeError for one that isn't here."""
    import torch

    if wanted == "auto":
        mps = torch.backends.mps.is_available()
        wanted = "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    device = torch.device(wanted)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(f"there is no GPU here that torch {torch.__version__} can use, so not {wanted}")
    if device.type == "cuda":
        return device, torch.cuda.get_device_name(device)
    torch.empty(1, device=device)
    return device, f"{platform.processor() or platform.machine()} ({torch.get_num_threads()} threads)"


def _silence_libraries() -> None:
    """Below errors these libraries log prompts (what CLIP cut off), and draw progress bars."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def _versions() -> dict[str, str]:
    libraries = ("torch", "diffusers", "transformers")
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in libraries}


if __name__ == "__main__":
    main()
