"""What people see of what is kept of them, get a copy of, and are rid of for good."""

from __future__ import annotations

import io
import json
import logging
import random
import re
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot import archive, erasure, logs, orders, prompts, retention, rewriting
from bot.errors import Banned
from storage import bans, erasures, gifts, jobs, quotas, refusals, sheets
from storage.bans import Ban
from storage.database import Database
from storage.erasures import Erasure
from storage.errors import DatabaseFailed
from storage.jobs import Job, NewJob, new_id
from storage.quotas import Rate, Subject
from tests.fakes import FakeGenerator, finished
from tests.world import World, said, world

SECRET = "a purple walrus named Bartholomew"


def traces(folder: Path, person: int, *words: str) -> list[str]:
    """Where in the data folder a person's id or words stand, in whatever form SQLite and JSON write them."""
    wanted = {
        "the id as text": str(person).encode(),
        "the id as SQLite's integer": person.to_bytes(8, "big"),
        "the id as SQLite's row number": _varint(person),
        **{word: word.encode() for word in words},
    }
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        f"{what} in {path.name}"
        for path in files
        for what, form in wanted.items()
        if form in path.read_bytes()
    ]


def pictures_in(folder: Path) -> list[Path]:
    return list(folder.rglob("[1-9].png"))


def _varint(number: int) -> bytes:
    """https://sqlite.org/fileformat2.html#varint, for more than 56 bits: eight groups of seven, and a whole byte."""
    high, last = divmod(number, 256)
    return bytes(0x80 | (high >> shift) & 0x7F for shift in range(49, -1, -7)) + bytes([last])


async def press(who: Any, result: Any, label: str) -> Any:
    """Click a button under an answer that only this person sees."""
    return await who.click(result.followups[-1] if result.followups else result.response, label=label)


async def delete(easel: World, who: Any, label: str = "Delete") -> str:
    return said(await press(who, await who.slash(easel.channel, "privacy delete"), label))


async def copy_of(easel: World, who: Any, **options: Any) -> list[zipfile.ZipFile]:
    result = await who.slash(easel.channel, "privacy export", **options)
    assert result.ephemeral
    files = [
        file for message in [result.response, *result.followups] if message for file in message.attachments
    ]
    return [zipfile.ZipFile(io.BytesIO(await file.read())) for file in files]


async def a_full_life(easel: World) -> None:
    """Ben leaves a trace in every table that there is."""
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben, reason=f"won with {SECRET}")
    await easel.told(easel.admin, "quota grant", credits=5)
    await easel.told(easel.admin, "quota set", credits=30, who=easel.ben)
    await easel.imagine(easel.ben, SECRET)
    await easel.press(easel.ben, easel.results()[-1], "U1")
    await easel.press(easel.ben, easel.results()[-1], "V2")
    await easel.press(easel.cleo, easel.results()[0], "V1")
    await easel.imagine(easel.cleo, "a boat")
    await easel.press(easel.ben, easel.results()[-1], "U1")
    async with easel.studio.database.transaction() as tx:
        await bans.ban(
            tx,
            Ban(
                guild_id=1,
                user_id=easel.ben.id,
                actor_id=easel.admin.id,
                reason=f"drew {SECRET}",
                at=easel.clock(),
            ),
        )
        await tx.execute(
            "INSERT INTO changes (guild_id, actor_id, what, old, new, at) VALUES (1, ?, ?, ?, ?, 0)",
            (easel.admin.id, f"ban of <@{easel.ben.id}>", SECRET, f"banned ({SECRET})"),
        )
        await refusals.count(
            tx, guild_id=1, user_id=easel.ben.id, interaction_id=5, since=easel.clock(), now=easel.clock()
        )
        await refusals.time_out(tx, guild_id=2, user_id=easel.ben.id, until=easel.clock())
        boat = (await tx.fetch_one("SELECT id FROM jobs WHERE prompt = 'a boat'") or [""])[0]
        await tx.execute("INSERT INTO reports VALUES (?, ?, 0)", (boat, easel.ben.id))
        await tx.execute(
            "INSERT INTO cases (job_id, kind, judge_id, opened_at) VALUES (?, 'report', ?, 0)",
            (boat, easel.ben.id),
        )
        await tx.execute("INSERT INTO pauses VALUES (1, 'paused', ?, ?, 0)", (easel.ben.id, SECRET))
        await quotas.set_allowance(
            tx,
            guild_id=1,
            subject=Subject(kind="user", id=easel.cleo.id),
            rate=Rate(3),
            actor_id=easel.ben.id,
            now=easel.clock(),
        )
        await gifts.give(
            tx,
            guild_id=1,
            subject=Subject(kind="user", id=easel.cleo.id),
            credits=3,
            actor_id=easel.ben.id,
            reason=SECRET,
            now=easel.clock(),
        )


async def jobs_of(easel: World) -> list[Job]:
    async with easel.studio.database.reading() as tx:
        return await jobs.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=9)


async def totals(easel: World) -> list[tuple[Any, ...]]:
    async with easel.studio.database.reading() as tx:
        rows = await tx.fetch_all(
            "SELECT guild_id, host_day, sum(spent), sum(bonus), count(*) FROM ledger GROUP BY guild_id, host_day"
        )
        return [tuple(row) for row in rows]


# ------------------------------------------------------------------------------------------------------------- show


async def test_the_page_says_what_is_kept_and_for_how_long(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=30, keep_prompts_days=0) as easel:
        await easel.imagine(easel.ben, SECRET)
        page = await easel.told(easel.ben, "privacy show")
        assert "1 job with prompt, settings, channel and times: kept until you delete it" in page
        assert "5 pictures" in page
        assert "kept for 30 days" in page
        assert "0 jobs" in await easel.told(easel.cleo, "privacy show")
        assert len(page) < 2000


async def test_it_works_in_direct_messages_too(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    result = await easel.ben.user.slash("privacy show")
    assert "1 job with" in said(result)


# ----------------------------------------------------------------------------------------------------------- export


async def test_a_copy_has_every_row_and_picture_of_the_person_and_nobody_elses(easel: World) -> None:
    await a_full_life(easel)
    await easel.imagine(easel.cleo, "what Cleo wrote")
    (copy,) = await copy_of(easel, easel.ben)
    jobs = json.loads(copy.read("jobs.json"))
    assert [job["prompt"] for job in jobs] == [SECRET, SECRET]
    assert jobs[0]["request"]["steps"] > 0
    assert json.loads(copy.read("ledger.json"))[0]["reason"] == f"won with {SECRET}"
    kept = easel.studio.database.folder / "images"
    for job in jobs:
        for number in range(1, 5):
            picture = copy.read(f"pictures/{job['id']}_{number}.png")
            assert picture == (kept / job["id"][:2] / job["id"] / f"{number}.png").read_bytes()
    everything = b"".join(copy.read(name) for name in copy.namelist())
    for other in (easel.cleo, easel.admin):
        assert str(other.id).encode() not in everything
    assert b"what Cleo wrote" not in everything
    assert b"a boat" not in everything


async def test_a_copy_has_what_the_record_of_changes_says_of_the_person(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.told(easel.admin, "admin ban", who=easel.ben, reason="for the walrus")
    await easel.told(easel.admin, "admin unban", who=easel.ben)
    await easel.told(easel.admin, "admin ban", who=easel.cleo, reason="for the boat")
    (copy,) = await copy_of(easel, easel.ben)
    told = [(change["what"], change["new"]) for change in json.loads(copy.read("changes.json"))]
    assert told == [
        (f"ban of <@{easel.ben.id}>", "banned (for the walrus)"),
        (f"ban of <@{easel.ben.id}>", "lifted"),
    ]
    (copy,) = await copy_of(easel, easel.admin)
    told = [(change["what"], change["new"]) for change in json.loads(copy.read("changes.json"))]
    assert told[-1] == ("ban of <@…>", "banned (for the boat)"), "what an admin did, without anybody's id"
    assert "2 entries about what you did as an admin" in await easel.told(easel.ben, "privacy show")


async def test_a_copy_too_large_for_discord_comes_in_parts_that_fit(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await easel.imagine(easel.ben, SECRET)
    folder = easel.studio.database.folder
    for path in folder.rglob("[1-4].png"):
        path.write_bytes(path.read_bytes() + bytes(6_000_000))
    copies = await copy_of(easel, easel.ben)
    assert len(copies) == 4
    names = [name for copy in copies for name in copy.namelist()]
    assert sum(name.startswith("pictures/") for name in names) == 4
    assert len(names) == len(set(names))
    monkeypatch.setattr("bot.features.privacy._PARTS", 1)
    first = await easel.told(easel.ben, "privacy export")
    assert "Part 1 of 4" in first
    assert "`/privacy export part:2` sends the following" in first
    assert "Part 2 of 4" in await easel.told(easel.ben, "privacy export", part=2)
    assert "There is no part 5: parts of your export go up to 4." in await easel.told(
        easel.ben, "privacy export", part=5
    )


async def test_a_picture_larger_than_a_part_comes_smaller(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET + " --count 1")
    (path,) = easel.studio.database.folder.rglob("1.png")
    path.write_bytes(path.read_bytes() + bytes(11_000_000))
    copies = await copy_of(easel, easel.ben)
    (name,) = [name for copy in copies for name in copy.namelist() if name.startswith("pictures/")]
    assert name.endswith("_smaller.jpg")


def test_rows_are_spread_over_files_of_which_each_fits_into_a_part(tmp_path: Path) -> None:
    source = random.Random(3)
    texts = ["".join(chr(source.randint(0x4E00, 0x9FFF)) for _ in range(1500)) for _ in range(1000)]
    rows = [
        {"number": number, "prompt": text, "request": {"negative": text[::-1]}}
        for number, text in enumerate(texts)
    ]
    found = archive.entries(tmp_path, {"jobs": rows, "images": []})
    assert [entry.name for entry in found] == ["jobs.json", "jobs-2.json", "jobs-3.json"]
    assert all(entry.size < 5 * 2**20 for entry in found)
    read = [row for entry in found for row in json.loads(entry.source)]  # type: ignore[arg-type]
    assert read == rows


# ----------------------------------------------------------------------------------------------------------- delete


async def test_nothing_is_deleted_before_the_person_agrees(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    asked = await easel.ben.slash(easel.channel, "privacy delete")
    assert asked.ephemeral
    assert "can't be undone" in said(asked)
    await press(easel.ben, asked, "Keep everything")
    assert "1 job with" in await easel.told(easel.ben, "privacy show")


async def test_after_deletion_a_search_of_every_byte_finds_nothing(easel: World) -> None:
    await a_full_life(easel)
    easel.generator.paused = True
    await easel.imagine(easel.ben, f"running, {SECRET}")
    await easel.imagine(easel.ben, f"waiting, {SECRET}")
    await easel.imagine(easel.cleo, "a boat of Cleo's")
    folder, before = easel.studio.database.folder, await totals(easel)
    found = traces(folder, easel.ben.id, SECRET)
    assert any("as text" in trace for trace in found), "the search finds what is there"
    assert any("integer" in trace for trace in found)
    assert any("row number" in trace for trace in found)
    assert any(SECRET in trace for trace in found)

    assert "nothing of you is left" in await delete(easel, easel.ben)

    assert traces(folder, easel.ben.id, SECRET) == []
    async with easel.studio.database.reading() as tx:
        assert await erasures.pending(tx) == []
        (cleos,) = await tx.fetch_all("SELECT DISTINCT user_id FROM jobs")
        refunds = await tx.fetch_one("SELECT count(*) FROM ledger WHERE kind = 'refund'")
    assert cleos["user_id"] == easel.cleo.id
    assert refunds is not None
    assert refunds[0] == 2, "what ran and what waited was cancelled and paid back"
    after = await totals(easel)
    assert [row[:2] for row in after] == [row[:2] for row in before]
    assert [row[3] for row in after] == [row[3] for row in before], "bonuses of the server add up as before"
    assert easel.results(), "messages stay"


async def test_the_ledger_stays_append_only_after_a_deletion(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    before = await totals(easel)
    await delete(easel, easel.ben)
    assert await totals(easel) == before
    with pytest.raises(Exception, match="append-only"):
        async with easel.studio.database.transaction() as tx:
            await tx.execute("DELETE FROM ledger")


async def test_admins_see_that_somebody_is_gone_and_not_who(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben)
    await easel.told(easel.admin, "quota set", credits=30, who=easel.ben)
    await delete(easel, easel.ben)
    page = await easel.told(easel.admin, "quota show")
    assert "somebody who deleted their data: 30" in page
    assert "<@-" not in page
    async with easel.studio.database.reading() as tx:
        assert await sheets.rows(tx, easel.guild.id) == [], "nor does a file of quotas name a number"


async def test_what_others_drew_by_themselves_stays(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    await easel.imagine(easel.cleo, "a boat")
    boat = easel.results()[-1]
    await delete(easel, easel.ben)
    assert "no longer kept" in said(await easel.press(easel.ben, easel.results()[0], "V1"))
    count = len(easel.messages())
    await easel.press(easel.cleo, boat, "U1")
    assert len(easel.messages()) == count + 1


async def test_the_reason_of_a_ban_goes_from_the_record_of_changes(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.told(easel.admin, "admin ban", who=easel.ben, reason="posts as bartholomew.1987")
    await delete(easel, easel.ben)
    assert traces(easel.studio.database.folder, easel.ben.id, "bartholomew.1987") == []
    assert "**ban of <@…>**: not set → …" in await easel.told(easel.admin, "admin changes")


async def test_our_messages_go_where_the_person_wants_it(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    await easel.press(easel.ben, easel.results()[0], "U1")
    await easel.imagine(easel.cleo, "a boat")
    await delete(easel, easel.ben, "Delete, with Easel's messages")
    assert [SECRET in message.content for message in easel.messages()] == [False]


async def test_others_variations_with_the_persons_words_go_with_our_messages(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    await easel.press(easel.cleo, easel.results()[0], "V1")
    await easel.press(easel.cleo, easel.results()[-1], "U1")
    await easel.imagine(easel.cleo, "a boat")
    await delete(easel, easel.ben, "Delete, with Easel's messages")
    (boat,) = easel.messages()
    assert "a boat" in boat.content


async def test_what_stands_before_the_moderators_goes_with_our_messages(easel: World) -> None:
    moderators = easel.guild.create_text_channel("moderators")
    await easel.told(easel.admin, "admin moderators", channel=moderators)
    await easel.imagine(easel.ben, SECRET)
    await easel.press(easel.cleo, easel.results()[0], "🚩")
    assert SECRET in moderators.history()[0].content
    await delete(easel, easel.ben, "Delete, with Easel's messages")
    assert moderators.history() == []


async def test_what_admins_set_anew_for_somebody_erased_holds_and_does_not_stop_another_erasure(
    easel: World,
) -> None:
    for credits in (7, 9):
        easel.clock.move(hours=1)  # after which the database may be rewritten again
        await easel.told(easel.admin, "quota set", credits=credits, who=easel.ben)
        await easel.told(easel.admin, "admin ban", who=easel.ben, reason="spam")
        assert "nothing of you is left" in await delete(easel, easel.ben)
    assert "of 9" in await easel.told(easel.ben, "info")
    assert "You may not use Easel" in await easel.imagine(easel.ben)
    assert "may use Easel again" in await easel.told(easel.admin, "admin unban", who=easel.ben)
    assert "On its way" in await easel.imagine(easel.ben)


async def test_one_rewriting_serves_many_and_holds_orders_up_for_a_second_of_each_hour(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewritten, scrub = [], Database.scrub

    async def slow(database: Database) -> float:
        await scrub(database)
        rewritten.append(easel.clock())
        return 2.0

    monkeypatch.setattr(Database, "scrub", slow)
    folder = easel.studio.database.folder
    for who in (easel.ben, easel.cleo, easel.admin):
        await easel.imagine(who, SECRET)
    assert "nothing of you is left" in await delete(easel, easel.ben)
    for who in (easel.cleo, easel.admin):
        told = await delete(easel, who)
        assert "Your data is deleted" in told
        moment = int((easel.clock() + timedelta(hours=3)).timestamp())
        assert f"<t:{moment}:R> at the latest" in told, (
            "two hours later for two seconds, and an hour to the next look"
        )
    assert len(rewritten) == 1
    for _ in range(3):
        easel.clock.move(hours=1)
        await easel.env.advance_time(3600)
    assert len(rewritten) == 2
    for who in (easel.cleo, easel.admin):
        assert traces(folder, who.id, SECRET) == []


async def test_who_deletes_while_a_rewriting_is_some_minutes_away_is_told_once_it_is_done(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrub = Database.scrub

    async def quick(database: Database) -> float:
        await scrub(database)
        return 0.05

    monkeypatch.setattr(Database, "scrub", quick)
    for who in (easel.ben, easel.cleo):
        await easel.imagine(who, SECRET)
        asked = await who.slash(easel.channel, "privacy delete")
        answered = await press(who, asked, "Delete")
    assert "nothing of you is left" not in said(answered)
    easel.clock.move(minutes=3)
    await easel.env.advance_time(180)
    assert traces(easel.studio.database.folder, easel.cleo.id, SECRET) == []


async def test_nothing_is_rewritten_for_somebody_of_whom_nothing_is_kept(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Database) -> float:
        raise AssertionError("rewritten")

    monkeypatch.setattr(Database, "scrub", never)
    for _ in range(3):
        assert "nothing of you is left" in await delete(easel, easel.ben)
    assert traces(easel.studio.database.folder, easel.ben.id) == []


async def test_nobody_slips_past_a_ban_while_they_are_erased(easel: World) -> None:
    await easel.told(easel.admin, "admin ban", who=easel.ben)
    studio = easel.studio
    who = easel.requester(easel.ben, interaction_id=77)
    order = orders.imagine(
        prompts.parse("a fox"),
        catalogue=studio.catalogue,
        default_model="easel",
        images=1,
        random=studio.random,
    )
    # The command had begun before the ban was put under a veil.
    await erasure.erase(studio, Erasure(user_id=easel.ben.id, posts=False))
    with pytest.raises(Banned):
        await studio.dispatcher.accept(order, who)


async def test_a_message_that_can_not_be_deleted_does_not_keep_the_data(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    easel.env.inject_error("DELETE", "/channels/*/messages/*", status=403, times=1)
    assert "nothing of you is left" in await delete(easel, easel.ben, "Delete, with Easel's messages")
    assert traces(easel.studio.database.folder, easel.ben.id, SECRET) == []


async def test_the_question_still_works_after_a_restart(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    asked = await easel.ben.slash(easel.channel, "privacy delete")
    await easel.restart()
    assert "nothing of you is left" in said(await press(easel.ben, asked, "Delete"))


@pytest.mark.parametrize("step", ["_stop_jobs", "_forget_jobs", "_forget_person"])
async def test_a_deletion_that_is_cut_short_goes_on_after_the_restart(
    easel: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await a_full_life(easel)

    async def killed(*_: Any) -> bool:
        raise RuntimeError("killed here")

    with monkeypatch.context() as cut:
        cut.setattr(erasure, step, killed)
        if step == "_forget_person":
            cut.setattr(erasure, "_forget_person", _first_false(killed))
        assert "Something went wrong" in await delete(easel, easel.ben)
    easel.forgive()
    folder = easel.studio.database.folder
    assert traces(folder, easel.ben.id, SECRET)
    await easel.restart()
    assert traces(folder, easel.ben.id, SECRET) == []


async def test_what_an_erasure_left_in_the_files_goes_after_a_restart(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: Database) -> float:
        raise DatabaseFailed("the disk is full")

    await a_full_life(easel)
    with monkeypatch.context() as broken:
        broken.setattr(Database, "scrub", full)
        assert "Something went wrong" in await delete(easel, easel.ben)
    easel.forgive()
    await easel.restart()
    assert traces(easel.studio.database.folder, easel.ben.id, SECRET) == []


def _first_false(then: Any) -> Any:
    calls: list[None] = []

    async def step(*arguments: Any) -> bool:
        calls.append(None)
        return False if len(calls) == 1 else bool(await then(*arguments))

    return step


async def test_a_result_that_comes_after_the_deletion_is_dropped(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben, SECRET)
        ticket = easel.generator.last
        easel.generator.cancel = lambda _: None  # type: ignore[method-assign]
        deleting = easel.env.advance_time
        await delete(easel, easel.ben)
        await deleting(11)
        easel.generator.send(ticket, finished(easel.generator.requests[ticket]))
        await easel.rest()
        assert easel.results() == []
        assert traces(tmp_path, easel.ben.id, SECRET) == []


# ------------------------------------------------------------------------------------------------------ coming back


async def test_deleting_brings_no_new_credits_today(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=10) as easel:
        await easel.imagine(easel.ben)
        for _ in range(2):
            await delete(easel, easel.ben)
            assert traces(tmp_path, easel.ben.id) == []
            assert "6 of 10 credits left today" in await easel.told(easel.ben, "info")
        easel.clock.move(days=1)
        assert "10 of 10" in await easel.told(easel.ben, "info")


async def test_a_weekly_allowance_is_not_escaped_either_and_a_reset_still_helps(easel: World) -> None:
    await easel.told(easel.admin, "quota set", credits=10, per="week", who=easel.ben)
    await easel.imagine(easel.ben)
    await delete(easel, easel.ben)
    easel.clock.move(days=3)  # from a Sunday on
    await easel.imagine(easel.ben)
    easel.clock.move(days=1)
    await delete(easel, easel.ben)
    await retention.prune(easel.studio)
    assert "6 of 10" in await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "quota reset", who=easel.ben)
    assert "10 of 10" in await easel.told(easel.ben, "info")
    await delete(easel, easel.ben)
    assert "10 of 10" in await easel.told(easel.ben, "info")


async def test_a_ban_is_not_escaped(easel: World) -> None:
    async with easel.studio.database.transaction() as tx:
        new = Ban(
            guild_id=easel.guild.id,
            user_id=easel.ben.id,
            actor_id=easel.admin.id,
            reason="",
            at=easel.clock(),
        )
        await bans.ban(tx, new)
    await delete(easel, easel.ben)
    assert traces(easel.studio.database.folder, easel.ben.id) == []
    assert "may not use Easel" in await easel.imagine(easel.ben)


async def test_the_spent_amount_is_forgotten_when_its_day_is_over(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        await delete(easel, easel.ben)
        easel.clock.move(days=2)
        await retention.prune(easel.studio)
        async with easel.studio.database.reading() as tx:
            assert await tx.fetch_all("SELECT * FROM carried") == []


async def test_a_gift_is_not_taken_twice_nor_an_allowance_escaped(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5)
    await easel.told(easel.admin, "quota set", credits=2, who=easel.ben)
    assert "2 of 2 credits left today** and 5 credits of bonus" in await easel.told(easel.ben, "info")
    await delete(easel, easel.ben)
    assert traces(easel.studio.database.folder, easel.ben.id) == []
    page = await easel.told(easel.ben, "info")
    assert "2 of 2 credits left today" in page
    assert "bonus" not in page


async def test_an_unban_reaches_somebody_who_deleted_their_data(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.told(easel.admin, "admin ban", who=easel.ben)
    await delete(easel, easel.ben)
    assert "may use Easel again" in await easel.told(easel.admin, "admin unban", who=easel.ben)
    assert "On its way" in await easel.imagine(easel.ben)


async def test_a_pardon_reaches_somebody_who_deleted_their_data(easel: World) -> None:
    await easel.imagine(easel.ben)
    async with easel.studio.database.transaction() as tx:
        until = easel.clock() + timedelta(hours=1)
        await refusals.time_out(tx, guild_id=easel.guild.id, user_id=easel.ben.id, until=until)
    await delete(easel, easel.ben)
    await easel.told(easel.admin, "admin pardon", who=easel.ben)
    assert "On its way" in await easel.imagine(easel.ben)


@pytest.mark.parametrize("remedy", ["undo", "set"])
async def test_a_quota_set_by_mistake_can_be_taken_back_from_somebody_who_deleted_their_data(
    easel: World, remedy: str
) -> None:
    usual = await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "quota set", credits=100_000, who=easel.ben)
    await delete(easel, easel.ben)
    if remedy == "undo":
        assert "Undone: set for somebody who deleted their data" in await easel.told(
            easel.admin, "quota undo"
        )
    else:
        await easel.told(easel.admin, "quota set", who=easel.ben)
    assert "somebody who deleted their data: " not in await easel.told(easel.admin, "quota show")
    assert traces(easel.studio.database.folder, easel.ben.id) == [], "nor does that write who it is"
    assert await easel.told(easel.ben, "info") == usual


async def test_what_is_set_for_somebody_who_deleted_their_data_can_be_undone_step_by_step(
    easel: World,
) -> None:
    usual = await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "quota set", credits=30, who=easel.ben)
    await delete(easel, easel.ben)
    await easel.told(easel.admin, "quota set", credits=9, who=easel.ben)
    assert "of 9 " in await easel.told(easel.admin, "quota show", who=easel.ben)
    await easel.told(easel.admin, "quota undo")
    assert "of 30 " in await easel.told(easel.ben, "info")
    await easel.told(easel.admin, "quota undo")
    assert await easel.told(easel.ben, "info") == usual


async def test_a_look_at_somebodys_credits_writes_nothing_of_them(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5)
    assert "5 credits of bonus" in await easel.told(easel.admin, "quota show", who=easel.cleo)
    folder = easel.studio.database.folder
    assert traces(folder, easel.cleo.id) == [], "she never used Easel"
    await easel.imagine(easel.ben)
    await delete(easel, easel.ben)
    page = await easel.told(easel.admin, "quota show", who=easel.ben)
    assert "bonus" not in page, "the gift was taken"
    assert page.split(": ", 1)[1].splitlines()[0] in await easel.told(easel.ben, "info")
    assert "bonus" not in await easel.told(easel.ben, "info")


async def test_who_comes_back_starts_anew(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    await delete(easel, easel.ben)
    assert SECRET not in await easel.told(easel.ben, "info")
    await easel.imagine(easel.ben, "a fox")
    assert "1 job with" in await easel.told(easel.ben, "privacy show")


# -------------------------------------------------------------------------------------------------------- retention


async def test_old_pictures_go_and_their_buttons_say_so(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=30, keep_prompts_days=0) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.clock.move(days=20)
        await easel.imagine(easel.ben, "a boat")
        easel.clock.move(days=20)
        await retention.prune(easel.studio)
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
        easel.clock.move(days=31)
        await retention.prune(easel.studio)
        assert "no longer kept" in said(await easel.press(easel.ben, easel.results()[0], "🔄"))
        assert pictures_in(tmp_path) == []
        assert SECRET not in await easel.told(easel.ben, "info")
        assert "0 jobs" in await easel.told(easel.ben, "privacy show")


async def test_a_search_of_every_byte_finds_no_prompt_that_is_too_old(tmp_path: Path) -> None:
    source = random.Random(1)
    async with world(tmp_path, keep_prompts_days=30) as easel:
        await easel.imagine(easel.ben, f"{SECRET} in the usual way")
        (job,) = await jobs_of(easel)
        async with easel.studio.database.transaction() as tx:
            for number in range(600):
                words = source.choice((SECRET, "a boat", "a boat")) + " on a lake" * source.randrange(150)
                drawn = NewJob(**{f.name: getattr(job, f.name) for f in fields(NewJob)})
                drawn = replace(drawn, id=new_id(source), interaction_id=None, prompt=words, request="{}")
                now = easel.clock() + timedelta(days=0 if SECRET in words else 20)
                await jobs.cancel(tx, (await jobs.insert(tx, drawn, now=now)).id, by=1, now=now)
                # A row that grows moves others about, and leaves pieces of them behind.
                await tx.execute(
                    "UPDATE jobs SET request = ? WHERE number = ?", ("y" * 300, source.randrange(number + 2))
                )
        easel.clock.move(days=40)
        await retention.prune(easel.studio)
        assert all(SECRET not in trace for trace in traces(tmp_path, easel.ben.id, SECRET))
        assert any("a boat" in trace for trace in traces(tmp_path, easel.ben.id, "a boat"))


async def test_what_was_forgotten_before_a_crash_is_searched_for_pieces_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: Database) -> float:
        raise DatabaseFailed("the disk is full")

    async with world(tmp_path, keep_prompts_days=30) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.clock.move(days=31)
        with monkeypatch.context() as broken:
            broken.setattr(Database, "scrub", full)
            with pytest.raises(DatabaseFailed):
                await retention.prune(easel.studio)
        await easel.restart()
        await retention.prune(easel.studio)
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
            await retention.prune(easel.studio)
            easel.clock.move(hours=1)
    assert rewritten == [25, 29, 33], (
        "a job is too old at each hour from 25 to 30; 4 seconds are 4 hours' worth"
    )


async def test_the_host_may_keep_everything(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=0, keep_prompts_days=0) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.clock.move(days=3650)
        await retention.prune(easel.studio)
        await easel.press(easel.ben, easel.results()[0], "U1")
        assert len(easel.messages()) == 2


async def test_the_bot_looks_for_what_is_old_by_itself(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=1) as easel:
        await easel.imagine(easel.ben, SECRET)
        easel.clock.move(days=2)
        await easel.env.advance_time(3600)
        assert pictures_in(tmp_path) == []


# ------------------------------------------------------------------------------------------------------------- logs


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    logs.configure("info", out=out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


async def test_a_whole_life_leaves_no_prompt_and_no_person_in_the_log(
    log: io.StringIO, tmp_path: Path
) -> None:
    async with world(tmp_path) as easel:
        await a_full_life(easel)
        easel.env.inject_error("POST", "/channels/*/messages", status=403, times=2)
        await easel.imagine(easel.ben, SECRET)
        easel.generator.paused = True
        await easel.imagine(easel.ben, SECRET)
        await easel.told(easel.ben, "cancel")
        await easel.imagine(easel.ben, f"{SECRET} --steps 9999")
        await delete(easel, easel.ben)
    text = log.getvalue()
    assert "job accepted" in text
    assert "a person was erased" in text
    for private in (SECRET, SECRET.replace(" ", "_"), str(easel.ben.id)):
        assert private not in text
    assert not re.search(r"\bben\b", text)  # jobs' random ids may hold these letters


async def test_what_admins_do_leaves_no_person_in_the_log(log: io.StringIO, easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben, reason=SECRET)
    await easel.told(easel.admin, "admin ban", who=easel.ben, reason=SECRET)
    await easel.told(easel.admin, "admin pardon", who=easel.ben)
    text = log.getvalue()
    assert text.count("an admin changed something") == 3
    for private in (SECRET, str(easel.ben.id), str(easel.admin.id)):
        assert private not in text


async def test_a_failure_that_nobody_foresaw_is_logged_without_the_prompt(
    log: io.StringIO, easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(easel.generator, "submit", broken)
    await easel.imagine(easel.ben, SECRET)
    easel.forgive()
    assert "a bug" in log.getvalue()
    assert SECRET not in log.getvalue()


async def test_an_erasure_can_be_asked_for_twice(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    wish = Erasure(user_id=easel.ben.id, posts=False)
    await erasure.erase(easel.studio, wish)
    await erasure.erase(easel.studio, wish)
    assert await rewriting.rewrite(easel.studio) is None
    assert traces(easel.studio.database.folder, easel.ben.id, SECRET) == []


async def test_a_deletion_that_takes_longer_than_an_answer_may_is_told_in_a_letter(easel: World) -> None:
    await easel.imagine(easel.ben)
    easel.env.inject_error("POST", "/webhooks/*", status=401, code=50027, times=1)
    await delete(easel, easel.ben)
    (letter,) = easel.ben.user.dm_channel.history()
    assert "nothing of you is left" in letter.content
