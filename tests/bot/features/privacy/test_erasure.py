"""What people are rid of for good when they delete what is kept of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Banned
from bot.features.privacy import _erasure as erasure
from bot.features.privacy import _rewriting as rewriting
from bot.jobs import orders, prompts
from storage.credits import csv_rows
from storage.database import Database
from storage.errors import DatabaseFailed, ErasuresUnreadable
from storage.files import erasure_list
from storage.privacy import erasures
from storage.privacy.erasures import Erasure
from tests.bot.features.privacy.people import SECRET, a_full_life, delete, press, totals, traces
from tests.fakes import FakeGenerator, finished
from tests.world import World, said, world


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
    folder, before = easel.services.database.folder, await totals(easel)
    found = traces(folder, easel.ben.id, SECRET)
    assert any("as text" in trace for trace in found), "the search finds what is there"
    assert any("integer" in trace for trace in found)
    assert any("row number" in trace for trace in found)
    assert any(SECRET in trace for trace in found)

    assert "nothing of you is left" in await delete(easel, easel.ben)

    assert traces(folder, easel.ben.id, SECRET) == []
    async with easel.services.database.reading() as tx:
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
        async with easel.services.database.transaction() as tx:
            await tx.execute("DELETE FROM ledger")


async def test_admins_see_that_somebody_is_gone_and_not_who(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben)
    await easel.told(easel.admin, "quota set", credits=30, who=easel.ben)
    await delete(easel, easel.ben)
    page = await easel.told(easel.admin, "quota show")
    assert "somebody who deleted their data: 30" in page
    assert "<@-" not in page
    async with easel.services.database.reading() as tx:
        assert await csv_rows.rows(tx, easel.guild.id) == [], "nor does a file of quotas name a number"


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
    await easel.told(easel.admin, "admin member ban", who=easel.ben, reason="posts as bartholomew.1987")
    await delete(easel, easel.ben)
    assert traces(easel.services.database.folder, easel.ben.id, "bartholomew.1987") == []
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
    await easel.told(easel.admin, "admin moderators", channel=moderators, even_if_public=True)
    await easel.imagine(easel.ben, SECRET)
    await easel.flag(easel.cleo, easel.results()[0])
    assert SECRET in moderators.history()[0].content
    await delete(easel, easel.ben, "Delete, with Easel's messages")
    assert moderators.history() == []


async def test_what_admins_set_anew_for_somebody_erased_holds_and_does_not_stop_another_erasure(
    easel: World,
) -> None:
    for credits in (7, 9):
        easel.clock.move(hours=1)  # after which the database may be rewritten again
        await easel.told(easel.admin, "quota set", credits=credits, who=easel.ben)
        await easel.told(easel.admin, "admin member ban", who=easel.ben, reason="spam")
        assert "nothing of you is left" in await delete(easel, easel.ben)
    assert "of 9" in await easel.told(easel.ben, "info")
    assert "You may not use Easel" in await easel.imagine(easel.ben)
    assert "may use Easel again" in await easel.told(easel.admin, "admin member unban", who=easel.ben)
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
    folder = easel.services.database.folder
    for who in (easel.ben, easel.cleo, easel.admin):
        await easel.imagine(who, SECRET)
    assert "nothing of you is left" in await delete(easel, easel.ben)
    for who in (easel.cleo, easel.admin):
        told = await delete(easel, who)
        assert "Your data is deleted" in told
        moment = int((easel.clock() + timedelta(hours=3)).timestamp())
        assert f"<t:{moment}:R> at the latest" in told, "two hours later for two seconds, and an hour to the next look"
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
    assert traces(easel.services.database.folder, easel.cleo.id, SECRET) == []


async def test_nothing_is_rewritten_for_somebody_of_whom_nothing_is_kept(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Database) -> float:
        raise AssertionError("rewritten")

    monkeypatch.setattr(Database, "scrub", never)
    for _ in range(3):
        assert "nothing of you is left" in await delete(easel, easel.ben)
    assert traces(easel.services.database.folder, easel.ben.id) == []


async def test_nobody_slips_past_a_ban_while_they_are_erased(easel: World) -> None:
    await easel.told(easel.admin, "admin member ban", who=easel.ben)
    services = easel.services
    who = easel.requester(easel.ben, interaction_id=77)
    draft = orders.imagine(
        prompts.parse("a fox"),
        catalogue=services.catalogue,
        default_model="easel",
        images=1,
        random=services.random,
    )
    # The command had begun before the ban was put under a veil.
    await erasure.erase(services, Erasure(user_id=easel.ben.id, posts=False))
    with pytest.raises(Banned):
        await easel.accept(draft, who)


async def test_a_message_that_can_not_be_deleted_does_not_keep_the_data(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    easel.env.inject_error("DELETE", "/channels/*/messages/*", status=403, times=1)
    assert "nothing of you is left" in await delete(easel, easel.ben, "Delete, with Easel's messages")
    assert traces(easel.services.database.folder, easel.ben.id, SECRET) == []


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
    folder = easel.services.database.folder
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
    assert traces(easel.services.database.folder, easel.ben.id, SECRET) == []


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


async def test_an_erasure_can_be_asked_for_twice(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    wish = Erasure(user_id=easel.ben.id, posts=False)
    await erasure.erase(easel.services, wish)
    await erasure.erase(easel.services, wish)
    assert await rewriting.rewrite(easel.services) is None
    assert traces(easel.services.database.folder, easel.ben.id, SECRET) == []


async def test_a_deletion_that_takes_longer_than_an_answer_may_is_told_in_a_letter(easel: World) -> None:
    await easel.imagine(easel.ben)
    easel.env.inject_error("POST", "/webhooks/*", status=401, code=50027, times=1)
    await delete(easel, easel.ben)
    (letter,) = easel.ben.user.dm_channel.history()
    assert "nothing of you is left" in letter.content


async def test_an_erasure_that_can_not_be_carried_out_keeps_nothing_else_from_being_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, ben = erasure_list.note, 0

    def fail_for_ben(data: Path, user_id: int, *, now: datetime) -> None:
        if user_id == ben:
            raise ErasuresUnreadable("The list is damaged.")
        note(data, user_id, now=now)

    async with world(tmp_path, keep_prompts_days=30) as easel:
        ben = easel.ben.id
        for who in (easel.ben, easel.cleo, easel.admin):
            await easel.imagine(who, f"{SECRET} of {who.id}")
        async with easel.services.database.transaction() as tx:
            for who in (easel.ben, easel.cleo):
                await erasures.ask(tx, Erasure(user_id=who.id, posts=False))
        monkeypatch.setattr(erasure_list, "note", fail_for_ben)
        await easel.env.advance_time(3601)
        assert traces(tmp_path, easel.cleo.id, f"{SECRET} of {easel.cleo.id}") == []
        assert traces(tmp_path, ben, SECRET)
        easel.live(days=31)
        await easel.env.advance_time(3601)
        async with easel.services.database.reading() as tx:
            assert await tx.fetch_all("SELECT id FROM jobs") == [], "what is old is forgotten all the same"
        easel.forgive()
