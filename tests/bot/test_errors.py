"""Every failure ends in a sentence to the person and, where it is our fault, in a log line with the same reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot import errors
from bot.errors import Refusal
from bot.texts import refusals, results
from generation.contract import FailureReason
from storage.credits.calendar import Rate
from storage.errors import DatabaseFailed
from storage.privacy import erasures
from tests.fakes import FakeGenerator
from tests.world import World, said, world

EXAMPLES: dict[type[Refusal], Refusal] = {
    errors.BadPrompt: errors.BadPrompt("`--ar` needs a value."),
    errors.UnknownModel: errors.UnknownModel("x", ("easel",)),
    errors.BeyondModel: errors.BeyondModel("Easel built-in", offers=("a dog",), others=("sdxl",)),
    errors.CannotDraw: errors.CannotDraw("SDXL can't change a picture as words say", others=("klein",)),
    errors.ModelUnavailable: errors.ModelUnavailable("SDXL", ("easel",)),
    errors.OverQuota: errors.OverQuota(price=4, left=1, rate=Rate(40), resets_at=datetime(2026, 1, 1, tzinfo=UTC)),
    errors.OverCeiling: errors.OverCeiling(whose="bot", price=4, left=1, resets_at=datetime(2026, 1, 1, tzinfo=UTC)),
    errors.UnknownZone: errors.UnknownZone("Mars"),
    errors.ServerNotAllowed: errors.ServerNotAllowed(1),
    errors.OverGrants: errors.OverGrants(wanted=9, left=1, most=100, resets_at=datetime(2026, 1, 1, tzinfo=UTC)),
    errors.OverDefault: errors.OverDefault(40),
    errors.BadSheet: errors.BadSheet(("line 2: `credits` is empty",)),
    errors.Busy: errors.Busy(own=True),
    errors.QueueFull: errors.QueueFull(10),
    errors.Banned: errors.Banned(reason="spam", everywhere=False),
    errors.NoNewJobs: errors.NoNewJobs(reason="maintenance", everywhere=True),
    errors.ClosedChannel: errors.ClosedChannel((1, 2)),
    errors.KeptForRoles: errors.KeptForRoles("vary", (1,)),
    errors.OverLimit: errors.OverLimit("size", wanted=1024, most=512, roles=(1,)),
    errors.TooSoon: errors.TooSoon(datetime(2026, 1, 1, tzinfo=UTC)),
    errors.TooManyReports: errors.TooManyReports(datetime(2026, 1, 1, tzinfo=UTC)),
    errors.BadPicture: errors.BadPicture("it has more than 32 MiB"),
    errors.BotLacksPermission: errors.BotLacksPermission(("Attach Files",)),
    errors.WordRefused: errors.WordRefused("kill", appeal=None),
    errors.AdultOnly: errors.AdultOnly("SDXL"),
    errors.PictureWithheld: errors.PictureWithheld(appeal=None),
    errors.TimedOut: errors.TimedOut(datetime(2026, 1, 1, tzinfo=UTC), appeal=None),
    errors.PriceChanged: errors.PriceChanged(8),
    errors.PublicChannel: errors.PublicChannel(1),
    errors.BadRule: errors.BadRule("There is no such rule."),
    errors.NotOnTheList: errors.NotOnTheList("It is for everyone."),
    errors.BadAmount: errors.BadAmount("Zero credits change nothing."),
}


def tree(root: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in root.__subclasses__():
        yield child
        yield from tree(child)


@pytest.mark.parametrize("kind", list(tree(Refusal)))
def test_every_refusal_has_a_sentence(kind: type[Refusal]) -> None:
    words = refusals.sentence(EXAMPLES.get(kind) or kind())
    assert re.fullmatch(r"[A-Z`].*[.?]", words, re.DOTALL)
    assert kind.__name__ in (errors.__doc__ or ""), "the tree at the top of the module shows it"


@pytest.mark.parametrize("reason", list(FailureReason))
def test_every_failure_says_that_the_credits_came_back(reason: FailureReason) -> None:
    assert "4 credits came back" in results.failure(reason, price=4)


@pytest.mark.parametrize("where", ["command", "button", "reaction"])
async def test_a_bug_is_told_with_a_reference_that_the_log_shares(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.ben)
        message = easel.results()[0]

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(easel.services.dispatcher, "accept", broken)
        with capture_logs() as logs:
            match where:
                case "command":
                    words = await easel.imagine(easel.ben)
                case "button":
                    words = said(await easel.press(easel.ben, message, "V1"))
                case _:
                    await easel.ben.react(message, "🇦")
                    await easel.rest()
                    words = easel.ben.user.dm_channel.history()[-1].content
        reference = re.search(r"reference: `(\w+)`", words)
        assert reference
        assert [log["reference"] for log in logs if "reference" in log] == [reference[1]]
        assert "a bug" not in words
        easel.forgive()


async def test_without_a_way_to_write_privately_the_channel_reads_no_more_than_that(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.told(easel.admin, "admin member ban", who=easel.cleo, reason="a private matter")
    easel.env.inject_error("POST", "/users/@me/channels", status=403, times=1)
    easel.env.settle_timeout = 5  # the words stand for twenty seconds
    await easel.cleo.react(easel.results()[0], "❌")
    await easel.rest()
    last = easel.messages()[-1]
    assert "keep my direct messages out" in last.content
    assert "private matter" not in last.content
    assert easel.pings(last) == [easel.cleo.id]


async def test_a_lost_answer_does_not_post_twice(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        easel.env.inject_error("POST", "/channels/*/messages", status=503, times=1)
        easel.generator.finish(easel.generator.last)
        await easel.env.advance_time(2)
        assert len(easel.results()) == 1


async def test_a_deleted_progress_message_harms_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.imagine(easel.ben)
        await easel.messages()[0].delete()
        easel.generator.finish(easel.generator.last)
        await easel.rest()
        assert len(easel.results()) == 1


async def test_a_failing_database_is_told_before_a_command_begins(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise DatabaseFailed("the disk is full")

    monkeypatch.setattr(erasures, "bring_back", full)
    with capture_logs():
        assert "Something went wrong on our side" in await easel.told(easel.ben, "info")
    easel.forgive()
