"""What members see of fair shares: their turn, their role's weight, and when their pictures will be there."""

from __future__ import annotations

import re
from pathlib import Path

from storage.jobs import queries, role_weights
from tests.fakes import FakeGenerator
from tests.world import Clock, World, world

SECONDS = 1.5
"""What the fake generator says that each job took."""


async def test_an_estimate_is_kept(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path, clock=clock, daily_credits=1000) as easel:
        await easel.imagine(easel.ben)
        easel.generator.paused = True
        people = [easel.ben, easel.cleo, easel.admin] * 3
        told = {}
        for number, who in enumerate(people):
            words = await easel.imagine(who, f"picture {number}")
            found = re.search(r"done in (?:about ([0-9]+) s|a few seconds)", words)
            assert found, words
            told[f"picture {number}"] = float(found[1] or 3)
        begun = clock()
        met = {}
        while len(met) < len(people):
            ticket = easel.generator.last
            clock.move(seconds=SECONDS)
            met[easel.generator.requests[ticket].sampling.prompt] = (clock() - begun).total_seconds()
            easel.generator.finish(ticket)
            await easel.rest()
        off = sorted(abs(told[prompt] - met[prompt]) / met[prompt] for prompt in told)
        assert off[len(off) // 2] <= 0.25, (told, met)


async def test_a_heavier_role_is_served_more_often(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True), daily_credits=1000) as easel:
        supporter = easel.guild.add_member(easel.env.create_user("sue"), roles=[easel.vip])
        async with easel.services.database.transaction() as tx:
            await role_weights.set_weight(tx, guild_id=easel.guild.id, role_id=easel.vip.id, weight=3)
        for _ in range(6):
            await easel.imagine(easel.ben, "of ben")
            await easel.imagine(supporter, "of sue")
        for _ in range(8):
            easel.generator.finish(easel.generator.last)
            await easel.rest()
        drawn = [request.sampling.prompt for request in easel.generator.requests.values()][:8]
        assert 5 <= drawn.count("of sue") <= 6


async def test_nobody_draws_more_at_once_than_the_host_allows(tmp_path: Path) -> None:
    generator = FakeGenerator(paused=True, capacity=2)
    async with world(tmp_path, generator=generator, max_running=1) as easel:
        await easel.imagine(easel.ben, "one")
        await easel.imagine(easel.ben, "two")
        await easel.imagine(easel.cleo, "hers")
        assert {request.sampling.prompt for request in generator.requests.values()} == {"one", "hers"}
        generator.finish(next(iter(generator.requests)))
        await easel.rest()
        assert len(generator.requests) == 3


async def test_jobs_of_the_same_owner_are_told_apart_in_line(easel: World) -> None:
    easel.generator.paused = True
    for _ in range(3):
        await easel.imagine(easel.ben)
    async with easel.services.database.reading() as tx:
        line = await queries.active(tx)
    assert [job.turn for job in line] == sorted({job.turn for job in line})
