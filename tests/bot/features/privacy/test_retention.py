"""What is kept for as long as the host said, and no longer."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.features.privacy import _retention as retention
from storage.database import Database
from storage.errors import DatabaseFailed
from storage.files.job_ids import new_id
from storage.jobs import lifecycle
from storage.jobs.job import NewJob
from storage.privacy.retention import pieces
from tests.bot.features.privacy.people import SECRET, jobs_of, pictures_in, traces
from tests.world import said, world


async def test_old_pictures_go_and_their_buttons_say_so(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=30, keep_prompts_days=0) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.live(days=20)
        await easel.imagine(easel.ben, "a boat")
        easel.live(days=20)
        await retention.prune(easel.services)
        old, new = easel.results()
        assert "no longer kept" in said(await easel.press(easel.ben, old, "U1"))
        assert len(pictures_in(tmp_path)) == 4
        await easel.press(easel.ben, new, "U1")
        assert len(easel.messages()) == 3
        assert SECRET in await easel.told(easel.ben, "info")
        await easel.press(easel.ben, old, "🔄")
        assert len(easel.results()) == 3, "the prompt is still there to be drawn again"


async def test_old_prompts_go_with_their_pictures(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=0, keep_prompts_days=30) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.live(days=31)
        await retention.prune(easel.services)
        assert "no longer kept" in said(await easel.press(easel.ben, easel.results()[0], "🔄"))
        assert pictures_in(tmp_path) == []
        assert SECRET not in await easel.told(easel.ben, "info")
        assert "0 jobs" in await easel.told(easel.ben, "privacy show")


async def test_a_search_of_every_byte_finds_no_prompt_that_is_too_old(tmp_path: Path) -> None:
    source = random.Random(1)
    async with world(tmp_path, keep_prompts_days=30) as easel:
        await easel.imagine(easel.ben, f"{SECRET} in the usual way")
        (job,) = await jobs_of(easel)
        async with easel.services.database.transaction() as tx:
            for number in range(600):
                words = source.choice((SECRET, "a boat", "a boat")) + " on a lake" * source.randrange(150)
                drawn = NewJob(**{f.name: getattr(job, f.name) for f in fields(NewJob)})
                request = replace(drawn.request, sampling=replace(drawn.request.sampling, prompt=words))
                drawn = replace(drawn, id=new_id(source), interaction_id=None, prompt=words, request=request)
                now = easel.clock() + timedelta(days=0 if SECRET in words else 20)
                await lifecycle.cancel(tx, (await lifecycle.insert(tx, drawn, now=now)).id, by=1, now=now)
                # A row that grows moves others about, and leaves pieces of them behind.
                await tx.execute(
                    "UPDATE jobs SET request = ? WHERE number = ?", ("y" * 300, source.randrange(number + 2))
                )
        easel.live(days=40)
        await retention.prune(easel.services)
        assert all(SECRET not in trace for trace in traces(tmp_path, easel.ben.id, SECRET))
        assert any("a boat" in trace for trace in traces(tmp_path, easel.ben.id, "a boat"))


async def test_what_was_forgotten_before_a_crash_is_searched_for_pieces_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: Database) -> float:
        raise DatabaseFailed("the disk is full")

    async with world(tmp_path, keep_prompts_days=30) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.live(days=31)
        with monkeypatch.context() as broken:
            broken.setattr(Database, "scrub", full)
            with pytest.raises(DatabaseFailed):
                await retention.prune(easel.services)
        await easel.restart()
        await retention.prune(easel.services)
        assert traces(tmp_path, easel.ben.id, SECRET) != []
        assert all(SECRET not in trace for trace in traces(tmp_path, easel.ben.id, SECRET))


async def test_the_database_is_rewritten_for_at_most_a_second_of_each_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewritten = []

    async def slow(_: Database) -> float:
        rewritten.append(hour)
        return 4.0

    monkeypatch.setattr(Database, "scrub", slow)
    async with world(tmp_path, keep_prompts_days=1) as easel:
        for hour in range(48):
            if hour < 6:
                await easel.imagine(easel.ben, SECRET)
            await retention.prune(easel.services)
            easel.clock.move(hours=1)
    assert rewritten == [25, 29, 33], "a job is too old at each hour from 25 to 30; 4 seconds are 4 hours' worth"


async def test_what_another_program_still_reads_is_noted_and_rewritten_once_it_lets_go(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, keep_prompts_days=30) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.live(days=31)
        with closing(sqlite3.connect(tmp_path / "easel.db")) as reader:
            reader.execute("BEGIN").execute("SELECT count(*) FROM jobs").fetchone()
            await retention.prune(easel.services)
            assert any(SECRET in trace for trace in traces(tmp_path, easel.ben.id, SECRET)), "they are there"
            async with easel.services.database.reading() as tx:
                assert await pieces(tx, now=easel.clock()) is not None, "and that is not forgotten"
        easel.clock.move(hours=1)
        await retention.prune(easel.services)
        assert all(SECRET not in trace for trace in traces(tmp_path, easel.ben.id, SECRET))


async def test_the_host_may_keep_everything(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=0, keep_prompts_days=0) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.live(days=3650)
        await retention.prune(easel.services)
        await easel.press(easel.ben, easel.results()[0], "U1")
        assert len(easel.messages()) == 2


async def test_the_bot_looks_for_what_is_old_by_itself(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=1) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.live(days=2)
        await easel.env.advance_time(3600)
        assert pictures_in(tmp_path) == []
