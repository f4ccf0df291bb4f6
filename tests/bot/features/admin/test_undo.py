"""`/admin undo`: what admins set is taken back, once, by one of them, and as it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.features.admin import undo
from bot.features.admin._group import Desk
from bot.texts.undo import OVERTAKEN
from storage.guilds import bans, permissions, snapshot
from storage.guilds import changes as guild_changes
from storage.guilds import settings as guild_settings
from storage.guilds.changes import EVERYWHERE, Change, Obstacle
from storage.privacy.personal_data import HELD
from tests.bot.features.privacy.people import delete, traces
from tests.fakes import FakeGenerator
from tests.world import World, world

NO_SETTINGS = {
    "allowances": "credits",
    "carried": "credits",
    "changes": "the record itself",
    "jobs": "jobs",
    "ledger": "credits",
    "quota_terms": "credits",
    "refusals": "what the bot saw",
    "server_turns": "the queue",
}
"""Tables with a server's id that hold no setting of `/admin`, and what they hold."""


def another_admin(easel: World, name: str = "olga") -> Any:
    role = easel.guild.create_role(f"Admins with {name}", permissions=discord.Permissions(manage_guild=True))
    return easel.guild.add_member(easel.env.create_user(name), roles=[role])


async def rules(easel: World) -> str:
    return await easel.told(easel.admin, "admin rules show")


async def settings(easel: World) -> Any:
    """All that is set for the server, row by row."""
    async with easel.services.database.reading() as tx:
        return (await snapshot.rows(tx, easel.guild.id)).cells


def commands(easel: World) -> list[tuple[str, dict[str, Any]]]:
    """Every command that sets something, in an order in which each changes something."""
    crew, lounge = easel.guild.create_role("Crew"), easel.guild.create_text_channel("lounge")
    return [
        ("admin log", {"channel": lounge}),
        ("admin log", {"channel": easel.channel}),
        ("admin log", {}),
        ("admin role", {"role": crew}),
        ("admin moderators", {"channel": lounge, "even_if_public": True}),
        ("admin appeal", {"text": "Ask in #help."}),
        ("admin rules default-model", {"model": "easel"}),
        ("admin rules channel", {"channel": lounge}),
        ("admin rules channel", {"channel": easel.channel}),
        ("admin rules channel", {"channel": lounge, "allowed": False}),
        ("admin rules channel", {"channel": easel.channel, "allowed": False}),
        ("admin rules channel", {}),
        ("admin rules action", {"action": "vary", "role": crew}),
        ("admin rules action", {"action": "vary", "role": crew, "allowed": False}),
        ("admin rules action", {"action": "vary"}),
        ("admin rules model", {"model": "easel", "role": crew}),
        *(("admin rules limit", {"what": what, "amount": 64}) for what in ("size", "waiting", "running", "cooldown")),
        ("admin rules limit", {"what": "size", "amount": 128, "role": crew}),
        ("admin rules limit", {"what": "size", "amount": 256, "role": crew}),
        ("admin rules limit", {"what": "size", "role": crew}),
        ("admin rules priority", {"role": crew, "weight": 2.5}),
        ("admin rules priority", {"role": crew}),
        ("admin words block", {"word": "kill*"}),
        ("admin words allow", {"word": "kill*"}),
        ("admin words remove", {"word": "kill*"}),
        ("admin queue pause", {"reason": "game night"}),
        ("admin queue drain", {}),
        ("admin queue resume", {}),
        ("admin member ban", {"who": easel.ben, "reason": "spam"}),
        ("admin member ban", {"who": easel.ben, "reason": "more spam"}),
        ("admin member unban", {"who": easel.ben}),
    ]


def states(easel: World) -> list[str]:
    """What holds once each of these commands is undone."""
    channels = {channel.name: f"<#{channel.id}>" for channel in easel.client.guilds[0].text_channels}
    crew = next(f"<@&{role.id}>" for role in easel.client.guilds[0].roles if role.name == "Crew")
    lounge, studio, ben = channels["lounge"], channels["studio"], easel.ben.mention
    both = ", ".join(sorted((lounge, studio)))
    return [
        "**log channel** is not set any more",
        f"**log channel** is {lounge} again",
        f"**log channel** is {studio} again",
        "**admin role** is not set any more",
        "**moderators' channel** is not set any more",
        "**appeal** is not set any more",
        "**default model** is not set any more",
        "jobs are taken in all channels again",
        f"jobs are taken in {lounge} and nowhere else again",
        f"jobs are taken in {both} and nowhere else again",
        f"jobs are taken in {studio} and nowhere else again",
        "jobs are taken in no channel again",
        "`vary` is for everyone again",
        f"`vary` is for {crew} again",
        "`vary` is for nobody again",
        "`easel` is for everyone again",
        *(f"**{what} limit of everyone** is not set any more" for what in ("size", "waiting", "running", "cooldown")),
        f"**size limit of {crew}** is not set any more",
        f"**size limit of {crew}** is 128 again",
        f"**size limit of {crew}** is 256 again",
        f"**priority of {crew}** is 1 again",
        f"**priority of {crew}** is 2.5 again",
        "`kill*` has no rule any more",
        "`kill*` is blocked again",
        "`kill*` is allowed again",
        "drawing goes on again",
        "drawing is paused again (game night)",
        "no new jobs are taken again",
        f"{ben} is no longer banned",
        f"{ben} is banned again (spam)",
        f"{ben} is banned again",
    ]


async def test_every_setting_goes_back_to_what_it_was_step_by_step_also_after_a_restart(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as easel:
        before = [await settings(easel)]
        typed = commands(easel)
        after = states(easel)
        for command, options in typed:
            await easel.told(easel.admin, command, **options)
            before.append(await settings(easel))
            assert before[-1] != before[-2], command
        await easel.restart()
        for (command, _), state in zip(reversed(typed), reversed(after), strict=True):
            assert await settings(easel) == before.pop(), command
            assert await easel.told(easel.admin, "admin undo") == f"Undone: {state}."
        assert before == [{}]
        assert not [key for key, cells in (await settings(easel)).items() if any(cells.values()) or not cells]
        assert "There is nothing to undo." in await easel.told(easel.admin, "admin undo")


async def test_every_table_with_settings_of_a_server_is_undone(easel: World) -> None:
    async with easel.services.database.reading() as tx:
        tables = await tx.fetch_all(
            "SELECT tables.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns"
            " WHERE tables.type = 'table' AND columns.name = 'guild_id'"
        )
    unknown = {row["name"] for row in tables} - {*snapshot.TABLES, *NO_SETTINGS}
    assert not unknown, f"add to TABLES in storage/guilds/snapshot.py what admins set: {sorted(unknown)}"


def test_the_people_in_tables_of_settings_are_those_on_the_list_of_personal_data() -> None:
    for table, people in snapshot.TABLES.items():
        assert people == {held.column for held in HELD if held.table == table}, table


async def test_settings_and_credits_are_listed_and_undone_in_one_order(easel: World) -> None:
    everyone = "**credits**: set for everyone, default → "
    await easel.told(easel.admin, "quota set", credits=7)
    await easel.told(easel.admin, "admin role", role=easel.vip)
    await easel.told(easel.admin, "quota set", credits=9)
    page = (await easel.told(easel.admin, "admin changes")).splitlines()[1:]
    parts = ("**credits**: set for everyone, 7 a day → 9 a day", "**admin role**", f"{everyone}7 a day")
    assert [part in line for part, line in zip(parts, page, strict=True)] == [True] * 3
    for state in (
        "the quota of everyone is 7 a day again",
        "**admin role** is not set any more",
        "the quota of everyone is the default again",
    ):
        assert await easel.told(easel.admin, "admin undo") == f"Undone: {state}."
    assert "There is nothing to undo." in await easel.told(easel.admin, "admin undo")
    assert f"{easel.admin.mention} · **credits**: undo of set for everyone, default → 7 a day" in (
        await easel.told(easel.admin, "admin changes")
    )


async def test_quota_undo_passes_over_settings(easel: World) -> None:
    await easel.told(easel.admin, "quota set", credits=7)
    await easel.told(another_admin(easel), "admin role", role=easel.vip)
    told = await easel.told(easel.admin, "quota undo")
    assert told == "Undone: the quota of everyone is the default again."
    assert "There is nothing to undo." in await easel.told(easel.admin, "quota undo")
    assert "**Admin role**: <@&" in await rules(easel)


async def test_a_new_column_of_settings_is_undone_without_a_line_of_code(easel: World) -> None:
    async with easel.services.database.supposing() as tx:
        await tx.execute("ALTER TABLE guilds ADD COLUMN greeting TEXT")
        await guild_settings.set_log_channel(tx, 1, 5)
        before = await snapshot.rows(tx, 1)
        await tx.execute("UPDATE guilds SET greeting = 'hello'")
        touched = snapshot.touched(before, await snapshot.rows(tx, 1))
        await snapshot.put_back(tx, touched)
        assert await snapshot.rows(tx, 1) == before


async def test_an_undo_is_recorded_posted_and_not_undone_itself(easel: World) -> None:
    log = easel.guild.create_text_channel("log")
    await easel.told(easel.admin, "admin log", channel=log)
    await easel.told(easel.admin, "admin role", role=easel.vip)
    told = await easel.told(easel.admin, "admin undo")
    assert told == "Undone: **admin role** is not set any more."
    line = f"<@{easel.admin.id}> · **undo of admin role**: <@&{easel.vip.id}> → not set"
    assert [message.content for message in log.history()][-1] == line
    assert line in await easel.told(easel.admin, "admin changes")
    assert "**Admin role**: none" in await rules(easel)
    told = await easel.told(easel.admin, "admin undo")
    assert told == "Undone: **log channel** is not set any more."
    assert "There is nothing to undo." in await easel.told(easel.admin, "admin undo")


async def test_another_admins_change_is_named_before_it_is_undone(easel: World) -> None:
    olga = another_admin(easel)
    await easel.told(olga, "admin rules limit", what="size", amount=512)
    told = await easel.told(easel.admin, "admin undo")
    at = int(easel.clock().timestamp())
    assert told == (
        f"Nothing was undone. The last change is {olga.mention}'s, <t:{at}:R>: **size limit of everyone**: "
        "not set → 512. `/admin undo others: True` takes it back."
    )
    assert "512 pixels" in await rules(easel)
    told = await easel.told(easel.admin, "admin undo", others=True)
    who = f"{olga.mention} had changed it <t:{at}:R>."
    assert told == f"Undone: **size limit of everyone** is not set any more. {who}"
    assert "512" not in await rules(easel)


@pytest.mark.parametrize("command", [undo.undo, undo.undo_credits])
async def test_of_three_who_undo_at_once_exactly_one_does(
    easel: World, command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, desks = undo.opened, {}

    async def open_once(interaction: discord.Interaction[Any]) -> Desk:
        """People of the simulated Discord type one after the other, so the commands run again, all at once."""
        if interaction.id not in desks:
            desks[interaction.id] = await opened(interaction)
        desk: Desk = desks[interaction.id]
        return desk

    monkeypatch.setattr(undo, "opened", open_once)
    for who in (easel.admin, another_admin(easel), another_admin(easel, "nina")):
        assert "nothing to undo" in await easel.told(who, command.qualified_name)
    typed = [desk.interaction for desk in desks.values()]
    for number in (64, 128):
        await easel.told(easel.admin, "quota set", credits=number)
        await easel.told(easel.admin, "admin rules limit", what="size", amount=number)
    heard, tell = [], Desk.tell

    async def hear(desk: Desk, words: str) -> None:
        heard.append(words)
        await tell(desk, words)

    monkeypatch.setattr(Desk, "tell", hear)
    await asyncio.gather(*(command.callback(one, others=True) for one in typed))
    monkeypatch.undo()
    assert sorted(heard)[:2] == [OVERTAKEN] * 2
    assert sorted(heard)[2].startswith("Undone: ")
    limits, credits = await rules(easel), await easel.told(easel.admin, "quota show")
    assert ("64 pixels" in limits) == (command is undo.undo)
    assert ("everyone: 64 a day" in credits) == (command is undo.undo_credits)


async def test_what_was_done_for_good_is_refused_with_a_way_forward(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        async with easel.services.database.transaction() as tx:
            announced = Change(
                guild_id=easel.guild.id,
                actor_id=easel.admin.id,
                what="announcement",
                old=None,
                new="“Down at nine” in 1 channel",
                at=easel.clock(),
                final=Obstacle.SAID,
            )
            await guild_changes.record(tx, announced)
        told = await easel.told(easel.admin, "admin undo")
        assert told.startswith("Nothing was undone. There is no other change to undo.")
        assert "This can't be taken back:" in told
        assert "“Down at nine” in 1 channel, made by" in told
        assert "it was announced, and people have read it" in told
        assert "**announcement**: not set → “Down at nine” in 1 channel" in await easel.told(
            easel.admin, "admin changes"
        )
        await easel.told(easel.admin, "admin queue pause")
        for _ in range(2):
            await easel.imagine(easel.ben)
        await easel.told(easel.admin, "admin queue clear", who=easel.ben)
        told = await easel.told(easel.admin, "admin undo")
        assert told.startswith("Undone: drawing goes on again.\nThis can't be taken back:\n- ")
        assert "their credits were given back. Their owners can ask anew" in told
        assert "Down at nine" not in told
        assert "⏸️" not in await rules(easel)


async def test_however_much_was_done_for_good_the_last_setting_is_undone(easel: World) -> None:
    await easel.told(another_admin(easel), "admin rules limit", what="size", amount=512)
    await easel.told(easel.admin, "admin rules limit", what="size", amount=256)
    async with easel.services.database.transaction() as tx:
        for number in range(500):
            decided = Change(
                guild_id=easel.guild.id,
                actor_id=easel.cleo.id,
                what=f"report {number}",
                old="open",
                new="kept",
                at=easel.clock(),
                final=Obstacle.JUDGED,
            )
            await guild_changes.record(tx, decided)
    told = await easel.told(easel.admin, "admin undo")
    assert told.startswith("Undone: **size limit of everyone** is 512 again.\n")
    assert told.count("moderators decided it") == 3
    assert "**report 499**" in told
    assert told.endswith("\n- and more")
    told = await easel.told(easel.admin, "admin undo")
    assert "**report 499**" in told
    assert "not set → 512. `/admin undo others: True` takes it back." in told
    assert "512 pixels" in await rules(easel)


async def test_a_setting_that_is_otherwise_by_now_is_left_alone(easel: World) -> None:
    await easel.told(easel.admin, "admin appeal", text="Ask in #help.")
    async with easel.services.database.transaction() as tx:
        await guild_settings.set_appeal(tx, easel.guild.id, "Ask Olga.")
    for others in (False, True):
        told = await easel.told(easel.admin, "admin undo", others=others)
        assert "Nothing was undone" in told
        assert "it was set otherwise since. `/admin rules show` shows what holds" in told
    assert "Ask Olga." in await rules(easel)


async def test_roles_and_channels_that_were_deleted_are_not_put_back(easel: World) -> None:
    lounge, crew = easel.guild.create_text_channel("lounge"), easel.guild.create_role("Crew")
    await easel.told(easel.admin, "admin rules priority", role=crew, weight=2.0)
    await easel.told(easel.admin, "admin log", channel=lounge)
    await easel.told(easel.admin, "admin log")
    await easel.told(easel.admin, "admin rules priority", role=crew)
    guild = easel.client.get_guild(easel.guild.id)
    assert guild is not None
    await guild.get_channel(lounge.id).delete()  # type: ignore[union-attr]
    await guild.get_role(crew.id).delete()  # type: ignore[union-attr]
    before = await settings(easel)
    told = await easel.told(easel.admin, "admin undo")
    assert told.count("was deleted: a role, a channel or a model") == 2
    assert await settings(easel) == before


async def test_a_model_that_is_no_longer_offered_is_not_put_back(easel: World) -> None:
    async with easel.services.database.transaction() as tx:
        await guild_settings.set_default_model(tx, easel.guild.id, "a-model-of-last-year")
    await easel.told(easel.admin, "admin rules default-model")
    assert "was deleted: a role, a channel or a model" in await easel.told(easel.admin, "admin undo")
    assert "**Default model**: the host" in await rules(easel)


async def test_changes_from_before_there_was_an_undo_are_refused_with_a_way_forward(easel: World) -> None:
    async with easel.services.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO changes (guild_id, actor_id, what, old, new, at) VALUES (?, ?, 'appeal', 'a', 'b', 0)",
            (easel.guild.id, easel.admin.id),
        )
    told = await easel.told(easel.admin, "admin undo", others=True)
    assert "**appeal**: a → b, made by" in told
    assert "no setting is on record with it. If something is to be otherwise, set it by its own command" in told


async def test_an_archived_thread_is_put_back(easel: World) -> None:
    studio = easel.client.get_channel(easel.channel.id)
    assert isinstance(studio, discord.TextChannel)
    thread = await studio.create_thread(name="log", type=discord.ChannelType.public_thread)
    (log,) = easel.channel.threads
    await easel.told(easel.admin, "admin log", channel=log)
    await easel.told(easel.admin, "admin log")
    await thread.edit(archived=True)
    assert easel.client.get_channel(thread.id) is None
    await easel.told(easel.admin, "admin undo")
    assert f"**Log channel**: <#{thread.id}>" in await rules(easel)


async def test_undoing_a_ban_lifts_that_ban_and_nothing_else(easel: World) -> None:
    await easel.told(easel.admin, "admin member ban", who=easel.cleo, reason="also spam")
    await easel.told(easel.admin, "admin member ban", who=easel.ben, reason="spam")
    await easel.told(easel.admin, "admin undo")
    assert "On its way" in await easel.imagine(easel.ben)
    assert "also spam" in await easel.imagine(easel.cleo)


async def test_undoing_an_unban_brings_the_ban_back_as_it_was(easel: World) -> None:
    olga = another_admin(easel)
    await easel.told(olga, "admin member ban", who=easel.ben, reason="spam")
    async with easel.services.database.reading() as tx:
        (before,) = await bans.bans(tx, easel.guild.id)
    easel.clock.move(days=3)
    await easel.told(easel.admin, "admin member unban", who=easel.ben)
    await easel.told(easel.admin, "admin undo")
    async with easel.services.database.reading() as tx:
        assert await bans.bans(tx, easel.guild.id) == [before]
    assert before.actor_id == olga.id
    assert "spam" in await easel.imagine(easel.ben)


async def test_a_pause_that_is_undone_lets_what_waits_be_drawn(easel: World) -> None:
    await easel.told(easel.admin, "admin queue pause")
    await easel.imagine(easel.ben)
    assert easel.results() == []
    await easel.told(easel.admin, "admin undo")
    await easel.rest()
    assert len(easel.results()) == 1


async def test_a_pardon_that_is_undone_gives_the_timeout_back(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("kill",)) as easel:
        for _ in range(5):
            await easel.imagine(easel.ben, "kill")
        assert "On its way" not in await easel.imagine(easel.ben)
        await easel.told(easel.admin, "admin member pardon", who=easel.ben)
        assert "**timeout of" in await easel.told(easel.admin, "admin undo")
        assert "On its way" not in await easel.imagine(easel.ben)


async def test_what_the_host_set_everywhere_is_undone_by_the_host_only(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        host = another_admin(easel)
        owners = frozenset({host.id})
        easel.client.services = replace(easel.services, settings=replace(easel.services.settings, owners=owners))
        await easel.told(host, "admin queue pause", everywhere=True)
        assert "There is nothing to undo." in await easel.told(easel.admin, "admin undo", others=True)
        assert "who run" in await easel.told(easel.admin, "admin undo", everywhere=True)
        assert "⏸️" in await rules(easel)
        told = await easel.told(host, "admin undo", everywhere=True)
        assert told == "Undone: drawing goes on in all servers again."
        assert "⏸️" not in await rules(easel)
        async with easel.services.database.reading() as tx:
            assert not (await snapshot.rows(tx, EVERYWHERE)).cells


async def test_what_is_set_to_what_it_was_changes_nothing_that_an_undo_would_miss(easel: World) -> None:
    olga = another_admin(easel)
    await easel.told(easel.admin, "admin queue pause", reason="game night")
    easel.clock.move(minutes=5)
    await easel.told(olga, "admin queue pause", reason="game night")
    assert (await easel.told(easel.admin, "admin undo")).startswith("Undone: drawing ")
    assert "⏸️" not in await rules(easel)


async def test_what_can_be_undone_is_named_however_long_what_stays_is(easel: World) -> None:
    await easel.told(another_admin(easel), "admin rules limit", what="size", amount=512)
    for word in ("one", "two", "three", "four"):
        await easel.told(easel.admin, "admin appeal", text=f"{word} " * 50)
    async with easel.services.database.transaction() as tx:
        await guild_settings.set_appeal(tx, easel.guild.id, "Ask Olga.")
    told = await easel.told(easel.admin, "admin undo")
    assert "`/admin undo others: True` takes it back." in told
    assert "it was set otherwise since" in told
    await easel.told(easel.admin, "admin undo", others=True)
    assert "There is no other change to undo." in await easel.told(easel.admin, "admin undo")


async def test_long_lists_are_cut_where_a_change_is_told(easel: World) -> None:
    log = easel.guild.create_text_channel("log")
    await easel.told(easel.admin, "admin log", channel=log)
    async with easel.services.database.transaction() as tx:
        for number in range(300):
            await permissions.open_channel(tx, guild_id=easel.guild.id, channel_id=10**17 + number, open=True)
    await easel.told(easel.admin, "admin rules channel", channel=easel.channel)
    assert "**channels**" in [message.content for message in log.history()][-1]
    assert (await easel.told(easel.admin, "admin undo")).startswith("Undone: jobs are taken in <#")


@pytest.mark.parametrize("gone", ["the banned", "the admin"])
async def test_changes_that_name_somebody_who_deleted_their_data_are_not_undone(easel: World, gone: str) -> None:
    olga = another_admin(easel)
    await easel.told(easel.admin, "admin role", role=easel.vip)
    await easel.told(olga, "admin member ban", who=easel.ben, reason="SECRET")
    await easel.told(easel.admin, "admin member unban", who=easel.ben)
    who = easel.ben if gone == "the banned" else olga
    await delete(easel, who)
    words = ["SECRET"] if gone == "the banned" else []
    assert not traces(easel.services.database.folder, who.id, *words)
    told = await easel.told(easel.admin, "admin undo")
    assert told.count("somebody whom it names had their data deleted") == 2
    assert "**admin role**" in told


async def test_a_ban_of_somebody_who_deleted_their_data_is_theirs_when_they_are_back(easel: World) -> None:
    await easel.told(easel.admin, "admin member ban", who=easel.ben)
    await delete(easel, easel.ben)
    await easel.told(easel.admin, "admin member unban", who=easel.ben)
    assert "On its way" in await easel.imagine(easel.ben)
    assert "is banned again" in await easel.told(easel.admin, "admin undo")
    assert "On its way" not in await easel.imagine(easel.ben)
