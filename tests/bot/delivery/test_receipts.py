"""One message for a job: the private answer that it is on its way goes when its end is there to see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from generation.contract import Failed, FailureReason
from tests.fakes import FakeGenerator
from tests.world import World, said, world


@pytest.fixture
async def easel(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as made:
        yield made


def private(easel: World) -> list[str]:
    """What Ben alone reads in the channel."""
    return [m.content for m in easel.channel.history(viewer=easel.ben) if m.flags.ephemeral]


async def asked(easel: World, prompt: str = "a boat", **options: Any) -> None:
    assert "On its way" in said(await easel.ben.slash(easel.channel, "imagine", prompt=prompt, **options))
    assert len(private(easel)) == 1


async def test_it_goes_when_the_pictures_are_there(easel: World) -> None:
    await asked(easel)
    easel.generator.finish(easel.generator.last)
    await easel.rest()
    assert private(easel) == []
    assert len(easel.messages()) == 1


async def test_it_goes_when_the_job_is_cancelled(easel: World) -> None:
    await asked(easel)
    await easel.press(easel.ben, easel.messages()[0], "Cancel")
    await easel.rest()
    assert not [words for words in private(easel) if "On its way" in words]


async def test_it_goes_when_the_job_failed(easel: World) -> None:
    await asked(easel)
    easel.generator.send(easel.generator.last, Failed(reason=FailureReason.OUT_OF_MEMORY))
    await easel.rest()
    assert private(easel) == []
    (told,) = easel.messages()
    assert "more memory" in told.content


async def test_what_was_not_done_as_asked_stays_to_be_read(easel: World) -> None:
    await asked(easel, "a boat --ar 4:1")
    easel.generator.finish(easel.generator.last)
    await easel.rest()
    (words,) = private(easel)
    assert "nearest" in words


async def test_where_discord_fails_the_result_is_there_all_the_same(easel: World) -> None:
    await asked(easel)
    easel.env.inject_error("DELETE", "/webhooks/*", status=404, times=1)
    easel.generator.finish(easel.generator.last)
    await easel.rest()
    assert len(easel.results()) == len(private(easel)) == 1
    assert "36 of 40" in await easel.told(easel.ben, "info")
