"""The worker process: real processes, real pipes, real signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from generation.catalogue import Catalogue
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
from generation.local import LocalGenerator, WorkerUnavailable
from tests.generation.requests import image_to_image, text_to_image

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 60.0
"""Seconds after which a wait on a busy machine is taken for a failure."""
ROOT = Path(__file__).parents[2]
needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def generator(catalogue: Catalogue) -> AsyncIterator[LocalGenerator]:
    """One worker for the whole module, started again by the tests that kill it."""
    made = LocalGenerator(catalogue, default_model="sd", device="cpu", step_timeout=3)
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
            assert len(events[-1].images) == len(request.seeds)


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
    assert len(after) < 40


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
    killed = generator.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    async with asyncio.timeout(5):
        last = await last_of(events)
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.WORKER_DIED
    *_, again = await rest(generator, waiting)
    assert isinstance(again, Finished), again
    assert again.images == once.images
    assert again.grid == once.grid
    assert generator.pid != killed


@needs_signals
async def test_a_hung_worker_is_killed(generator: LocalGenerator) -> None:
    ticket = submit(generator, text_to_image(width=128, height=128, steps=150))
    events = generator.events(ticket)
    await first_step(events)
    stopped = generator.pid
    assert stopped is not None
    os.kill(stopped, signal.SIGSTOP)
    last = await last_of(events)
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.WORKER_HUNG
    assert await drawn(generator, text_to_image())
    assert generator.pid != stopped


@needs_signals
async def test_the_worker_leaves_signals_to_its_parent(generator: LocalGenerator) -> None:
    ready = await generator.wait_ready()
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(ready.pid, number)
    assert await drawn(generator, text_to_image())
    assert generator.pid == ready.pid


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
    async with asyncio.timeout(15):
        await own.close()
    assert [*await rest(own, ticket)][-1].reason is FailureReason.WORKER_DIED  # type: ignore[union-attr]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert set(threading.enumerate()) <= threads
    assert asyncio.all_tasks() == tasks
    await own.close()


async def test_a_worker_that_never_starts_fails_requests(catalogue: Catalogue) -> None:
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
    async with asyncio.timeout(10):
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
