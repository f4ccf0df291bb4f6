"""What costs much and is no job: one of each kind for a person, few in all, on threads that no result waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.features.privacy import _archive as archive
from bot.pictures import files
from bot.pictures.limiter import Limits
from storage.jobs import images
from tests.bot.features.privacy.people import copy_of
from tests.world import World, said


def spied(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[str]:
    """The names of the threads on which a function runs from now on."""
    threads: list[str] = []
    real: Callable[..., Any] = getattr(owner, name)

    def watched(*arguments: Any, **options: Any) -> Any:
        threads.append(threading.current_thread().name)
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, watched)
    return threads


async def export(easel: World, who: Any) -> Callable[[], str]:
    result = await who.slash(easel.channel, "privacy export")
    return lambda: said(result)


async def letter(easel: World, who: Any) -> Callable[[], str]:
    """A reaction under a picture of its own; its answer comes as a direct message."""
    await easel.imagine(who)
    told = who.user.dm_channel
    before = len(told.history()) if told else 0
    await who.react(easel.results()[-1], "✉️")
    await easel.rest()
    return lambda: "".join(m.content for m in (who.user.dm_channel or told).history()[before:])


@pytest.mark.parametrize(("kind", "ask", "patience"), [("exports", export, 2), ("letters", letter, 30)])
async def test_a_person_has_one_at_a_time_and_all_together_few(
    easel: World, kind: str, ask: Any, patience: float
) -> None:
    limits: Limits = easel.services.limits
    limit = getattr(limits, kind)
    await easel.imagine(easel.ben)
    async with limit.place(easel.ben.id):
        told = await ask(easel, easel.ben)
        await easel.env.advance_time(patience)
        assert "I am still busy with what you asked for before." in told()
    async with AsyncExitStack() as stack:
        for other in range(1, 5 if kind == "letters" else 3):
            await stack.enter_async_context(limit.place(other))
        told = await ask(easel, easel.ben)
        await easel.env.advance_time(patience)
        assert "Others are being served just now." in told()
    told = await ask(easel, easel.ben)
    assert "busy" not in told()


async def test_a_place_is_free_again_after_a_failure(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("a bug")

    await easel.imagine(easel.ben)
    with monkeypatch.context() as patch:
        patch.setattr(archive, "entries", broken)
        for _ in range(3):
            assert "Something went wrong" in await easel.told(easel.ben, "privacy export")
    easel.forgive()
    assert await copy_of(easel, easel.ben)


async def test_they_have_threads_of_their_own(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await easel.imagine(easel.ben)
    written = spied(monkeypatch, archive, "write")
    read = spied(monkeypatch, images, "read")
    kept = spied(monkeypatch, files, "keep")
    await copy_of(easel, easel.ben)
    await easel.ben.react(easel.results()[0], "✉️")
    await easel.rest()
    assert {name.split("_")[0] for name in written} == {"exports"}
    assert {name.split("_")[0] for name in read} == {"letters"}
    await easel.imagine(easel.ben)
    assert kept
    assert not any(name.startswith(("exports", "letters", "files")) for name in kept)
