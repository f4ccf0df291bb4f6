"""The worker process: real processes, real pipes, real signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from generation import wire
from generation.catalogue import Catalogue
from generation.child import Child, Gone
from generation.contract import (
    Event,
    Failed,
    FailureReason,
    Finished,
    ModelState,
    Progressed,
    Request,
    Started,
)
from generation.inbox import Heard, Submit
from generation.local import LocalGenerator, WorkerUnavailable
from generation.supervisor import Supervisor
from tests.generation.requests import image_to_image, text_to_image
from tests.generation.tiny import entry

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 300.0
"""Seconds after which a wait on a busy machine is taken for a failure."""
ROOT = Path(__file__).parents[2]
needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def generator(catalogue: Catalogue) -> AsyncIterator[LocalGenerator]:
    """One worker for the whole module, started again by the tests that kill it."""
    made = LocalGenerator(catalogue, default_model="sd", device="cpu", step_timeout=60)
    async with asyncio.timeout(PATIENCE):
        await made.start()
        await made.wait_ready()
    yield made
    await made.close()


def submit(generator: LocalGenerator, request: Request) -> str:
    submit.count = getattr(submit, "count", 0) + 1  # type: ignore[attr-defined]
    ticket = f"ticket-{submit.count}"  # type: ignore[attr-defined]
    generator.submit(ticket, request)
    return ticket


async def rest(generator: LocalGenerator, ticket: str) -> list[Event]:
    async with asyncio.timeout(PATIENCE):
        return [event async for event in generator.events(ticket)]


async def drawn(generator: LocalGenerator, request: Request) -> Finished:
    *_, last = await rest(generator, submit(generator, request))
    assert isinstance(last, Finished), last
    return last


async def first_step(events: AsyncIterator[Event]) -> None:
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            if isinstance(event, Progressed) and event.step > 0:
                return
            assert isinstance(event, Started | Progressed), event


async def last_of(events: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(PATIENCE):
        last = None
        async for event in events:
            last = event
    assert last is not None
    return last


async def test_it_says_what_it_is(generator: LocalGenerator) -> None:
    ready = await generator.wait_ready()
    assert ready.pid == generator.pid
    assert ready.device == "cpu"
    assert {"python", "torch", "diffusers", "transformers"} <= set(ready.versions)
    assert await drawn(generator, text_to_image())
    assert generator.memory is not None
    assert generator.memory.process > 2**20
    states = generator.models()
    assert states["sd"].state is ModelState.WARM
    assert states["absent"].state is ModelState.UNUSABLE
    assert "aren't on this machine" in states["absent"].reason


async def test_every_family_draws_both_ways(generator: LocalGenerator) -> None:
    for model in ("sd", "sdxl", "flux"):
        for request in (text_to_image(model), image_to_image(model)):
            events = await rest(generator, submit(generator, request))
            assert isinstance(events[0], Started)
            assert isinstance(events[-1], Finished), events[-1]
            assert len(events[-1].images) == len(request.sampling.seeds)


async def test_requests_are_drawn_in_turn(generator: LocalGenerator) -> None:
    tickets = [submit(generator, text_to_image()) for _ in range(4)]
    for ticket in reversed(tickets):
        assert isinstance((await rest(generator, ticket))[-1], Finished)


async def test_an_unusable_model_harms_no_other(generator: LocalGenerator) -> None:
    for model in ("broken", "absent"):
        *_, last = await rest(generator, submit(generator, text_to_image(model)))
        assert isinstance(last, Failed)
        assert last.reason is FailureReason.MODEL_UNUSABLE
        assert generator.models()[model].state is ModelState.UNUSABLE
    assert await drawn(generator, text_to_image())


async def test_an_unknown_model_is_refused(generator: LocalGenerator) -> None:
    *_, last = await rest(generator, submit(generator, text_to_image("nobody")))
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.BAD_REQUEST


async def test_cancelling_while_it_draws(generator: LocalGenerator) -> None:
    ticket = submit(generator, text_to_image(width=128, height=128, steps=150))
    events = generator.events(ticket)
    await first_step(events)
    generator.cancel(ticket)
    after = [event async for event in events]
    assert after[-1] == Failed(reason=FailureReason.CANCELLED)


async def test_cancelling_while_it_waits(generator: LocalGenerator) -> None:
    before = submit(generator, text_to_image(steps=20))
    waiting = submit(generator, text_to_image())
    generator.cancel(waiting)
    assert await rest(generator, waiting) == [Failed(reason=FailureReason.CANCELLED)]
    generator.cancel("never seen")
    assert isinstance((await rest(generator, before))[-1], Finished)
    generator.cancel(before)


async def test_a_ticket_is_unique(generator: LocalGenerator) -> None:
    ticket = submit(generator, text_to_image())
    with pytest.raises(ValueError, match="already inside"):
        generator.submit(ticket, text_to_image())
    assert isinstance((await rest(generator, ticket))[-1], Finished)
    with pytest.raises(KeyError):
        await anext(generator.events(ticket))


async def test_a_killed_worker_is_noticed_and_another_draws_the_same_bits(generator: LocalGenerator) -> None:
    request = text_to_image(guidance=5.0)
    once = await drawn(generator, request)
    ticket = submit(generator, text_to_image(width=128, height=128, steps=150))
    waiting = submit(generator, request)
    events = generator.events(ticket)
    await first_step(events)
    killed = generator.worker
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    last = await last_of(events)
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.WORKER_DIED
    *_, again = await rest(generator, waiting)
    assert isinstance(again, Finished), again
    assert again.images == once.images
    assert again.grid == once.grid
    assert generator.worker is not killed


async def reaching_a_dying_worker(generator: LocalGenerator) -> str:
    """A request that was handed to a worker which never read it."""
    dying = await generator.wait_ready()
    os.kill(dying.pid, signal.SIGSTOP)
    ticket = submit(generator, text_to_image())
    await generator.wait_ready()  # is answered after what was submitted before it was handed over
    return ticket


@needs_signals
async def test_a_request_that_reaches_a_dying_worker_is_drawn_by_the_next(generator: LocalGenerator) -> None:
    ticket = await reaching_a_dying_worker(generator)
    dying = generator.worker
    assert dying is not None
    os.kill(dying.pid, signal.SIGKILL)
    events = await rest(generator, ticket)
    assert isinstance(events[-1], Finished), events[-1]
    assert sum(isinstance(event, Started) for event in events) == 1
    assert generator.worker is not dying


@needs_signals
async def test_what_was_cancelled_meanwhile_is_not_drawn_by_the_next(generator: LocalGenerator) -> None:
    ticket = await reaching_a_dying_worker(generator)
    generator.cancel(ticket)
    dying = await generator.wait_ready()
    os.kill(dying.pid, signal.SIGKILL)
    assert await rest(generator, ticket) == [Failed(reason=FailureReason.CANCELLED)]


@needs_signals
async def test_a_request_that_only_meets_dying_workers_ends(generator: LocalGenerator) -> None:
    ticket = await reaching_a_dying_worker(generator)
    dying = await generator.wait_ready()
    supervisor = generator._supervisor
    assert supervisor is not None
    assert supervisor._current is not None
    supervisor._current = replace(supervisor._current, returned=True)
    os.kill(dying.pid, signal.SIGKILL)
    (last,) = await rest(generator, ticket)
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.WORKER_DIED


@needs_signals
async def test_a_hung_worker_is_killed(generator: LocalGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = submit(generator, text_to_image(width=128, height=128, steps=150))
    events = generator.events(ticket)
    await first_step(events)
    stopped = generator.worker
    assert stopped is not None
    os.kill(stopped.pid, signal.SIGSTOP)
    supervisor = generator._supervisor
    assert supervisor is not None
    with monkeypatch.context() as patch:
        # only now, because a busy machine may let a worker that doesn't hang wait for as long; a sign of life sets it
        patch.setattr(supervisor, "_step_timeout", 0.1)
        supervisor.inbox.put(Heard(child=supervisor._child, word=wire.Alive()))  # type: ignore[arg-type]
        last = await last_of(events)
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.WORKER_HUNG
    assert await drawn(generator, text_to_image())
    assert generator.worker is not stopped


@needs_signals
async def test_the_worker_leaves_signals_to_its_parent(generator: LocalGenerator) -> None:
    ready = await generator.wait_ready()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(ready.pid, number)
    assert await drawn(generator, text_to_image())
    assert generator.worker is ready


async def test_closing_ends_everything(catalogue: Catalogue) -> None:
    threads = set(threading.enumerate())
    tasks = asyncio.all_tasks()
    own = LocalGenerator(catalogue, default_model=None, device="cpu")
    await own.start()
    ticket = submit(own, text_to_image())
    async with asyncio.timeout(PATIENCE):
        while own.pid is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    pid = own.pid
    async with asyncio.timeout(PATIENCE):
        await own.close()
    assert [*await rest(own, ticket)][-1].reason is FailureReason.WORKER_DIED  # type: ignore[union-attr]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert set(threading.enumerate()) <= threads
    assert asyncio.all_tasks() <= tasks
    await own.close()


async def test_a_worker_that_never_starts_fails_requests(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generation.supervisor.STARTS", 1)
    own = LocalGenerator(catalogue, default_model=None, device="no-such-device")
    await own.start()
    try:
        ticket = submit(own, text_to_image())
        with pytest.raises(WorkerUnavailable, match="no-such-device"):
            async with asyncio.timeout(PATIENCE):
                await own.wait_ready()
        *_, last = await rest(own, ticket)
        assert isinstance(last, Failed)
        assert last.reason is FailureReason.INTERNAL
        assert "no-such-device" in last.detail
    finally:
        await own.close()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Writes the program that is started as the worker, at first an empty file; starts follow each other at once."""
    program = tmp_path / "worker"
    program.touch(mode=0o755)
    monkeypatch.setattr("generation.child.sys", SimpleNamespace(executable=str(program)))
    monkeypatch.setattr("generation.supervisor.FIRST_PAUSE", 0.01)
    return program.write_text


@needs_signals
async def test_a_worker_that_says_something_else_is_ended(
    catalogue: Catalogue, stand_in: Callable[[str], object]
) -> None:
    """A library that prints at its import, before the pipe has a number of its own."""
    stand_in("#!/bin/sh\necho Welcome to the library\nexec sleep 1000\n")
    own = LocalGenerator(catalogue, device="cpu")
    await own.start()
    try:
        *_, last = await rest(own, submit(own, text_to_image()))
        assert isinstance(last, Failed)
        assert last.reason is FailureReason.INTERNAL
        assert "can't be understood" in last.detail
    finally:
        await own.close()


@needs_signals
async def test_a_worker_that_can_t_be_killed_is_given_up(
    catalogue: Catalogue, stand_in: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a driver a process outlives SIGKILL: requests must not wait for its end."""
    stand_in("#!/bin/sh\nexec sleep 1000\n")
    immortal: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr("generation.child.Child.kill", lambda child: immortal.append(child._process))
    monkeypatch.setattr("generation.supervisor.BURIAL_SECONDS", 0.05)
    monkeypatch.setattr("generation.supervisor.GOODBYE_SECONDS", 0.05)
    own = LocalGenerator(catalogue, device="cpu", load_timeout=0.05)
    await own.start()
    try:
        *_, last = await rest(own, submit(own, text_to_image()))
        assert isinstance(last, Failed)
        assert last.reason is FailureReason.INTERNAL
        assert "can't be killed" in last.detail
    finally:
        await own.close()
        for process in immortal:
            process.kill()


@pytest.fixture(params=[("a/b", True, 6), ("a/b", False, 0), ("./b", True, 0)])
def patient(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[wire.Setup, int]:
    """A model that may be downloaded, or may not, or lies on the disk, and the hours that loading may take."""
    source, downloads, hours = request.param
    (tmp_path / "models.toml").write_text(entry("b", "flux").replace("./b", source))
    models = tuple(Catalogue.load(tmp_path / "models.toml").values())
    return wire.Setup(models=models, device="cpu", allow_downloads=downloads, preload=None), hours


async def test_a_download_may_take_hours(patient: tuple[wire.Setup, int]) -> None:
    setup, hours = patient
    supervisor = Supervisor(setup, step_timeout=1, load_timeout=2, publish=lambda *_: None, ended=lambda _: None)
    supervisor._current = Submit(ticket="one", request=text_to_image("b"))
    assert supervisor._patience() == (hours * 3600 or 2)


async def test_a_request_that_comes_while_it_closes_ends_too(
    catalogue: Catalogue, stand_in: Callable[[str], object]
) -> None:
    own = LocalGenerator(catalogue, device="cpu")
    await own.start()
    closing = asyncio.create_task(own.close())
    await asyncio.sleep(0)
    ticket = submit(own, text_to_image())
    *_, last = await rest(own, ticket)
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.WORKER_DIED
    await closing


@needs_signals
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
async def test_the_worker_dies_with_its_parent(tiny_models: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from generation.catalogue import Catalogue\n"
        "from generation.local import LocalGenerator\n"
        "async def main():\n"
        "    generator = LocalGenerator(Catalogue.load(pathlib.Path(sys.argv[1])), device='cpu')\n"
        "    await generator.start()\n"
        "    while generator.pid is None: await asyncio.sleep(0.01)\n"
        "    print(generator.pid, flush=True)\n"
        "    await asyncio.sleep(3600)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, str(tiny_models / "models.toml")]
    parent = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    worker = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(PATIENCE):
        while _runs(worker):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX"
    return False


async def test_the_bots_side_imports_no_torch() -> None:
    program = (
        "import sys, generation.local, generation.catalogue, generation.installed, generation.pictures\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'accelerate', 'safetensors', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT)
    assert await process.wait() == 0


async def test_a_worker_holds_several_requests_and_advances_the_one_that_is_named(catalogue: Catalogue) -> None:
    """Nothing asks for it yet but the words on the pipe: the real process, and no supervisor."""
    heard: queue.SimpleQueue[wire.FromWorker | Gone] = queue.SimpleQueue()
    child = Child(lambda _, word: heard.put(word))

    def said(until: Callable[[wire.Said], bool]) -> list[wire.Said]:
        words: list[wire.Said] = []
        while not (words and until(words[-1])):
            word = heard.get(timeout=PATIENCE)
            assert not isinstance(word, Gone), word
            words += [word] if isinstance(word, wire.Said) else []
        return words

    def ends(ticket: str) -> Callable[[wire.Said], bool]:
        return lambda word: word.ticket == ticket and isinstance(word.event, Finished | Failed)

    try:
        child.send(wire.Setup(models=tuple(catalogue.values()), device="cpu", allow_downloads=False, preload="sd"))
        asked = {"long": text_to_image("sd", steps=40), "short": text_to_image("flux", steps=2, seeds=(5,))}
        alone = {}
        for ticket, request in asked.items():
            child.send(wire.Draw(ticket=ticket, request=request))
            alone[ticket] = said(ends(ticket))[-1].event

        child.send(wire.Draw(ticket="long", request=asked["long"]))
        said(lambda word: isinstance(word.event, Progressed))
        child.send(wire.Draw(ticket="short", request=asked["short"]))
        child.send(wire.Favour(ticket="short"))
        first = said(ends("short"))
        assert not any(ends("long")(word) for word in first), "the long one would have been first in the line"
        last = said(ends("long"))
        assert {word.ticket for word in last} == {"long"}
        for ticket, word in (("short", first[-1]), ("long", last[-1])):
            ended, expected = word.event, alone[ticket]
            assert isinstance(ended, Finished)
            assert isinstance(expected, Finished)
            assert ended.images == expected.images

        for ticket in ("one", "other"):
            child.send(wire.Draw(ticket=ticket, request=asked["long"]))
        child.send(wire.Stop(ticket="other"))
        assert isinstance(said(ends("one"))[-1].event, Finished)
        assert said(ends("other"))[-1].event == Failed(reason=FailureReason.CANCELLED)
    finally:
        child.kill()
        child.join()
