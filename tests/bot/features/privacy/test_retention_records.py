"""Records of people, beside their pictures and prompts, are kept for as long as the host said; what holds stays."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.features.privacy import _retention as retention
from storage.errors import DatabaseFailed
from tests.bot.features.moderation.test_report import desk, moderator
from tests.bot.features.privacy.people import SECRET, copy_of, delete, traces
from tests.world import World, said, world


async def days_pass(easel: World, days: int) -> None:
    easel.live(days=days)
    await retention.prune(easel.services)


async def kept(easel: World, table: str) -> int:
    async with easel.services.database.reading() as tx:
        row = await tx.fetch_one(f"SELECT count(*) FROM {table}")
        assert row is not None
        return int(row[0])


# ---------------------------------------------------------------------------------------------------------- credits


async def test_a_bonus_outlives_the_entries_that_it_comes_from(tmp_path: Path) -> None:
    periods = {"keep_credits_days": 40, "keep_changes_days": 30}
    async with world(tmp_path, daily_credits=3, **periods) as easel:
        await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben, reason=SECRET)
        await easel.imagine(easel.ben)
        assert "4 credits of bonus" in await easel.told(easel.ben, "info")
        await days_pass(easel, 39)
        history = await easel.told(easel.admin, "quota show", who=easel.ben)
        assert SECRET in history
        assert "set aside for a job" in history
        await days_pass(easel, 2)
        await easel.imagine(easel.ben, "a boat")
        history = await easel.told(easel.admin, "quota show", who=easel.ben)
        assert "3 credits of bonus" in history
        newest, *_, oldest = history.splitlines()[1:]
        assert "spent" in newest
        assert "carried forward from entries that are no longer kept +4" in oldest
        assert f"<@{easel.admin.id}>" not in history
        assert traces(tmp_path, easel.admin.id, SECRET) == [], "neither why nor who gave it"
        (copy,) = await copy_of(easel, easel.ben)
        line = json.loads(copy.read("ledger.json"))[0]
        assert (line["kind"], line["bonus"], line["reason"], line["job_id"]) == ("carry", 4, "", None)
        result = await easel.admin.slash(easel.channel, "quota export", what="history")
        (file,) = [file for message in [result.response, *result.followups] for file in message.attachments]
        assert b",carry,0,0,4,,,," in await file.read()


async def test_who_was_not_here_for_longer_than_all_periods_leaves_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("walrus",)) as easel:
        await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben, days=3, reason="a contest")
        await easel.imagine(easel.ben, "a fox")
        await easel.imagine(easel.ben, "a walrus")
        await easel.press(easel.ben, easel.results()[0], "U1")
        await easel.told(easel.admin, "admin member ban", who=easel.ben, reason=SECRET)
        await easel.told(easel.admin, "admin member unban", who=easel.ben)
        assert traces(tmp_path, easel.ben.id)
        await days_pass(easel, 366)
        assert traces(tmp_path, easel.ben.id, SECRET) != [], "a boost's line is kept from its end on"
        await days_pass(easel, 4)
        assert traces(tmp_path, easel.ben.id, SECRET) == []
        assert traces(tmp_path, easel.admin.id) == []
        assert "40 of 40" in await easel.told(easel.ben, "info")


async def test_what_is_spent_of_a_running_month_is_not_forgotten(tmp_path: Path) -> None:
    async with world(tmp_path, keep_credits_days=35) as easel:
        await easel.told(easel.admin, "quota set", credits=10, per="month", who=easel.ben)
        await easel.imagine(easel.ben)
        await days_pass(easel, 30)  # from the first of March on
        assert "6 of 10" in await easel.told(easel.ben, "info")
        await days_pass(easel, 1)
        assert "10 of 10" in await easel.told(easel.ben, "info")


async def test_a_job_that_waits_for_longer_than_entries_are_kept_is_paid_back(tmp_path: Path) -> None:
    async with world(tmp_path, daily_credits=0, keep_credits_days=40) as easel:
        await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben)
        easel.generator.paused = True
        await easel.imagine(easel.ben)
        await days_pass(easel, 400)
        assert "1 credit of bonus" in await easel.told(easel.ben, "info")
        await easel.told(easel.ben, "cancel")
        assert "5 credits of bonus" in await easel.told(easel.ben, "info")


async def test_somebody_who_deleted_their_data_is_not_carried_forward(tmp_path: Path) -> None:
    async with world(tmp_path, keep_credits_days=40, keep_changes_days=40) as easel:
        await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben)
        await easel.imagine(easel.ben)
        await delete(easel, easel.ben)
        await days_pass(easel, 41)
        assert await kept(easel, "ledger") == 0


# ------------------------------------------------------------------------------------------------------------- undo


async def test_an_undo_says_what_it_can_not_take_back_any_more(tmp_path: Path) -> None:
    async with world(tmp_path, keep_credits_days=40, keep_changes_days=0) as easel:
        await easel.told(easel.admin, "quota set", credits=7)
        await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben)
        await days_pass(easel, 41)
        told = await easel.told(easel.admin, "quota undo")
        assert "Undone: the grant of 5 credits" in told
        assert "the ledger does not keep it any more stays as it is" in told
        assert "5 credits of bonus" in await easel.told(easel.ben, "info")
        told = await easel.told(easel.admin, "quota undo")
        assert "Undone: the quota of everyone" in told
        assert "stays as it is" not in told
        assert "There is nothing to undo." in await easel.told(easel.admin, "quota undo")


async def test_an_undo_says_how_long_changes_are_kept_when_none_is_left(tmp_path: Path) -> None:
    async with world(tmp_path, keep_changes_days=30) as easel:
        await easel.told(easel.admin, "quota set", credits=7)
        await days_pass(easel, 31)
        told = await easel.told(easel.admin, "quota undo")
        assert told == "There is nothing to undo. Changes are kept for 30 days."
        assert "of 7" in await easel.told(easel.ben, "info")


async def test_a_gift_to_all_can_be_taken_as_long_as_nobody_took_it_back(tmp_path: Path) -> None:
    async with world(tmp_path, keep_credits_days=40, keep_changes_days=40) as easel:
        await easel.told(easel.admin, "quota grant", credits=5)
        await easel.told(easel.ben, "info")
        await days_pass(easel, 100)
        for who in (easel.ben, easel.cleo):
            assert "5 credits of bonus" in await easel.told(who, "info")
        told = await easel.told(easel.admin, "quota undo")
        assert "stays as it is" in told
        assert "5 credits of bonus" in await easel.told(easel.ben, "info"), "his entry is no longer kept"
        assert "bonus" not in await easel.told(easel.cleo, "info")


async def test_a_gift_that_was_taken_back_does_not_come_again(tmp_path: Path) -> None:
    async with world(tmp_path, keep_credits_days=40, keep_changes_days=40) as easel:
        await easel.told(easel.admin, "quota grant", credits=5)
        await easel.told(easel.ben, "info")
        easel.live(days=20)
        await easel.told(easel.admin, "quota undo")
        for days in (30, 30):
            await days_pass(easel, days)
            for who in (easel.ben, easel.cleo):
                assert "bonus" not in await easel.told(who, "info")
        assert await kept(easel, "changes") == await kept(easel, "gifts_taken") == 0


async def test_a_new_change_does_not_get_the_entries_of_one_that_was_forgotten(tmp_path: Path) -> None:
    async with world(tmp_path, keep_changes_days=10) as easel:
        await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben)
        await days_pass(easel, 11)
        await easel.told(easel.admin, "quota grant", credits=2, who=easel.ben)
        await easel.told(easel.admin, "quota undo")
        assert "5 credits of bonus" in await easel.told(easel.ben, "info")


# ---------------------------------------------------------------------------------------------------------- changes


async def test_a_ban_outlives_the_record_of_it(tmp_path: Path) -> None:
    async with world(tmp_path, keep_changes_days=30) as easel:
        await easel.told(easel.admin, "admin member ban", who=easel.ben, reason="spam")
        await days_pass(easel, 29)
        assert "spam" in await easel.told(easel.admin, "admin changes")
        await days_pass(easel, 2)
        assert "spam" not in await easel.told(easel.admin, "admin changes")
        assert "may not use Easel" in await easel.imagine(easel.ben)


async def test_a_setting_that_was_taken_back_is_not_taken_back_again(tmp_path: Path) -> None:
    async with world(tmp_path, keep_changes_days=30) as easel:
        await easel.told(easel.admin, "admin appeal", text="Write to Ada.")
        easel.live(days=20)
        assert "Undone" in await easel.told(easel.admin, "admin undo")
        await easel.told(easel.admin, "admin appeal", text="Write to Ben.")
        await days_pass(easel, 11)
        assert "undo" in (await easel.told(easel.admin, "admin changes")).lower()
        assert "Undone" in await easel.told(easel.admin, "admin undo")
        assert "nothing to undo" in await easel.told(easel.admin, "admin undo")


# ------------------------------------------------------------------------------------------------------- moderation


async def test_decided_reports_are_forgotten_and_open_ones_are_not(tmp_path: Path) -> None:
    async with world(tmp_path, keep_moderation_days=10) as easel:
        moderators, judge = await desk(easel), moderator(easel)
        for prompt in ("a fox", "a boat"):
            await easel.imagine(easel.ben, prompt)
            await easel.flag(easel.cleo, easel.results()[-1])
        _open, decided = moderators.history()
        await easel.press(judge, decided, "Keep")
        await days_pass(easel, 9)
        assert "2 entries about what you were refused, and what was reported" in await easel.told(
            easel.cleo, "privacy show"
        )
        await days_pass(easel, 2)
        assert "1 entry about what you were refused" in await easel.told(easel.cleo, "privacy show")
        assert "0 entries about what you were refused" in await easel.told(judge, "privacy show")
        assert "no longer kept" not in said(await easel.press(easel.ben, easel.results()[0], "U1"))
        before = len(moderators.history())
        await easel.flag(easel.cleo, easel.results()[1])
        assert len(moderators.history()) == before, "moderators need not decide it again"
        easel.clock.move(hours=1)  # after which the database may be rewritten again
        await delete(easel, easel.ben, "Delete, with Easel's messages")
        assert moderators.history() == []


async def test_refusals_are_kept_as_long_as_they_count_and_then_for_the_period(tmp_path: Path) -> None:
    week = 7 * 24 * 60
    async with world(
        tmp_path, blocked_words=("walrus",), keep_moderation_days=1, timeout_after=3, timeout_minutes=week
    ) as easel:
        for _ in range(2):
            await easel.imagine(easel.ben, "a walrus")
        await days_pass(easel, 5)
        assert await kept(easel, "refusals") == 2
        await easel.imagine(easel.ben, "a walrus")
        assert await kept(easel, "timeouts") == 1
        await days_pass(easel, 13)
        assert await kept(easel, "timeouts") == 1
        await days_pass(easel, 2)
        assert await kept(easel, "timeouts") == await kept(easel, "refusals") == 0


# ------------------------------------------------------------------------------------------------------- all of them


async def test_a_host_may_keep_all_records(tmp_path: Path) -> None:
    forever = dict.fromkeys(("keep_credits_days", "keep_changes_days", "keep_moderation_days"), 0)
    async with world(tmp_path, blocked_words=("walrus",), **forever) as easel:
        await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben, reason=SECRET)
        await easel.told(easel.admin, "admin member ban", who=easel.cleo)
        await easel.imagine(easel.ben, "a walrus")
        before = [await kept(easel, table) for table in ("ledger", "changes", "refusals")]
        await days_pass(easel, 3650)
        assert before == [await kept(easel, table) for table in ("ledger", "changes", "refusals")]
        page = await easel.told(easel.ben, "privacy show")
        assert page.count("kept until you delete it") == 3


async def test_a_stop_in_the_middle_changes_no_balance_and_the_rest_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(*_: object, **__: object) -> None:
        raise DatabaseFailed("the disk is full")

    async with world(tmp_path, daily_credits=0, keep_credits_days=40) as easel:
        await easel.told(easel.admin, "quota grant", credits=20, who=easel.ben, reason=SECRET)
        for _ in range(3):
            await easel.imagine(easel.ben)
        easel.live(days=41)
        with monkeypatch.context() as cut:
            cut.setattr(retention, "_ROWS", 3)
            cut.setattr("storage.privacy.retention.note_pieces", stop)
            with pytest.raises(DatabaseFailed):
                await retention.prune(easel.services)
        assert "8 credits of bonus" in await easel.told(easel.ben, "info")
        assert await kept(easel, "ledger") == 7
        await easel.restart()
        await retention.prune(easel.services)
        assert await kept(easel, "ledger") == 1
        assert "8 credits of bonus" in await easel.told(easel.ben, "info")


async def test_two_looks_at_once_for_what_is_old_change_no_balance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_ROWS", 2)
    async with world(tmp_path, daily_credits=0, keep_credits_days=40, keep_changes_days=40) as easel:
        for who in (easel.ben, easel.cleo):
            await easel.told(easel.admin, "quota grant", credits=9, who=who)
            await easel.imagine(who)
        easel.live(days=41)
        await asyncio.gather(retention.prune(easel.services), retention.prune(easel.services))
        for who in (easel.ben, easel.cleo):
            assert "5 credits of bonus" in await easel.told(who, "info")
        assert await kept(easel, "ledger") == 2
        assert await kept(easel, "changes") == 0
