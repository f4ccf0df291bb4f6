"""Who reports stays hidden from other members, and a slip of the finger reports nobody."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from tests.bot.features.moderation.test_report import desk, name_reporter, reported
from tests.bot.features.privacy.people import delete
from tests.bot.features.test_actions import grid
from tests.world import World, said


def names(easel: World, words: str) -> list[str]:
    """Who of those who may report stands in a text."""
    return [who.name for who in (easel.admin, easel.cleo) if str(who.id) in words]


# ------------------------------------------------------------------------------------------- who reported


async def test_a_case_names_nobody_and_moderators_find_out_by_themselves(easel: World) -> None:
    moderators, mo = await reported(easel)
    easel.clock.move(seconds=1)
    await easel.flag(easel.admin, easel.results()[0])
    (case,) = moderators.history()
    assert names(easel, case.content) == []
    answer = (await easel.press(mo, case, "Who reported?")).followups[-1]
    assert answer.flags.ephemeral
    assert f"Reported by <@{easel.cleo.id}>, <@{easel.admin.id}>." in answer.content
    assert names(easel, moderators.history()[0].content) == []
    await easel.press(mo, case, "Keep")
    assert names(easel, moderators.history()[0].content) == []


async def test_others_are_not_told_who_reported(easel: World) -> None:
    moderators, _ = await reported(easel)
    answer = (await easel.press(easel.ben, moderators.history()[0], "Who reported?")).followups[-1]
    assert "Only people who may manage messages" in answer.content
    assert names(easel, answer.content) == []


async def test_moderators_are_not_told_who_deleted_their_data(easel: World) -> None:
    moderators, mo = await reported(easel)
    await delete(easel, easel.cleo)
    answer = (await easel.press(mo, moderators.history()[0], "Who reported?")).followups[-1]
    assert "Reported by somebody who deleted their data" in answer.content


@pytest.mark.parametrize("step", ["another report", "Keep", "Remove picture"])
async def test_a_case_of_an_earlier_version_loses_its_names_when_it_changes(easel: World, step: str) -> None:
    moderators, mo = await reported(easel)
    name_reporter(easel, moderators.history()[0], easel.cleo)
    assert names(easel, moderators.history()[0].content) == ["cleo"]
    if step == "another report":
        await easel.flag(easel.admin, easel.results()[0])
        await easel.press(mo, moderators.history()[0], "Who reported?")
    else:
        await easel.press(mo, moderators.history()[0], step)
    assert names(easel, moderators.history()[0].content) == []


# ------------------------------------------------------------------------------------------- a slip of the finger


async def asked(easel: World, message: discord.Message) -> Any:
    """What Cleo is asked after one tap."""
    await easel.cleo.react(message, "🚩")
    await easel.rest()
    return easel.cleo.user.dm_channel.history()[-1]


async def test_one_reaction_reports_nobody_and_asks(easel: World) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    question = await asked(easel, message)
    assert moderators.history() == []
    async with easel.services.database.reading() as tx:
        assert await tx.fetch_all("SELECT * FROM reports") == []
    assert f"/{message.channel.id}/{message.id}" in question.content
    assert "Do you want to report" in question.content
    answer = await easel.cleo.user.click(question, label="Report")
    assert "have it now" in said(answer)
    assert answer.response.components == []
    assert len(moderators.history()) == 1


async def test_the_question_outlives_a_restart(easel: World) -> None:
    moderators = await desk(easel)
    question = await asked(easel, await grid(easel))
    await easel.restart()
    await easel.cleo.user.click(question, label="Report")
    assert len(moderators.history()) == 1


async def test_who_left_the_server_or_sees_its_channel_no_more_reports_nothing_there(easel: World) -> None:
    moderators = await desk(easel)
    first = await asked(easel, await grid(easel))
    await easel.client.get_channel(easel.channel.id).set_permissions(  # type: ignore[union-attr]
        easel.client.get_guild(easel.guild.id).default_role,  # type: ignore[union-attr, arg-type]
        view_channel=False,
    )
    await easel.rest()
    assert "no link to a picture" in said(await easel.cleo.user.click(first, label="Report"))
    await easel.client.get_guild(easel.guild.id).kick(discord.Object(easel.cleo.id))  # type: ignore[union-attr]
    await easel.rest()
    assert "works in servers" in said(await easel.cleo.user.click(first, label="Report"))
    assert moderators.history() == []


async def test_nothing_is_reported_of_a_server_where_easel_no_longer_works(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    moderators = await desk(easel)
    message = await grid(easel)
    question = await asked(easel, message)
    monkeypatch.setattr("bot.interactions.servers.allows", lambda _settings, guild_id: guild_id is None)
    assert "this one is not among them" in said(await easel.cleo.user.click(question, label="Report"))
    await easel.admin.react(message, "🚩")
    await easel.rest()
    assert "this one is not among them" in easel.admin.user.dm_channel.history()[-1].content
    assert moderators.history() == []


# ------------------------------------------------------------------------------------------- the moderators' channel


async def test_a_channel_that_everyone_can_read_is_refused_unless_told_twice(easel: World) -> None:
    lounge = easel.guild.create_text_channel("lounge")
    told = await easel.told(easel.admin, "admin moderators", channel=lounge)
    assert f"Everyone can read <#{lounge.id}>" in told
    assert "even_if_public" in told
    assert "No channel takes reports" in await easel.flag(easel.cleo, await grid(easel))
    told = await easel.told(easel.admin, "admin moderators", channel=lounge, even_if_public=True)
    assert f"go to <#{lounge.id}>" in told
    assert "Everyone can read it" in told
    assert "have it now" in await easel.flag(easel.cleo, easel.results()[0])


async def test_a_channel_for_moderators_alone_is_taken_at_once(easel: World) -> None:
    everyone, me = easel.guild.default_role, easel.client.user
    assert me is not None
    overwrites = {
        everyone: discord.PermissionOverwrite(view_channel=False),
        me: discord.PermissionOverwrite(view_channel=True),
        easel.admin: discord.PermissionOverwrite(view_channel=True),
    }
    closed = easel.guild.create_text_channel("moderators", overwrites=overwrites)
    told = await easel.told(easel.admin, "admin moderators", channel=closed)
    assert f"go to <#{closed.id}>" in told
    assert "Everyone" not in told


async def test_an_admin_is_told_of_a_moderators_channel_that_everyone_reads(easel: World) -> None:
    assert "Moderators' channel" not in await easel.told(easel.admin, "admin doctor")
    await desk(easel)
    assert "Moderators' channel: everyone can read it" in await easel.told(easel.admin, "admin doctor")
