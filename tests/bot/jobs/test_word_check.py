"""What may not be asked for: word rules of a server and of the host, and what people are told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import WordRefused
from bot.interactions.checks import policy_of
from bot.settings.settings import StartupError
from storage.guilds.word_rules import MAX_RULES, WordKind, WordRule, set_word_rule
from tests.world import World, said, world


async def blocked(easel: World, *words: str) -> None:
    for word in words:
        assert "refused from now on" in await easel.told(easel.admin, "admin words block", word=word)


@pytest.mark.parametrize(
    "options",
    [
        {"prompt": "a bird to K1LL"},
        {"prompt": "a bird --no k.i.l.l"},
        {"prompt": "a bird", "negative": "ki\u200bll, boats"},
    ],
)
async def test_a_forbidden_word_is_refused_privately_and_costs_nothing(easel: World, options: dict[str, Any]) -> None:
    await blocked(easel, "kill")
    result = await easel.ben.slash(easel.channel, "imagine", **options)
    assert result.ephemeral
    assert said(result).lower().startswith("easel can't use “k")
    assert "Nothing was charged. If you think that this is a mistake, tell an admin" in said(result)
    assert easel.messages() == []
    assert "40 of 40" in await easel.told(easel.ben, "info")
    assert "On its way" in await easel.imagine(easel.ben, "a bird with great skill")


async def test_the_refusal_says_where_to_appeal(easel: World) -> None:
    await blocked(easel, "kill")
    await easel.told(easel.admin, "admin appeal", text="Ask in #help.")
    told = await easel.imagine(easel.ben, "kill")
    assert told == "Easel can't use “kill” here. Nothing was charged. Ask in #help.\n```\nkill\n```"
    assert "tell an admin" in await easel.told(easel.admin, "admin appeal")
    assert "tell an admin" in await easel.imagine(easel.ben, "kill")


async def test_rules_hold_in_their_own_server_only(easel: World) -> None:
    await blocked(easel, "kill")
    other = easel.env.create_guild("Other")
    channel = other.create_text_channel("studio")
    dora = other.add_member(easel.env.create_user("dora"))
    assert "On its way" in said(await dora.slash(channel, "imagine", prompt="kill"))


async def test_old_pictures_are_not_drawn_again_with_words_blocked_since(easel: World) -> None:
    await easel.imagine(easel.ben, "kill a bird")
    message = easel.results()[0]
    await blocked(easel, "kill")
    for label in ("🔄", "V1"):
        assert "can't use “kill”" in said(await easel.press(easel.ben, message, label))
    assert len(easel.generator.requests) == 1


async def test_the_list_shows_the_rules_and_who_changed_them(easel: World) -> None:
    await blocked(easel, "KILL*", "gore")
    assert "passes" in await easel.told(easel.admin, "admin words allow", word="kill bill")
    assert "gone" in await easel.told(easel.admin, "admin words remove", word="gore")
    page = await easel.told(easel.admin, "admin words list")
    assert "**Blocked**: \n`kill*`" in page
    assert "`kill bill`" in page
    assert "gore" not in page
    changes = await easel.told(easel.admin, "admin changes")
    assert f"<@{easel.admin.id}> · **word `gore`**: not set → block" in changes
    assert "**word `gore`**: block → not set" in changes
    assert "On its way" in await easel.imagine(easel.ben, "a Kill Bill poster")
    assert "can't use “killer”" in await easel.imagine(easel.ben, "a killer")


async def test_rules_to_remove_are_offered_to_admins_alone(easel: World) -> None:
    await blocked(easel, "kill", "gore")
    offered = await easel.admin.autocomplete(easel.channel, "admin words remove", "word", "GO")
    assert [(choice["name"], choice["value"]) for choice in offered] == [("block: gore", "gore")]
    (command,) = [one for one in await easel.client.tree.fetch_commands() if one.name == "admin"]
    easel.guild.set_command_permissions(command, {easel.guild.default_role: True})
    assert await easel.ben.autocomplete(easel.channel, "admin words remove", "word", "") == []


async def test_what_is_no_rule_is_said(easel: World) -> None:
    assert "needs a word" in await easel.told(easel.admin, "admin words block", word="**")
    assert "no such rule" in await easel.told(easel.admin, "admin words remove", word="kill")


async def test_a_server_has_so_many_rules_and_their_list_fits_into_a_message(easel: World) -> None:
    async with easel.services.database.transaction() as tx:
        for number in range(MAX_RULES):
            await set_word_rule(tx, easel.guild.id, WordRule(pattern=f"word {number}", kind=WordKind.BLOCK))
    assert "500 word rules" in await easel.told(easel.admin, "admin words block", word="one more")
    page = await easel.told(easel.admin, "admin words list")
    assert len(page) <= 2000
    assert "can't use “Word, 499”" in await easel.imagine(easel.ben, "Word, 499")


async def test_the_hosts_rules_hold_everywhere_and_no_server_lifts_them(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("# what I don't want\n\nkill*\n", encoding="utf-8")
    async with world(tmp_path, blocked_words=words, allowed_words=("kill bill",)) as easel:
        await easel.told(easel.admin, "admin words allow", word="killer")
        assert "can't use “killer”" in await easel.imagine(easel.ben, "a killer")
        assert "On its way" in await easel.imagine(easel.ben, "a kill bill poster")
        await blocked(easel, "kill bill")
        assert "can't use “kill bill”" in await easel.imagine(easel.ben, "a kill bill poster")


@pytest.mark.parametrize(("text", "words"), [("fox\n**\n", "Line 2 of"), (None, "can't be read")])
async def test_a_bad_list_of_words_stops_the_start(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "words.txt"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(StartupError, match=words):
        async with world(tmp_path, blocked_words=path):
            pass


async def test_any_text_can_be_tried_in_the_same_place(easel: World) -> None:
    await blocked(easel, "kill")
    who = easel.requester(easel.ben, interaction_id=None)
    policy = await policy_of(easel.services, who.guild_id, who.user_id)
    await easel.services.moderation.check(["a fox", "a skill"], who, policy)
    with pytest.raises(WordRefused, match="kill"):
        await easel.services.moderation.check(["a fox", "to kill"], who, policy)


async def refused(easel: World, times: int, *, seconds: float = 1) -> str:
    told = ""
    for _ in range(times):
        told = await easel.imagine(easel.ben, "kill")
        easel.clock.move(seconds=seconds)
    return told


async def test_repeated_refusals_lead_to_a_timeout_that_outlives_a_restart_and_ends(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("kill",), timeout_after=3) as easel:
        await easel.told(easel.admin, "admin appeal", text="Ask in #help.")
        assert "you can go on" not in await refused(easel, 2)
        told = await refused(easel, 1)
        until = int((easel.clock() + timedelta(minutes=10)).timestamp()) - 1
        assert told.startswith("Easel can't use “kill” here.")
        assert f"you can go on <t:{until}:R>. Ask in #help." in told
        await easel.restart()
        told = await easel.imagine(easel.ben, "a fox")
        assert f"you can go on <t:{until}:R>. Nothing was charged. Ask in #help." in told
        assert "On its way" in await easel.imagine(easel.cleo, "a fox")
        easel.clock.move(minutes=10)
        assert "On its way" in await easel.imagine(easel.ben, "a fox")
        assert "you can go on" not in await refused(easel, 2)


async def test_a_word_blocked_since_is_not_held_against_who_presses_a_button(tmp_path: Path) -> None:
    async with world(tmp_path, timeout_after=3) as easel:
        await easel.imagine(easel.ben, "kill a bird")
        message = easel.results()[0]
        await blocked(easel, "kill")
        for label in ("🔄", "V1", "🔄", "V2"):
            told = said(await easel.press(easel.cleo, message, label))
            assert "can't use “kill”" in told
            assert "you can go on" not in told
        assert "On its way" in await easel.imagine(easel.cleo, "a fox")
        await refused(easel, 2)
        assert "can't use “kill”" in said(await easel.press(easel.ben, message, "V3"))
        assert "On its way" in await easel.imagine(easel.ben, "a fox")


async def test_refusals_far_apart_lead_nowhere(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("kill",), timeout_after=3) as easel:
        assert "you can go on" not in await refused(easel, 9, seconds=301)


async def test_a_host_can_do_without_timeouts(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("kill",), timeout_after=0) as easel:
        assert "you can go on" not in await refused(easel, 9)


async def test_somebody_timed_out_may_still_delete_and_be_pardoned(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("kill",), timeout_after=1) as easel:
        await easel.imagine(easel.ben)
        message = easel.results()[0]
        await refused(easel, 1)
        assert "you can go on" in said(await easel.press(easel.ben, message, "🔄"))
        await easel.ben.react(message, "❌")
        await easel.rest()
        assert easel.messages() == []
        assert "can use Easel again" in await easel.told(easel.admin, "admin member pardon", who=easel.ben)
        assert "On its way" in await easel.imagine(easel.ben, "a fox")
        assert f"timeout of <@{easel.ben.id}>" in await easel.told(easel.admin, "admin changes")


async def test_an_event_that_comes_twice_is_refused_once(tmp_path: Path) -> None:
    async with world(tmp_path, blocked_words=("kill",), timeout_after=2) as easel:
        who = easel.requester(easel.ben, interaction_id=77)
        for _ in range(5):
            policy = await policy_of(easel.services, who.guild_id, who.user_id)
            with pytest.raises(WordRefused) as caught:
                await easel.services.moderation.check(["kill"], who, policy)
            assert caught.value.until is None
