"""Who is an admin, and the record of what admins change."""

from __future__ import annotations

from pathlib import Path

import discord
import pytest

from bot.client import EaselClient
from tests.world import World, world

COMMANDS = sorted(
    command.qualified_name
    for group in EaselClient().tree.get_commands()
    if group.name == "admin" and isinstance(group, discord.app_commands.Group)
    for command in group.walk_commands()
    if isinstance(command, discord.app_commands.Command)
)


async def let_everyone_see(easel: World, name: str = "admin") -> None:
    """Override the hint that hides a command from members, as the owner of a server can."""
    (group,) = [one for one in await easel.client.tree.fetch_commands() if one.name == name]
    easel.guild.set_command_permissions(group, {easel.guild.default_role: True})


def log_lines(channel: object) -> list[str]:
    return [message.content for message in channel.history()]  # type: ignore[attr-defined]


async def test_changes_are_recorded_and_posted_in_the_log_channel(easel: World) -> None:
    assert "Nothing has been changed" in await easel.told(easel.admin, "admin changes")
    log = easel.guild.create_text_channel("log")
    assert f"<#{log.id}>" in await easel.told(easel.admin, "admin log", channel=log)
    await easel.told(easel.admin, "admin role", role=easel.vip)
    expected = f"<@{easel.admin.id}> · **admin role**: not set → <@&{easel.vip.id}>"
    assert log_lines(log)[-1] == expected
    assert easel.pings(log.history()[-1]) == []
    page = await easel.told(easel.admin, "admin changes")
    assert expected in page
    assert f"**log channel**: not set → <#{log.id}>" in page
    assert page.index("admin role") < page.index("log channel")


async def test_changes_of_credits_are_posted_in_the_log_channel_too(easel: World) -> None:
    log = easel.guild.create_text_channel("log")
    await easel.told(easel.admin, "admin log", channel=log)
    await easel.told(easel.admin, "quota set", credits=9, who=easel.ben, reason="a *star*")
    await easel.told(easel.admin, "quota show")
    await easel.told(easel.admin, "quota grant", credits=-9, who=easel.ben)
    await easel.told(easel.admin, "quota timezone", zone="Europe/Berlin")
    await easel.told(easel.admin, "quota undo")
    lead = f"<@{easel.admin.id}> · **credits**: "
    assert log_lines(log)[1:] == [
        f"{lead}set for <@{easel.ben.id}>, default → 9 a day: a \\*star\\*",
        f"{lead}time zone, UTC → Europe/Berlin",
        f"{lead}undo of time zone, UTC → Europe/Berlin",
    ]


async def test_what_leaves_everything_as_it_was_is_no_change(easel: World) -> None:
    await easel.told(easel.admin, "admin rules channel")
    await easel.told(easel.admin, "admin rules default-model")
    await easel.told(easel.admin, "admin rules action", action="vary", role=easel.vip, allowed=False)
    assert "Nothing has been changed" in await easel.told(easel.admin, "admin changes")
    await easel.told(easel.admin, "admin member pardon", who=easel.ben)
    assert f"timeout of <@{easel.ben.id}>**: not set → pardoned" in await easel.told(easel.admin, "admin changes")


async def test_a_log_channel_that_is_closed_to_easel_is_refused_and_one_that_closes_later_is_named(
    easel: World,
) -> None:
    hidden = {easel.guild.default_role: discord.PermissionOverwrite(send_messages=False)}
    closed = easel.guild.create_text_channel("closed", overwrites=hidden)
    assert "Send Messages" in await easel.told(easel.admin, "admin log", channel=closed)
    log = easel.guild.create_text_channel("log")
    await easel.told(easel.admin, "admin log", channel=log)
    easel.env.inject_error("POST", f"/channels/{log.id}/messages", status=403, times=1)
    told = await easel.told(easel.admin, "admin role", role=easel.vip)
    assert "are admins of Easel now" in told
    assert f"can't post in the log channel <#{log.id}>" in told
    assert "admin role" in await easel.told(easel.admin, "admin changes")


async def test_the_role_that_the_server_chose_may_use_admin(easel: World) -> None:
    await let_everyone_see(easel)
    vip = easel.guild.add_member(easel.env.create_user("vip"), roles=[easel.vip])
    assert "Manage Server" in await easel.told(vip, "admin changes")
    await easel.told(easel.admin, "admin role", role=easel.vip)
    assert "Latest changes" in await easel.told(vip, "admin changes")
    assert "Manage Server" in await easel.told(easel.ben, "admin changes")
    await easel.told(easel.admin, "admin role")
    assert "Manage Server" in await easel.told(vip, "admin changes")


async def test_the_record_outlives_a_restart_and_stays_in_its_server(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.told(easel.admin, "admin role", role=easel.vip)
        await easel.restart()
        assert "admin role" in await easel.told(easel.admin, "admin changes")


def test_admin_has_room_for_ten_more() -> None:
    admin = EaselClient().tree.get_command("admin")
    assert isinstance(admin, discord.app_commands.Group)
    assert len(admin.commands) <= 25 - 10  # https://docs.discord.com/developers/interactions/application-commands
    for group in admin.commands:
        assert not isinstance(group, discord.app_commands.Group) or len(group.commands) <= 25 - 10


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_admin_command_is_refused_to_members(easel: World, name: str) -> None:
    await let_everyone_see(easel)
    command = easel.client.tree.get_command("admin")
    for part in name.split()[1:]:
        assert isinstance(command, discord.app_commands.Group)
        command = command.get_command(part)
    assert isinstance(command, discord.app_commands.Command)
    given = {
        one.name: one.choices[0].value if one.choices else "vary" if one.name == "action" else _some(easel, one)
        for one in command.parameters
        if one.required
    }
    assert "Manage Server" in await easel.told(easel.ben, name, **given)


def _some(easel: World, option: discord.app_commands.Parameter) -> object:
    match option.type:
        case discord.AppCommandOptionType.user:
            return easel.cleo
        case discord.AppCommandOptionType.role:
            return easel.vip
        case discord.AppCommandOptionType.channel:
            return easel.channel
        case discord.AppCommandOptionType.boolean:
            return True
        case discord.AppCommandOptionType.integer | discord.AppCommandOptionType.number:
            return option.min_value or 1
        case _:
            return "x"
