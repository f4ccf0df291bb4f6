"""Reports: what moderators see and do, and what the person who reports is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import discord
import pytest

from bot.features.moderation import _reported as reported_pictures
from storage.jobs import queries
from storage.moderation import cases as moderation_cases
from storage.moderation import strikes
from tests.bot.features.test_actions import grid
from tests.fakes import FakeGenerator
from tests.world import World, said, world


async def desk(easel: World) -> Any:
    """A moderators' channel that Easel knows."""
    channel = easel.guild.create_text_channel("moderators")
    assert f"<#{channel.id}>" in await easel.told(easel.admin, "admin moderators", channel=channel, even_if_public=True)
    return channel


def moderator(easel: World) -> Any:
    role = easel.guild.create_role("Mods", permissions=discord.Permissions(manage_messages=True))
    return easel.guild.add_member(easel.env.create_user("mo"), roles=[role])


def name_reporter(easel: World, case: discord.Message, who: Any) -> None:
    """Make a case look as those of earlier versions, which name who reported."""
    stored = easel.env.backend.get_message(case.channel.id, case.id)
    stored.content = stored.content.replace("Reported by 1 person", f"Reported by <@{who.id}>")
    stored.components = [row | {"components": row["components"][:2]} for row in stored.components]


def link(message: discord.Message, easel: World) -> str:
    return f"https://discord.com/channels/{easel.guild.id}/{message.channel.id}/{message.id}"


async def test_the_button_brings_the_picture_before_the_moderators(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    assert "The moderators have it now" in await easel.flag(easel.cleo, message)
    (case,) = moderators.history()
    assert "a fox" in case.content
    assert f"<@{easel.ben.id}>" in case.content
    assert "Reported by 1 person" in case.content
    assert link(message, easel) in case.content
    assert case.attachments[0].is_spoiler()
    assert await case.attachments[0].read() == await message.attachments[0].read()
    assert [button.label for button in case.components[0].children] == [
        "Remove picture",
        "Keep",
        "Who reported?",
    ]
    assert easel.pings(case) == []


@pytest.mark.parametrize("way", ["command", "menu", "reaction", "single"])
async def test_there_are_other_ways_to_report(easel: World, way: str) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    if way == "single":
        await easel.press(easel.ben, message, "U1")
        await easel.flag(easel.cleo, easel.messages()[-1])
    else:
        told = await report(easel, easel.cleo, message, way)
        assert "have it now" in told
    assert len(moderators.history()) == 1


async def report(easel: World, who: Any, message: discord.Message, way: str) -> str:
    """Report a picture; what the person is told, in a direct message after a reaction."""
    match way:
        case "command":
            return await easel.told(who, "report", link=f"look: {link(message, easel)}")
        case "menu":
            return said(await who.context_menu(easel.channel, "Report picture", message))
        case "button":
            return await easel.flag(who, message)
    await who.react(message, "🚩")
    await easel.rest()
    letter = who.user.dm_channel.history()[-1]
    return said(await who.user.click(letter, label="Report")) if letter.components else letter.content


WAYS = ["command", "menu", "reaction", "button"]


@pytest.mark.parametrize("way", WAYS)
async def test_who_is_banned_can_not_report(easel: World, way: str) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    await easel.told(easel.admin, "admin member ban", who=easel.cleo, reason="spam")
    assert "You may not use Easel" in await report(easel, easel.cleo, message, way)
    assert moderators.history() == []


@pytest.mark.parametrize("way", WAYS)
async def test_who_is_timed_out_can_report_afterwards(easel: World, way: str) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    async with easel.services.database.transaction() as tx:
        until = easel.clock() + timedelta(minutes=9)
        await strikes.time_out(tx, guild_id=easel.guild.id, user_id=easel.cleo.id, until=until)
    assert "you can go on" in await report(easel, easel.cleo, message, way)
    assert moderators.history() == []
    easel.clock.move(hours=2)
    assert "have it now" in await easel.flag(easel.cleo, message)


async def test_nobody_reports_without_end(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported_pictures, "MOST_REPORTS", 2)
    moderators = await desk(easel)
    for _ in range(3):
        await grid(easel)
    first, second, third = easel.results()
    for message in (first, second):
        assert "have it now" in await easel.flag(easel.cleo, message)
    assert "many pictures lately" in await easel.flag(easel.cleo, third)
    assert "reported this before" in await easel.flag(easel.cleo, first)
    assert len(moderators.history()) == 2
    assert "have it now" in await easel.flag(easel.ben, third)
    easel.clock.move(hours=1)
    assert "have it now" in await easel.flag(easel.cleo, third)


async def test_several_reports_are_one_case_and_one_person_counts_once(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    await easel.flag(easel.cleo, message)
    assert "reported this before" in await easel.flag(easel.cleo, message)
    easel.clock.move(seconds=1)
    await easel.told(easel.ben, "report", link=link(message, easel))
    (case,) = moderators.history()
    assert "Reported by 2 people" in case.content


async def test_first_reports_at_the_same_moment_are_one_case_too(easel: World) -> None:
    moderators = await desk(easel)
    await grid(easel)
    guild = easel.client.get_guild(easel.guild.id)
    assert guild is not None
    people = [await guild.fetch_member(who.id) for who in (easel.ben, easel.cleo, easel.admin)]
    async with easel.services.database.reading() as tx:
        (job,) = await queries.recent(tx, guild_id=guild.id, user_id=easel.ben.id, limit=9)
    told = await asyncio.gather(*(reported_pictures.report(easel.services, job, person) for person in people))
    assert all("The moderators have it now" in one for one in told)
    (case,) = moderators.history()
    assert "Reported by 3 people" in case.content


async def stopped_while_reporting(easel: World, step: Any, name: str) -> discord.Message:
    """A grid whose report was taken when the bot stopped at this step."""
    message = await grid(easel)
    guild = easel.client.get_guild(easel.guild.id)
    assert guild is not None
    async with easel.services.database.reading() as tx:
        (job,) = await queries.recent(tx, guild_id=guild.id, user_id=easel.ben.id, limit=9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, name, Mock(side_effect=asyncio.CancelledError))
        with pytest.raises(asyncio.CancelledError):
            await reported_pictures.report(easel.services, job, await guild.fetch_member(easel.cleo.id))
    return message


@pytest.mark.parametrize("posted", [False, True])
async def test_a_report_outlives_a_stop_of_the_bot_and_is_posted_once(easel: World, posted: bool) -> None:
    moderators = await desk(easel)
    mo = moderator(easel)
    step = (moderation_cases, "posted") if posted else (discord.TextChannel, "send")
    await stopped_while_reporting(easel, *step)
    assert len(moderators.history()) == posted
    await easel.restart()
    (case,) = moderators.history()
    assert "Reported by 1 person" in case.content
    assert len(case.attachments) == 1
    await easel.restart()
    assert len(moderators.history()) == 1
    await easel.press(mo, case, "Remove picture")
    assert "**Removed** by" in moderators.history()[0].content


async def test_who_reports_again_after_a_stop_is_told_the_truth(easel: World) -> None:
    moderators = await desk(easel)
    message = await stopped_while_reporting(easel, discord.TextChannel, "send")
    assert "have it now" in await easel.flag(easel.cleo, message)
    assert len(moderators.history()) == 1
    assert "reported this before" in await easel.flag(easel.cleo, message)


async def test_a_case_that_was_deleted_by_hand_is_posted_again(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    await easel.flag(easel.cleo, message)
    await moderators.history()[0].delete()
    await easel.flag(easel.ben, message)
    assert len(moderators.history()) == 1


async def test_a_moderator_removes_the_picture_everywhere_even_after_a_restart(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    await easel.press(easel.ben, message, "U2")
    await easel.flag(easel.cleo, message)
    mo = moderator(easel)
    await easel.restart()
    await easel.press(mo, moderators.history()[0], "Remove picture")
    assert easel.messages() == []
    assert list((easel.services.database.folder / "images").rglob("*.*")) == []
    (case,) = moderators.history()
    assert f"**Removed** by <@{mo.id}>" in case.content
    assert case.attachments == []
    assert case.components == []


async def reported(easel: World) -> tuple[Any, Any]:
    """The moderators' channel with a case in it, and a moderator."""
    moderators = await desk(easel)
    await easel.flag(easel.cleo, await grid(easel))
    return moderators, moderator(easel)


@pytest.mark.parametrize("deletable", [True, False])
async def test_a_picture_in_an_archived_thread_is_removed_too(easel: World, deletable: bool) -> None:
    moderators = await desk(easel)
    mo = moderator(easel)
    services = easel.client.get_channel(easel.channel.id)
    assert isinstance(services, discord.TextChannel)
    thread = await services.create_thread(name="corner", type=discord.ChannelType.public_thread)
    await easel.rest()
    (corner,) = easel.channel.threads
    await easel.ben.slash(corner, "imagine", prompt="a fox")
    await easel.flag(easel.cleo, corner.history()[0])
    await thread.edit(archived=True)
    await easel.rest()
    assert easel.client.get_channel(thread.id) is None
    if not deletable:
        easel.env.inject_error("DELETE", "/channels/*/messages/*", status=400, code=50083, times=1)
    await easel.press(mo, moderators.history()[0], "Remove picture")
    assert "**Removed** by" in moderators.history()[0].content
    assert corner.history() == []
    again = await easel.client.fetch_channel(thread.id)
    assert isinstance(again, discord.Thread)
    assert again.archived


async def test_a_picture_that_discord_does_not_let_go_is_said_to_stand_and_can_be_removed_later(
    easel: World,
) -> None:
    moderators, mo = await reported(easel)
    (message,) = easel.results()
    easel.env.inject_error("DELETE", f"/channels/*/messages/{message.id}", status=403, times=1)
    await easel.press(mo, moderators.history()[0], "Remove picture")
    (case,) = moderators.history()
    assert "**Not removed yet**" in case.content
    assert "1 message" in case.content
    assert link(message, easel) in case.content
    assert "**Removed**" not in case.content
    assert case.attachments == []
    assert [button.label for button in case.components[0].children] == ["Remove picture", "Who reported?"]
    assert "no longer" in said(await easel.press(easel.ben, message, "U1"))
    await easel.restart()
    await easel.press(mo, moderators.history()[0], "Remove picture")
    assert "**Removed** by" in moderators.history()[0].content
    assert easel.messages() == []


async def test_a_picture_goes_although_discord_stumbles(easel: World) -> None:
    moderators, mo = await reported(easel)
    easel.env.inject_error("DELETE", "/channels/*/messages/*", status=503, times=2)
    await easel.press(mo, moderators.history()[0], "Remove picture")
    await easel.env.advance_time(3)
    assert "**Removed** by" in moderators.history()[0].content
    assert easel.messages() == []


async def test_a_picture_that_was_deleted_by_hand_counts_as_removed(easel: World) -> None:
    moderators, mo = await reported(easel)
    await easel.results()[0].delete()
    await easel.press(mo, moderators.history()[0], "Remove picture")
    assert "**Removed** by" in moderators.history()[0].content


async def test_moderators_read_what_was_made_from_a_removed_picture(easel: World) -> None:
    moderators, mo = await reported(easel)
    await easel.press(easel.cleo, easel.results()[0], "V1")
    await easel.press(mo, moderators.history()[0], "Remove picture")
    (variation,) = easel.results()
    assert link(variation, easel) in moderators.history()[0].content.partition("Made from it")[2]


async def test_a_moderator_keeps_the_picture(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    await easel.flag(easel.cleo, message)
    mo = moderator(easel)
    await easel.press(mo, moderators.history()[0], "Keep")
    (case,) = moderators.history()
    assert f"**Kept** by <@{mo.id}>" in case.content
    assert case.components == []
    assert len(easel.messages()) == 1
    assert "looked at this picture before" in await easel.flag(easel.ben, message)
    assert len(moderators.history()) == 1


@pytest.mark.parametrize(("label", "verdict"), [("Remove picture", "removed"), ("Keep", "kept")])
async def test_what_moderators_decide_is_recorded_and_logged(easel: World, label: str, verdict: str) -> None:
    log = easel.guild.create_text_channel("log")
    await easel.told(easel.admin, "admin log", channel=log)
    moderators, mo = await reported(easel)
    await easel.press(mo, moderators.history()[0], label)
    for words in (await easel.told(easel.admin, "admin changes"), log.history()[-1].content):
        assert f"<@{mo.id}>" in words
        assert f"**reported picture of <@{easel.ben.id}>" in words
        assert verdict in words
    assert easel.pings(log.history()[-1]) == []


async def test_only_moderators_decide_and_only_once(easel: World) -> None:
    moderators = await desk(easel)
    await easel.flag(easel.cleo, await grid(easel))
    (case,) = moderators.history()
    remove = case.components[0].children[0].custom_id
    assert "Only people who may manage messages" in said(await easel.press(easel.ben, case, "Remove picture"))
    mo = moderator(easel)
    await easel.press(mo, case, "Keep")
    stored = easel.env.backend.get_message(case.channel.id, case.id)
    stored.components = [{"type": 1, "components": [{"type": 2, "style": 2, "label": "x", "custom_id": remove}]}]
    assert "already" in said(await mo.click(case, custom_id=remove))
    assert len(easel.messages()) == 1


async def test_without_a_channel_for_them_reports_are_not_taken(easel: World) -> None:
    message = await grid(easel)
    assert "No channel takes reports" in await easel.flag(easel.cleo, message)
    moderators = await desk(easel)
    easel.env.inject_error("POST", "/channels/*/messages", status=403, times=1)
    assert "No channel takes reports" in await easel.flag(easel.cleo, message)
    assert "have it now" in await easel.flag(easel.cleo, message)
    assert len(moderators.history()) == 1
    assert "can't be reported any more" in await easel.told(easel.admin, "admin moderators")


async def test_a_channel_where_easel_can_not_post_is_refused(easel: World) -> None:
    closed = easel.guild.create_text_channel(
        "closed", overwrites={easel.guild.default_role: discord.PermissionOverwrite(attach_files=False)}
    )
    assert "Attach Files" in await easel.told(easel.admin, "admin moderators", channel=closed)


async def test_what_is_no_picture_of_this_server_that_one_sees_can_not_be_reported(easel: World) -> None:
    await desk(easel)
    message = await grid(easel)
    secret = easel.guild.create_text_channel(
        "secret",
        overwrites={easel.guild.default_role: discord.PermissionOverwrite(view_channel=False)},
    )
    plain = await easel.ben.send(easel.channel, "hello")
    for bad in (
        "a fox",
        link(plain, easel),
        link(message, easel).replace(str(easel.guild.id), "1"),
        link(message, easel).replace(str(easel.channel.id), str(secret.id)),
    ):
        assert "no link to a picture of mine" in await easel.told(easel.cleo, "report", link=bad)


async def test_pictures_that_are_not_there_yet_can_not_be_reported(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await desk(easel)
        await easel.imagine(easel.ben)
        told = await easel.told(easel.cleo, "report", link=link(easel.messages()[0], easel))
        assert "still being drawn" in told
