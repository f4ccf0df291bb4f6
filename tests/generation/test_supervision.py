"""What becomes of the worker and of requests when the bot's own threads fail: real threads, a worker that is quick."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pkgutil
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import pytest_asyncio

from generation import wire
from generation.catalogue import Catalogue
from generation.contract import Event, Failed, FailureReason, Finished
from generation.local import LocalGenerator, WorkerUnavailable
from generation.supervisor import Supervisor
from tests.generation.requests import text_to_image
from tests.generation.tiny import entry

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the quick worker is a script")

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which a wait on a busy machine is taken for a failure."""

QUICK = f'''#!{sys.executable}
"""A worker that draws nothing, at once: it speaks the real one's language."""
import os, sys
sys.path.insert(0, os.getcwd())
from generation import wire
from generation.contract import Finished, Started
inlet, outlet = sys.stdin.buffer, sys.stdout.buffer
wire.read(inlet)
memory = wire.Memory(process=1, device=0, device_total=0)
wire.write(outlet, wire.Ready(pid=os.getpid(), device="cpu", device_name="none", versions={{}}, memory=memory))
while True:
    try:
        word = wire.read(inlet)
    except EOFError:
        sys.exit()
    if isinstance(word, wire.Draw):
        for event in (Started(), Finished(images=(b"",), grid=b"", seconds=0.1)):
            wire.write(outlet, wire.Said(ticket=word.ticket, event=event))
'''


@pytest.fixture
def write_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Writes the program that is started as the worker."""
    program = tmp_path / "worker"
    program.touch(mode=0o755)
    monkeypatch.setattr("generation.child.sys", SimpleNamespace(executable=str(program)))
    return program.write_text


@pytest_asyncio.fixture
async def generator(
    tmp_path: Path, write_worker: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LocalGenerator]:
    """A generator whose worker is the quick one, not yet started; starts follow each other at once."""
    write_worker(QUICK)
    monkeypatch.setattr("generation.supervisor.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("generation.local.FIRST_PAUSE", 0.01)
    (tmp_path / "models.toml").write_text(entry("sd", "stable-diffusion"))
    made = LocalGenerator(Catalogue.load(tmp_path / "models.toml"), device="cpu", load_timeout=30)
    yield made
    async with asyncio.timeout(PATIENCE):
        await made.close()


async def outcome(generator: LocalGenerator, ticket: str, request: Any = None) -> Event:
    generator.submit(ticket, request or text_to_image())
    return await last_event(generator, ticket)


async def last_event(generator: LocalGenerator, ticket: str) -> Event:
    async with asyncio.timeout(PATIENCE):
        return [event async for event in generator.events(ticket)][-1]


def refuse_threads(monkeypatch: pytest.MonkeyPatch, *, named: str, times: int) -> list[str]:
    """Let the next `times` threads whose names begin so not start, as on a machine that is out of them."""
    refused: list[str] = []
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if thread.name.startswith(named) and len(refused) < times:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    return refused


def running_workers(folder: Path) -> list[psutil.Process]:
    """The processes that run this test's worker."""
    found = []
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and str(folder / "worker") in process.cmdline():
                found.append(process)
    return found


@pytest.mark.parametrize("thread", ["worker-read", "worker-write", "worker-log"])
async def test_drawing_goes_on_after_a_worker_whose_threads_could_not_start(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, thread: str
) -> None:
    refused = refuse_threads(monkeypatch, named=thread, times=2)
    await generator.start()
    assert isinstance(await outcome(generator, "one"), Finished)
    assert len(refused) == 2
    assert [process.pid for process in running_workers(tmp_path)] == [generator.pid], "none is orphaned"


async def test_drawing_goes_on_when_the_supervising_thread_could_not_start(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = refuse_threads(monkeypatch, named="worker-supervisor", times=2)
    await generator.start()
    assert isinstance(await outcome(generator, "one"), Finished)
    assert len(refused) == 2


async def test_requests_fail_while_the_supervising_thread_can_t_start(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_threads(monkeypatch, named="worker-supervisor", times=sys.maxsize)
    await generator.start()
    last = await outcome(generator, "one")
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.INTERNAL
    assert "can't start new thread" in last.detail
    with pytest.raises(WorkerUnavailable, match="can't start new thread"):
        async with asyncio.timeout(PATIENCE):
            await generator.wait_ready()
    assert "can't start new thread" in generator.condition().trouble


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("something nobody foresaw"), SystemExit(1)])
async def test_whatever_ends_the_supervising_thread_another_takes_over(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException
) -> None:
    await generator.start()
    assert isinstance(await outcome(generator, "before"), Finished)
    first = generator.pid
    with monkeypatch.context() as patch:
        patch.setattr(Supervisor, "_advance", raising(error))
        last = await outcome(generator, "meanwhile")
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.WORKER_DIED, "another attempt may succeed"
    assert isinstance(await outcome(generator, "after"), Finished)
    assert generator.pid != first
    assert [process.pid for process in running_workers(tmp_path)] == [generator.pid]


def raising(error: BaseException) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


async def test_who_waits_for_the_worker_is_told_when_the_thread_ends(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "_advance", raising(MemoryError()))
    await generator.start()
    with pytest.raises(WorkerUnavailable, match="MemoryError"):
        async with asyncio.timeout(PATIENCE):
            await generator.wait_ready()


async def test_closing_ends_although_the_thread_died(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await generator.start()
    assert isinstance(await outcome(generator, "one"), Finished)
    monkeypatch.setattr(Supervisor, "_advance", raising(MemoryError()))
    generator.submit("two", text_to_image())
    async with asyncio.timeout(PATIENCE):
        await generator.close()
    assert isinstance(await last_event(generator, "two"), Failed)
    _, alive = psutil.wait_procs(running_workers(tmp_path), timeout=PATIENCE)
    assert alive == []
    with pytest.raises(RuntimeError, match="isn't started"):
        generator.submit("three", text_to_image())


async def test_closing_ends_although_the_thread_hangs(
    generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("generation.local.CLOSE_SECONDS", 0.1)
    released = threading.Event()
    await generator.start()
    assert isinstance(await outcome(generator, "one"), Finished)
    monkeypatch.setattr(Supervisor, "_advance", lambda *_: released.wait())
    generator.submit("two", text_to_image())
    try:
        async with asyncio.timeout(PATIENCE):
            await generator.close()
            while running_workers(tmp_path):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert isinstance(await last_event(generator, "two"), Failed)
    finally:
        released.set()


async def test_a_request_that_can_t_cross_the_pipe_fails_alone(generator: LocalGenerator) -> None:
    await generator.start()
    assert isinstance(await outcome(generator, "before"), Finished)
    pid = generator.pid
    last = await outcome(generator, "odd", text_to_image(prompt=lambda: "pickle knows no such thing"))
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.INTERNAL
    assert isinstance(await outcome(generator, "after"), Finished)
    assert generator.pid == pid, "the worker was not the one at fault"


@pytest.mark.parametrize("broken", ["generation.wire.put", "generation.child.log.debug"])
async def test_a_worker_whose_pipe_nobody_serves_any_more_is_replaced(
    generator: LocalGenerator,
    write_worker: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    """A thread that fails in the middle must not leave a worker that hears nothing, or whose words fail."""
    write_worker(QUICK.replace("import os, sys\n", "import os, sys\nprint('hello', file=sys.stderr, flush=True)\n"))
    serve: Any = pkgutil.resolve_name(broken.replace(".log.", ":log.").replace(".put", ":put"))
    failed: list[object] = []

    def fail_once(*arguments: Any) -> None:
        if not failed:
            failed.append(arguments)
            raise MemoryError
        serve(*arguments)

    monkeypatch.setattr(broken, fail_once)
    launched = count_launches(monkeypatch)
    await generator.start()
    async with asyncio.timeout(PATIENCE):
        while len(launched) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert isinstance(await outcome(generator, "one"), Finished)


def count_launches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    launched: list[int] = []
    launch = Supervisor._launch

    def counted(supervisor: Supervisor, now: float) -> None:
        launched.append(1)
        launch(supervisor, now)

    monkeypatch.setattr(Supervisor, "_launch", counted)
    return launched


async def test_workers_that_start_and_draw_nothing_are_told(
    generator: LocalGenerator, write_worker: Callable[[str], object]
) -> None:
    write_worker(QUICK.replace("    if isinstance(word, wire.Draw):", "    sys.exit('out of memory')\n    if True:"))
    await generator.start()
    await generator.wait_ready()
    assert generator.condition().trouble == ""
    for ticket in "abc":
        last = await outcome(generator, ticket)
        assert isinstance(last, Failed)
        assert last.reason is FailureReason.WORKER_DIED
    await generator.wait_ready()
    assert "workers ended since the last picture" in generator.condition().trouble
    assert "out of memory" in generator.condition().trouble

    write_worker(QUICK)
    assert isinstance(await outcome(generator, "d"), Finished | Failed)
    assert isinstance(await outcome(generator, "e"), Finished)
    assert generator.condition().trouble == ""
    assert generator.condition().starts > 3


async def test_a_descendant_that_keeps_the_pipe_open_does_not_hide_the_worker_s_end(
    generator: LocalGenerator, write_worker: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.child._LINGER_SECONDS", 0.1)
    await generator.start()
    await generator.wait_ready()
    keeper = QUICK.replace(
        "wire.read(inlet)\n",
        "wire.read(inlet)\nimport subprocess\nsubprocess.Popen(['sleep', '600'], stdout=2)\n",
        1,
    )
    write_worker(keeper)
    first = generator.worker
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    second = await another(generator, first)
    (sleeper,) = psutil.Process(second.pid).children()
    try:
        write_worker(QUICK)
        os.kill(second.pid, signal.SIGKILL)
        assert (await another(generator, second)).pid == generator.pid
        assert isinstance(await outcome(generator, "one"), Finished)
    finally:
        sleeper.kill()


async def another(generator: LocalGenerator, than: wire.Ready) -> wire.Ready:
    async with asyncio.timeout(PATIENCE):
        while generator.worker is None or generator.worker is than:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return generator.worker


def test_a_worker_that_can_t_read_its_input_ends(tmp_path: Path) -> None:
    """Its reading thread is the only one that could ever end it in order."""
    command = [sys.executable, "-m", "generation.worker"]
    pipe = subprocess.PIPE
    (tmp_path / "models.toml").write_text(entry("sd", "stable-diffusion"))
    models = tuple(Catalogue.load(tmp_path / "models.toml").values())
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe) as worker:
        assert worker.stdin is not None
        assert worker.stderr is not None
        wire.write(worker.stdin, wire.Setup(models=models, device="cpu", allow_downloads=False, preload=None))  # type: ignore[arg-type]
        wire.put(worker.stdin, b"no message")  # type: ignore[arg-type]
        try:
            assert worker.wait(PATIENCE) == 71
            assert b"can't be read" in worker.stderr.read()
        finally:
            worker.kill()
