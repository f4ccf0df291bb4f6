"""A token that was reset while the bot runs: it ends with a sentence, and what it drew is posted after the next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.jobs.job import JobState
from tests.bot.features.privacy.people import jobs_of
from tests.fakes import FakeGenerator
from tests.world import World, world


async def state_of(easel: World) -> JobState:
    (job,) = await jobs_of(easel)
    return job.state


@pytest.mark.parametrize(
    ("method", "kept"),
    [("POST", JobState.FINISHED), ("*", JobState.RUNNING)],  # an edit of the progress message comes first
)
async def test_a_result_waits_for_the_new_token_and_is_posted_once(tmp_path: Path, method: str, kept: JobState) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        easel.env.inject_error(method, "/channels/*", status=401, times=None)
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        easel.forgive()
        assert await state_of(easel) is kept
        assert "DISCORD_TOKEN" in easel.client.failure
        assert easel.client.is_closed()
        easel.env.backend.faults.clear()
        await easel.restart()
        assert len(easel.results()) == 1
        assert await state_of(easel) is JobState.DELIVERED
        assert "36 of 40" in await easel.told(easel.ben, "info")


async def test_an_answer_that_comes_too_late_is_no_reset(easel: World) -> None:
    easel.env.inject_error("POST", "/webhooks/*", status=401, code=50027, times=None)
    easel.env.inject_error("PATCH", "/webhooks/*", status=401, code=50027, times=None)
    await easel.imagine(easel.ben)
    easel.forgive()
    assert easel.client.failure == ""
    assert await state_of(easel) is JobState.DELIVERED
