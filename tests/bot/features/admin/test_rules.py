"""Rules that admins set by command, and what members get to hear."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from generation.contract import from_json
from storage.guilds import bans, word_rules
from storage.guilds import changes as guild_changes
from storage.guilds.bans import Ban
from storage.guilds.changes import Change
from storage.guilds.word_rules import WordKind, WordRule
from storage.jobs import role_weights
from tests.fakes import FakeGenerator
from tests.world import World, said, world


def vip(easel: World) -> Any:
    return easel.guild.add_member(easel.env.create_user("vip"), roles=[easel.vip])


async def test_jobs_are_taken_in_chosen_channels_and_their_threads_only(easel: World) -> None:
    lounge = easel.guild.create_text_channel("lounge")
    told = await easel.told(easel.admin, "admin rules channel", channel=easel.channel)
    assert f"in <#{easel.channel.id}> and nowhere else" in told
    assert "On its way" in await easel.imagine(easel.ben)
    refused = await easel.ben.slash(lounge, "imagine", prompt="a fox")
    assert f"in these channels here: <#{easel.channel.id}>" in said(refused)
    assert "in all channels" in await easel.told(easel.admin, "admin rules channel")
    assert "On its way" in said(await easel.ben.slash(lounge, "imagine", prompt="a fox"))


async def test_u_and_mail_and_describe_are_kept_for_roles_and_u_heeds_closed_channels(easel: World) -> None:
    await easel.imagine(easel.ben)
    (result,) = easel.results()
    for action in ("upscale", "mail", "describe"):
        await easel.told(easel.admin, "admin rules action", action=action, role=easel.vip)
    assert f"`upscale` is kept for <@&{easel.vip.id}>" in said(await easel.press(easel.ben, result, "U1"))
    told = await easel.told(easel.ben, "describe", image=("fox.png", b"no picture"))
    assert "`describe` is kept for" in told
    await easel.ben.react(result, "✉️")
    await easel.rest()
    assert not any(one.attachments for one in easel.ben.user.dm_channel.history())
    await easel.press(vip(easel), result, "U1")
    assert len(easel.messages()) == 2
    await easel.told(easel.admin, "admin rules channel", channel=easel.guild.create_text_channel("lounge"))
    for action in ("upscale", "mail", "describe"):
        await easel.told(easel.admin, "admin rules action", action=action)
    assert "draws in these channels here" in said(await easel.press(easel.ben, result, "U2"))


async def test_what_is_taken_off_a_list_is_not_opened_by_that(easel: World) -> None:
    told = await easel.told(easel.admin, "admin rules channel", channel=easel.channel, allowed=False)
    assert f"To close <#{easel.channel.id}>, name the channels" in told
    await easel.told(easel.admin, "admin rules channel", channel=easel.channel)
    told = await easel.told(easel.admin, "admin rules channel", channel=easel.channel, allowed=False)
    assert "in no channel from now on" in told
    assert "closed Easel in all channels" in await easel.imagine(easel.ben)
    assert "**Channels**: none" in await easel.told(easel.admin, "admin rules show")
    await easel.told(easel.admin, "admin rules channel")
    assert "On its way" in await easel.imagine(easel.ben)
    told = await easel.told(easel.admin, "admin rules action", action="vary", role=easel.vip, allowed=False)
    assert f"`vary` is for everyone. To keep it from members with <@&{easel.vip.id}>" in told
    assert "vary" not in await easel.told(easel.admin, "admin rules show")


async def test_an_action_is_kept_for_roles_also_behind_its_button(easel: World) -> None:
    await easel.imagine(easel.ben)
    told = await easel.told(easel.admin, "admin rules action", action="vary", role=easel.vip)
    assert f"`vary` is for <@&{easel.vip.id}>" in told
    assert f"kept for <@&{easel.vip.id}>" in said(await easel.press(easel.ben, easel.results()[0], "V1"))
    await easel.press(vip(easel), easel.results()[0], "V1")
    assert len(easel.results()) == 2
    assert "`vary` is for everyone" in await easel.told(easel.admin, "admin rules action", action="vary")


async def test_a_model_is_kept_for_roles_and_offered_by_name(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(("easel", "sdxl"))) as easel:
        offered = await easel.admin.autocomplete(easel.channel, "admin rules model", "model", "xl")
        assert [choice["value"] for choice in offered] == ["sdxl"]
        await easel.told(easel.admin, "admin rules model", model="sdxl", role=easel.vip)
        told = await easel.imagine(easel.ben, "a fox --model sdxl")
        assert f"`sdxl` is kept for <@&{easel.vip.id}>" in told
        assert "On its way" in await easel.imagine(easel.ben)
        assert "On its way" in await easel.imagine(vip(easel), "a fox --model sdxl")
        told = await easel.told(easel.admin, "admin rules model", model="sdxl", role=easel.vip, allowed=False)
        assert "`sdxl` is for nobody" in told
        assert "kept for nobody" in await easel.imagine(vip(easel), "a fox --model sdxl")
        assert "**Model** `sdxl`: nobody" in await easel.told(easel.admin, "admin rules show")
        await easel.told(easel.admin, "admin rules model", model="sdxl", role=easel.vip)
        assert "On its way" in await easel.imagine(vip(easel), "a fox --model sdxl")
        await easel.told(easel.admin, "admin rules model", model="sdxl")
        assert "On its way" in await easel.imagine(easel.ben, "a fox --model sdxl")


@pytest.mark.parametrize(
    ("what", "amount", "prompt", "words"),
    [
        ("size", 64, "a fox", "up to 64 pixels"),
        ("pictures", 2, "a fox --count 3", "up to 2 pictures at once (`--count`)"),
    ],
)
async def test_sizes_and_pictures_are_limited(easel: World, what: str, amount: int, prompt: str, words: str) -> None:
    await easel.told(easel.admin, "admin rules limit", what=what, amount=amount)
    assert words in await easel.imagine(easel.ben, prompt)
    await easel.told(easel.admin, "admin rules limit", what=what, amount=1024 if what == "size" else 4, role=easel.vip)
    assert f"are for <@&{easel.vip.id}>" in await easel.imagine(easel.ben, prompt)
    assert "On its way" in await easel.imagine(vip(easel), prompt)
    await easel.told(easel.admin, "admin rules limit", what=what)
    assert "On its way" in await easel.imagine(easel.ben, prompt)


async def test_what_nobody_asked_for_fits_itself_to_the_limits(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.told(easel.admin, "admin rules limit", what="pictures", amount=2)
    await easel.press(easel.ben, easel.results()[0], "V1")
    await easel.press(easel.ben, easel.results()[0], "🔄")
    await easel.told(easel.admin, "admin rules limit", what="size", amount=200)
    for prompt in ("a fox", "a fox --ar 3:2"):
        assert "On its way" in await easel.imagine(easel.ben, prompt)
    async with easel.services.database.reading() as tx:
        rows = await tx.fetch_all("SELECT request FROM jobs ORDER BY number")
    drawn = [from_json(row["request"]) for row in rows]
    assert [len(one.sampling.seeds) for one in drawn] == [4, 2, 2, 2, 2]
    assert [max(one.sampling.width, one.sampling.height) for one in drawn[-2:]] == [192, 192]
    assert drawn[-1].sampling.width > drawn[-1].sampling.height


async def test_who_gets_less_than_usual_is_told(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.imagine(easel.ben, "a fox --ar 3:2")
    square, wide = easel.results()
    assert "limit" not in said(await easel.press(easel.ben, square, "V1"))
    await easel.told(easel.admin, "admin rules limit", what="size", amount=200)
    told = await easel.imagine(easel.cleo)
    assert "\n-# 192×192 instead of 256×256: this server's limit for you." in told
    assert "-# 192×128 instead of 288×192: this server's limit" in await easel.imagine(easel.cleo, "a fox --ar 3:2")
    for label in ("V1", "🔄"):
        told = said(await easel.press(easel.ben, wide, label))
        assert "On its way. It costs 4 credits.\n-# 192×128 instead of 288×192: this server's limit" in told
    await easel.told(easel.admin, "admin rules limit", what="pictures", amount=1)
    told = said(await easel.press(easel.ben, square, "V1"))
    assert "It costs 1 credit.\n-# 192×192 instead of 256×256, and 1 picture instead of 4: this" in told
    assert "picture instead" in await easel.imagine(easel.cleo)
    told = await easel.imagine(vip(easel), "a fox --count 1")
    assert "picture instead" not in told
    before = len(easel.results())
    await easel.told(easel.admin, "admin rules limit", what="size", amount=64)
    assert "up to 64 pixels" in said(await easel.press(easel.ben, square, "V1"))
    assert len(easel.results()) == before


async def test_who_reacted_is_told_that_they_get_less_too(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.told(easel.admin, "admin rules limit", what="size", amount=200)
    await easel.cleo.react(easel.results()[0], "🇦")
    await easel.rest()
    assert "192×192 instead of 256×256" in easel.cleo.user.dm_channel.history()[-1].content
    assert len(easel.results()) == 2


async def test_a_single_picture_is_varied_within_the_limit(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.press(easel.ben, easel.results()[0], "U1")
    await easel.told(easel.admin, "admin rules limit", what="size", amount=200)
    told = said(await easel.press(easel.ben, easel.messages()[-1], "Vary (Strong)"))
    assert "192×192 instead of 256×256" in told
    await easel.told(easel.admin, "admin rules limit", what="size")
    told = said(await easel.press(easel.ben, easel.results()[-1], "🔄"))
    assert "instead" not in told


async def test_a_limit_that_makes_no_sense_is_refused_with_the_range(easel: World) -> None:
    assert "from 64 to 16384" in await easel.told(easel.admin, "admin rules limit", what="size", amount=0)


async def test_a_cooldown_says_when_to_ask_again(easel: World) -> None:
    await easel.told(easel.admin, "admin rules limit", what="cooldown", amount=60)
    await easel.imagine(easel.ben)
    assert "next job here can start <t:" in await easel.imagine(easel.ben)
    assert "On its way" in await easel.imagine(easel.cleo)
    easel.clock.move(seconds=60)
    assert "On its way" in await easel.imagine(easel.ben)


async def test_waiting_jobs_of_one_person_are_limited(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        await easel.told(easel.admin, "admin rules limit", what="waiting", amount=1)
        for _ in range(2):
            assert "On its way" in await easel.imagine(easel.ben)
        assert "already have 1 job" in await easel.imagine(easel.ben)


async def test_jobs_of_one_person_drawn_at_once_are_limited(tmp_path: Path) -> None:
    generator = FakeGenerator(paused=True, capacity=3)
    async with world(tmp_path, generator=generator) as easel:
        await easel.told(easel.admin, "admin rules limit", what="running", amount=1)
        for _ in range(2):
            await easel.imagine(easel.ben)
        await easel.imagine(easel.cleo)
        assert len(easel.generator.requests) == 2
        easel.generator.finish(next(iter(easel.generator.requests)))
        await easel.rest()
        assert len(easel.generator.requests) == 3


async def test_a_roles_priority_reaches_its_members_jobs(easel: World) -> None:
    told = await easel.told(easel.admin, "admin rules priority", role=easel.vip, weight=2.5)
    assert "2.5 times the usual share" in told
    await easel.imagine(vip(easel))
    await easel.imagine(easel.ben)
    async with easel.services.database.reading() as tx:
        weights = [row["weight"] for row in await tx.fetch_all("SELECT weight FROM jobs ORDER BY number")]
    assert weights[0] == 2.5 * weights[1]


async def test_no_servers_priorities_take_from_other_servers(easel: World) -> None:
    async with easel.services.database.transaction() as tx:
        everyone = easel.guild.id  # the @everyone role has the server's id
        await role_weights.set_weight(tx, guild_id=easel.guild.id, role_id=everyone, weight=10.0)
        await role_weights.set_weight(tx, guild_id=easel.guild.id, role_id=easel.vip.id, weight=5.0)
        for roles in ([easel.guild.id], [easel.guild.id, easel.vip.id], []):
            assert await role_weights.weight_of(tx, guild_id=easel.guild.id, role_ids=roles) <= 1
        assert await role_weights.weight_of(tx, guild_id=5, role_ids=[]) == 1


async def test_long_lists_have_further_pages(easel: World) -> None:
    here, now = easel.guild.id, easel.clock()
    async with easel.services.database.transaction() as tx:
        for n in range(300):
            rule = WordRule(pattern=f"word{n:03}" + "x" * 20, kind=WordKind.BLOCK)
            await word_rules.set_word_rule(tx, here, rule)
            await bans.ban(tx, Ban(guild_id=here, user_id=10**17 + n, actor_id=5, reason="spam", at=now))
            await guild_changes.record(
                tx, Change(guild_id=here, actor_id=5, what=f"what{n:03}", old=None, new="x", at=now)
            )
    for command, pattern in (
        ("admin words list", r"word\d{3}"),
        ("admin rules show", r"<@1\d{17}>"),
        ("admin changes", r"what\d{3}"),
    ):
        first = await easel.told(easel.admin, command)
        found = re.search(r"Page 1 of (\d+)\. `page: 2` has more", first)
        assert found is not None
        rest = [await easel.told(easel.admin, command, page=n) for n in range(2, int(found[1]) + 1)]
        assert len(set(re.findall(pattern, "".join([first, *rest])))) == 300
        assert all(len(one) <= 2000 for one in (first, *rest))
        assert await easel.told(easel.admin, command, page=9999) == rest[-1]


async def test_one_page_shows_everything_that_is_set(easel: World) -> None:
    assert "**Channels**: all" in await easel.told(easel.admin, "admin rules show")
    await easel.told(easel.admin, "admin rules channel", channel=easel.channel)
    await easel.told(easel.admin, "admin rules action", action="vary", role=easel.vip)
    await easel.told(easel.admin, "admin rules limit", what="size", amount=512)
    await easel.told(easel.admin, "admin rules priority", role=easel.vip, weight=2.0)
    await easel.told(easel.admin, "admin member ban", who=easel.cleo, reason="spam")
    await easel.told(easel.admin, "admin queue pause")
    await easel.told(easel.admin, "admin rules default-model", model="easel")
    await easel.told(easel.admin, "admin rules limit", what="waiting", amount=1)
    await easel.told(easel.admin, "admin moderators", channel=easel.channel, even_if_public=True)
    await easel.told(easel.admin, "admin appeal", text="Ask in *help*.")
    await easel.told(easel.admin, "admin words block", word="kill")
    page = await easel.told(easel.admin, "admin rules show")
    for words in (
        f"**Channels**: <#{easel.channel.id}>",
        f"**Action** `vary`: <@&{easel.vip.id}>",
        "**Size** of everyone: 512 pixels on the longer side",
        "**Waiting** of everyone: 1 job waiting",
        f"**Moderators' channel**: <#{easel.channel.id}>",
        "**After a refusal**: Ask in \\*help\\*.",
        "**Word rules**: 1, see `/admin words list`",
        f"**Priority** of <@&{easel.vip.id}>: 2",
        f"<@{easel.cleo.id}>",
        "(spam)",
        "Drawing is paused",
        "**Default model**: easel",
    ):
        assert words in page
    changes = await easel.told(easel.admin, "admin changes")
    assert f"**channels**: all → <#{easel.channel.id}>" in changes
    assert "**size limit of everyone**: not set → 512" in changes
