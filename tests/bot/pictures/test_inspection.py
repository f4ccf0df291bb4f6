"""What strangers' files may cost: two processes at most, one for each person, within limits, and nobody else waits."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bot.errors import BadPicture, Busy
from bot.features import describe
from bot.pictures import environment, inspection
from bot.pictures.inspection import Inspection
from bot.pictures.limiter import Limiter
from tests.bot.pictures.hostile import COSTLY
from tests.bot.pictures.inspecting import inspected
from tests.bot.settings.test_settings import PROJECT
from tests.fakes import picture
from tests.world import World, said

_start = subprocess.Popen


def running(program: str) -> Any:
    """Starts a process that runs this in place of the reader's own program; `inspector` is its module."""

    def start(command: list[str], **options: Any) -> Any:
        whole = f"import sys, time; from pathlib import Path; from bot.pictures import inspector\n{program}"
        return _start([*command[:3], "-c", whole, *command[5:]], **options)

    return start


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Processes that read nothing before this file is there."""
    gate = tmp_path / "go"
    wait = f"while not Path({str(gate)!r}).exists(): time.sleep(0.02)\ninspector.main(sys.argv[1:])"
    monkeypatch.setattr(inspection.subprocess, "Popen", running(wait))
    return gate


def until_running(reading: Inspection, processes: int) -> None:
    while reading.running < processes:
        time.sleep(0.01)


@pytest.mark.parametrize("what", ["comments", "scans", "chunks"])
async def test_hostile_files_are_refused_in_words(easel: World, what: str) -> None:
    result = await easel.ben.slash(easel.channel, "describe", image=("a.png", COSTLY[what]()))
    assert "I can't read that file: it is" in said(result)
    assert "more than" in said(result)


async def test_while_six_files_are_read_others_are_served(easel: World, held: Path) -> None:
    """Two are read, four are told in two seconds to come back, and a member's picture is drawn meanwhile."""
    reading = easel.services.inspection
    guests = [easel.guild.add_member(easel.env.create_user(f"guest{n}")) for n in range(3)]

    async def fetched() -> bytes:
        return picture(1)

    asking = [asyncio.create_task(reading.read(user_id, fetched)) for user_id in (easel.ben.id, 2)]
    await asyncio.to_thread(until_running, reading, 2)
    for who in (*guests, easel.ben):
        result = await who.slash(easel.channel, "describe", image=("a.png", picture(1)))
        assert not said(result)
        await easel.env.advance_time(2)
        own = "still busy with what you asked" if who is easel.ben else "Others are being served"
        assert own in said(result)
    assert "On its way" in await easel.imagine(easel.cleo)
    assert len(easel.results()) == 1
    assert reading.running == 2, "both were still being read when the picture came"
    await asyncio.to_thread(held.touch)
    for found in await asyncio.gather(*asking):
        assert found.description.parameters is None
    assert "no parameters" in await easel.told(easel.ben, "describe", image=("a.png", picture(1)))


async def test_a_place_is_given_in_time_or_refused() -> None:
    limit = Limiter("test", patience=0.05)
    async with limit.place(1):
        with pytest.raises(Busy) as mine:
            async with limit.place(1):
                pass
        assert mine.value.own
        async with limit.place(2):
            with pytest.raises(Busy) as others:
                async with limit.place(3):
                    pass
            assert not others.value.own
        async with limit.place(3):
            pass
    async with limit.place(1):
        pass
    limit.close()


async def test_whoever_waits_gets_the_place_that_becomes_free() -> None:
    limit = Limiter("test", in_all=1, patience=30)
    order = []

    async def work(user_id: int) -> None:
        async with limit.place(user_id):
            order.append(user_id)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(n) for n in (1, 1, 2, 3)))
    assert sorted(order) == [1, 1, 2, 3]
    limit.close()


@pytest.mark.parametrize(
    "program",
    [
        "inspector.describe = lambda data: bytearray(4 * 2**30)\ninspector.main([])",
        "inspector.CPU_SECONDS = 1\ninspector.describe = lambda data: [0 for _ in iter(int, 1)]\ninspector.main([])",
        "inspector.SECONDS = 1\ninspector.describe = lambda data: time.sleep(60)\ninspector.main([])",
        "raise SystemExit(3)",
    ],
    ids=["memory", "processor", "clock", "end"],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits")
def test_a_process_ends_at_its_limits(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection.subprocess, "Popen", running(program))
    began = time.monotonic()
    with pytest.raises(BadPicture, match="more time or memory"):
        inspected(picture(1), patience=60)
    assert time.monotonic() - began < 30


def test_a_process_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection.subprocess, "Popen", running("time.sleep(600)"))
    with pytest.raises(BadPicture, match="more time or memory"):
        inspected(picture(1), patience=0.5)


def test_the_end_of_the_bot_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def start(*arguments: Any, **options: Any) -> Any:
        started.append(running("time.sleep(600)")(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(inspection.subprocess, "Popen", start)
    reading = Inspection(Limiter("files"), trust=None, patience=600)

    def read() -> None:
        with pytest.raises(BadPicture):
            reading.inspect(picture(1))

    thread = threading.Thread(target=read)
    thread.start()
    until_running(reading, 1)
    reading.close()
    thread.join(30)
    assert not thread.is_alive()
    assert started[0].returncode is not None


def test_a_process_that_reads_files_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DISCORD_TOKEN",
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "EASEL_C2PA_KEY",
        "AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.setenv(name, "t0ken-of-ours")
    given = []

    def start(command: list[str], **options: Any) -> Any:
        given.append(options["env"])
        return _start(command, **options)

    monkeypatch.setattr(inspection.subprocess, "Popen", start)
    assert inspected(picture(1)).description.parameters is None
    assert "t0ken-of-ours" not in given[0].values()
    assert set(given[0]) <= environment.NEEDED


def test_the_reader_decodes_with_nothing() -> None:
    """It starts at once, and a hostile file meets no decoder in it."""
    program = "import sys, bot.pictures.inspector; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT
    ).stdout.split()
    assert "generation.read_metadata" in loaded
    assert not {"PIL", "discord", "aiosqlite", "torch", "structlog"} & set(loaded)


async def test_the_banned_and_the_timed_out_may_not_use_it(easel: World) -> None:
    file = ("a.png", picture(1))
    await easel.told(easel.admin, "admin member ban", who=easel.ben, reason="spam")
    assert "You may not use Easel in this server: spam" in await easel.told(easel.ben, "describe", image=file)
    assert "Easel works in servers" in said(await easel.ben.user.slash("describe", image=file))
    await easel.told(easel.admin, "admin member unban", who=easel.ben)
    assert "no parameters" in said(await easel.ben.user.slash("describe", image=file))
    await easel.told(easel.admin, "admin words block", word="walrus")
    for _ in range(5):
        await easel.imagine(easel.cleo, "a walrus")
    for words in (
        await easel.told(easel.cleo, "describe", image=file),
        said(await easel.cleo.user.slash("describe", image=file)),
    ):
        assert "you can go on" in words


async def test_a_file_that_does_not_come_is_given_up(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: object) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(describe, "_PATIENCE", 0)
    monkeypatch.setattr(describe.discord.Attachment, "read", never)
    words = await easel.told(easel.ben, "describe", image=("a.png", picture(1)))
    assert "Discord does not hand it out" in words
