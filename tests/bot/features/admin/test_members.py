"""Banning and unbanning, in a server and everywhere."""

from __future__ import annotations

from pathlib import Path

import discord

from storage.guilds import bans
from storage.guilds.bans import Ban
from storage.guilds.changes import EVERYWHERE
from tests.bot.features.admin.test_queue import make_host
from tests.world import World, said, world


async def test_the_hosts_ban_and_its_reason_are_not_told_to_each_servers_admins(easel: World) -> None:
    everywhere = Ban(guild_id=EVERYWHERE, user_id=easel.ben.id, actor_id=5, reason="secret", at=easel.clock())
    async with easel.services.database.transaction() as tx:
        await bans.ban(tx, everywhere)
    of_ben = await easel.told(easel.admin, "admin member unban", who=easel.ben)
    of_cleo = await easel.told(easel.admin, "admin member unban", who=easel.cleo)
    assert of_ben == of_cleo.replace(str(easel.cleo.id), str(easel.ben.id))
    await easel.told(easel.admin, "admin member ban", who=easel.ben)
    told = await easel.told(easel.admin, "admin member unban", who=easel.ben)
    assert "everywhere" not in told
    assert "secret" not in told
    assert "secret" not in await easel.told(easel.admin, "admin rules show")


async def test_what_the_host_changes_everywhere_is_not_told_to_each_servers_admins(easel: World) -> None:
    other = easel.env.create_guild("Other")
    admins = other.create_role("Admin", permissions=discord.Permissions(manage_guild=True))
    olga = other.add_member(easel.env.create_user("olga"), roles=[admins])
    make_host(easel)
    log = easel.guild.create_text_channel("log")
    await easel.told(easel.admin, "admin log", channel=log)
    await easel.told(easel.admin, "admin member ban", who=easel.ben, reason="spam", everywhere=True)
    await easel.told(easel.admin, "admin member ban", who=easel.cleo, reason="noise")
    assert "everywhere" in await easel.told(easel.admin, "admin changes")
    posted = " ".join(message.content for message in log.history())
    assert "noise" in posted
    assert "spam" not in posted
    told = said(await olga.slash(other.create_text_channel("studio"), "admin changes"))
    assert "Nothing has been changed" in told


async def test_a_banned_person_gets_one_clear_sentence_and_loses_what_waits(tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await easel.imagine(easel.cleo)
        easel.generator.paused = True
        await easel.imagine(easel.ben, "first")
        await easel.imagine(easel.ben, "second")
        told = await easel.told(easel.admin, "admin member ban", who=easel.ben, reason="spam *everywhere*")
        assert "2 jobs cancelled and refunded" in told
        await easel.rest()
        sentence = "You may not use Easel in this server: spam \\*everywhere\\*."
        assert sentence in await easel.imagine(easel.ben)
        for label in ("U1", "V1", "🔄"):
            assert sentence in said(await easel.press(easel.ben, easel.results()[0], label))
        await easel.ben.react(easel.results()[0], "1️⃣")
        await easel.rest()
        assert sentence in easel.ben.user.dm_channel.history()[-1].content
        assert len(easel.results()) == 1
        assert "40 of 40" in await easel.told(easel.ben, "info")
        await easel.restart()
        assert sentence in await easel.imagine(easel.ben)
        assert "may use Easel again" in await easel.told(easel.admin, "admin member unban", who=easel.ben)
        assert "On its way" in await easel.imagine(easel.ben)
        assert "was not banned" in await easel.told(easel.admin, "admin member unban", who=easel.ben)
