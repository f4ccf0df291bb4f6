"""What is owed to people is done although a task, the disk, the database or Discord failed for a while, without a restart."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.client import RECONCILE_SECONDS
from storage.errors import DatabaseFailed
from storage.jobs import images, lifecycle, queries
from storage.jobs.job import Job, JobState
from tests.fakes import FakeGenerator
from tests.world import World, said, world

MESSAGES = "/channels/*/messages"
MESSAGE = "/channels/*/messages/*"
LOOK = RECONCILE_SECONDS + 1


async def job_of(easel: World) -> Job:
    async with easel.services.database.reading() as tx:
        (job,) = await queries.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=1)
    return job


async def looks(easel: World, times: int = 2) -> None:
    for _ in range(times):
        await easel.env.advance_time(LOOK)


def failing(times: int, error: Exception, real: Callable[..., Any]) -> Callable[..., Any]:
    """A function that raises so often before it works."""
    left = [error] * times

    def call(*arguments: Any, **options: Any) -> Any:
        if left:
            raise left.pop()
        return real(*arguments, **options)

    return call


async def test_a_result_that_the_disk_did_not_give_out_is_posted_later(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "read", failing(1, OSError(errno.EIO, "input/output error"), images.read))
    await easel.imagine(easel.ben)
    assert easel.results() == []
    assert (await job_of(easel)).state is JobState.FINISHED
    await looks(easel)
    assert len(easel.results()) == 1
    assert len(easel.messages()) == 1, "the progress message is gone"
    await looks(easel)
    assert len(easel.results()) == 1


async def test_pictures_that_the_disk_did_not_take_are_written_later(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "write", failing(2, OSError(errno.EIO, "input/output error"), images.write))
    await easel.imagine(easel.ben)
    assert (await job_of(easel)).state is JobState.RUNNING
    await easel.env.advance_time(20)
    assert len(easel.results()) == 1
    assert len(easel.generator.requests) == 1, "it was drawn once"


async def test_a_result_survives_another_program_that_holds_the_database(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        async with easel.services.database.transaction() as tx:
            await tx.execute("PRAGMA busy_timeout = 20")  # SQLite itself would wait for five seconds
        other = sqlite3.connect(tmp_path / "easel.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        await easel.env.advance_time(20)
        assert easel.results() == []
        other.execute("ROLLBACK")
        other.close()
        await easel.env.advance_time(20)
        assert len(easel.results()) == 1
        assert (await job_of(easel)).state is JobState.DELIVERED


@pytest.mark.parametrize("changed", ["finish", "deliver", "mark_notified"])
async def test_a_passing_error_of_the_database_strands_nothing(
    easel: World, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    easel.generator.paused = True
    await easel.imagine(easel.ben)
    monkeypatch.setattr(
        lifecycle, changed, failing(1, DatabaseFailed("database is locked"), getattr(lifecycle, changed))
    )
    if changed == "mark_notified":
        await easel.told(easel.ben, "cancel")
    else:
        easel.generator.finish(easel.generator.last)
        await easel.rest()
    await easel.env.advance_time(10)
    job = await job_of(easel)
    if changed == "mark_notified":
        assert (job.state, job.notified, job.progress_open) == (JobState.CANCELLED, True, False)
    else:
        assert (job.state, len(easel.results())) == (JobState.DELIVERED, 1)


async def test_a_running_job_that_nobody_draws_is_queued_again(easel: World) -> None:
    easel.generator.paused = True
    await easel.imagine(easel.ben)
    (task,) = [task for task in asyncio.all_tasks() if task.get_name().startswith("job ")]
    task.cancel()
    await easel.rest()
    easel.generator.paused = False
    await looks(easel)
    assert (await job_of(easel)).state is JobState.DELIVERED
    assert len(easel.results()) == 1


@pytest.mark.parametrize("status", [503, 520, 429])
async def test_a_progress_message_goes_although_discord_stumbles_for_minutes(easel: World, status: int) -> None:
    easel.env.inject_error("DELETE", MESSAGE, status=status, times=None)
    await easel.imagine(easel.ben)
    await easel.env.advance_time(30)
    assert len(easel.messages()) == 2
    easel.env.backend.faults.clear()
    await looks(easel)
    assert easel.messages() == easel.results()
    assert not (await job_of(easel)).progress_open


async def test_a_progress_message_whose_posting_was_never_answered_goes(easel: World) -> None:
    real, lost = easel.client.http.send_message, []

    async def send(*arguments: Any, **options: Any) -> Any:
        answer = await real(*arguments, **options)
        if not lost:
            lost.append(answer)
            raise TimeoutError
        return answer

    easel.client.http.send_message = send  # type: ignore[method-assign]
    await easel.imagine(easel.ben)
    assert lost
    assert easel.messages() == easel.results()
    assert len(easel.results()) == 1


async def test_the_word_of_an_admins_cancel_comes_although_discord_stumbles(easel: World) -> None:
    easel.generator.paused = True
    await easel.imagine(easel.cleo)
    await easel.imagine(easel.ben)
    (message,) = [one for one in easel.messages() if f"<@{easel.ben.id}>" in one.content]
    easel.env.inject_error("PATCH", MESSAGE, status=503, times=None)
    await easel.told(easel.admin, "admin queue clear")
    await easel.env.advance_time(30)
    easel.env.backend.faults.clear()
    await looks(easel)
    (message,) = [one for one in easel.messages() if f"<@{easel.ben.id}>" in one.content]
    assert "Cancelled by an admin" in message.content
    assert message.components == []


async def test_a_result_with_no_place_is_shown_by_info(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        easel.env.inject_error("POST", MESSAGES, status=403, times=None)
        await easel.imagine(easel.ben, "a fox")
        easel.env.backend.faults.clear()
        assert easel.messages() == []
        assert "`/info` shows it" in await easel.told(easel.ben, "queue")
        assert "`/info` shows it" not in await easel.told(easel.cleo, "queue")
        result = await easel.ben.slash(easel.channel, "info")
        shown = result.followups[-1]
        assert "a fox" in shown.content
        assert len(shown.attachments) == 1
        assert "40 of 40" in said(result)
        assert "`/info` shows it" not in await easel.told(easel.ben, "queue")
