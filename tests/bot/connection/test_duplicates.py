"""Discord may send an event again after a resume: it counts once, however close the second one comes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.client import EaselClient
from bot.connection.duplicates import RecentEvents
from tests.bot.features.moderation.test_report import reported
from tests.bot.features.privacy.people import press
from tests.bot.features.test_actions import grid
from tests.world import World, said

EVENTS = ("INTERACTION_CREATE", "MESSAGE_REACTION_ADD")
WAYS = ("at once", "later")
"""When the second event comes: while the first is answered, or after that."""


class Again:
    """Events that Discord sends twice."""

    def __init__(self, easel: World, way: str) -> None:
        self._easel, self._way = easel, way
        self._emit = easel.env.backend.emit
        self._kept: list[tuple[str, Any]] = []

    def emit(self, event: str, payload: Any) -> None:
        """Pass an event on, twice if it is one that a person causes."""
        self._emit(event, payload)
        if event in EVENTS and self._way == "at once":
            self._emit(event, payload)
        elif event in EVENTS:
            self._kept.append((event, payload))

    async def resume(self) -> None:
        """The connection broke, and is taken up again: send again what was to come later."""
        await self._easel.client.on_disconnect()
        for event, payload in self._kept:
            self._emit(event, payload)
        self._kept.clear()
        await self._easel.rest()


@contextmanager
def twice(easel: World, way: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Again]:
    again = Again(easel, way)
    with monkeypatch.context() as patch:
        patch.setattr(easel.env.backend, "emit", again.emit)
        yield again


def answers(easel: World) -> list[str]:
    """The interactions that the bot acknowledged or answered, in order."""
    paths = [entry.path for entry in easel.env.http_requests]
    return [path for path in paths if re.fullmatch(r"/interactions/[^/]+/[^/]+/callback", path)]


async def answered_once(easel: World, monkeypatch: pytest.MonkeyPatch, what: str, act: Any) -> None:
    for way in WAYS:
        before = len(answers(easel))
        with twice(easel, way, monkeypatch) as again:
            await act()
            await again.resume()
        assert len(answers(easel)) == before + 1, f"{what}, {way}"
    easel.no_surprises()


# ------------------------------------------------------------------------------------------------ what comes of them


@pytest.mark.parametrize("way", WAYS)
async def test_u_posts_one_picture(easel: World, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    message = await grid(easel)
    with twice(easel, way, monkeypatch) as again:
        result = await easel.press(easel.cleo, message, "U3")
        await again.resume()
    assert result.followups == []
    assert ["Image" in one.content for one in easel.messages()] == [False, True]


@pytest.mark.parametrize("way", WAYS)
async def test_a_grant_is_booked_once(easel: World, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    with twice(easel, way, monkeypatch) as again:
        result = await easel.admin.slash(easel.channel, "quota grant", credits=10, who=easel.ben)
        await again.resume()
    assert result.followups == []
    assert "10 credits of bonus" in await easel.told(easel.ben, "info")


@pytest.mark.parametrize("way", WAYS)
async def test_an_order_is_drawn_and_told_once(easel: World, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    with twice(easel, way, monkeypatch) as again:
        result = await easel.ben.slash(easel.channel, "imagine", prompt="a fox")
        await easel.press(easel.ben, easel.results()[0], "V2")
        await again.resume()
    assert result.followups == []
    assert len(easel.generator.requests) == 2


@pytest.mark.parametrize("way", WAYS)
async def test_deleting_ones_data_is_told_once(easel: World, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    await grid(easel)
    with twice(easel, way, monkeypatch) as again:
        question = await easel.ben.slash(easel.channel, "privacy delete")
        result = await press(easel.ben, question, "Delete")
        await again.resume()
    assert question.followups == []
    assert len(result.followups) == 1
    assert "nothing of you is left" in said(result)


@pytest.mark.parametrize("way", WAYS)
async def test_moderators_decide_once(easel: World, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    moderators, mo = await reported(easel)
    with twice(easel, way, monkeypatch) as again:
        result = await easel.press(mo, moderators.history()[0], "Remove picture")
        await again.resume()
    assert result.followups == []
    assert "**Removed** by" in moderators.history()[0].content


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("removed", [False, True])
async def test_a_reaction_counts_once(easel: World, monkeypatch: pytest.MonkeyPatch, way: str, removed: bool) -> None:
    message = await grid(easel)
    with twice(easel, way, monkeypatch) as again:
        await easel.cleo.react(message, "2️⃣")
        if removed:
            await easel.cleo.unreact(message, "2️⃣")
        await again.resume()
    await easel.rest()
    assert len(easel.messages()) == 2


async def test_a_reaction_taken_away_and_put_there_again_counts_anew(easel: World) -> None:
    message = await grid(easel)
    for number in (1, 2):
        await easel.cleo.react(message, "1️⃣")
        await easel.rest()
        await easel.cleo.unreact(message, "1️⃣")
        assert len(easel.messages()) == 1 + number


async def test_after_a_break_of_the_connection_it_counts_anew_after_a_minute(easel: World) -> None:
    now = [0.0]
    easel.client.reactions = RecentEvents(span=60, seconds=lambda: now[-1])
    message = await grid(easel)
    for moment, posted in ((0.0, 1), (59.0, 1), (61.0, 2)):
        now.append(moment)
        await easel.cleo.react(message, "1️⃣")
        await easel.rest()
        await easel.cleo.unreact(message, "1️⃣")
        await easel.client.on_disconnect()
        assert len(easel.messages()) == 1 + posted


async def test_the_same_reaction_of_others_or_elsewhere_counts(easel: World) -> None:
    message, other = await grid(easel), await grid(easel)
    for who, where, emoji in (
        (easel.cleo, message, "1️⃣"),
        (easel.ben, message, "1️⃣"),
        (easel.cleo, other, "1️⃣"),
        (easel.cleo, message, "2️⃣"),
    ):
        await who.react(where, emoji)
    await easel.rest()
    assert len(easel.messages()) == 6


def test_as_many_events_are_remembered_and_no_more() -> None:
    events = RecentEvents(most=3)
    assert all(events.is_new(key) for key in (1, 2, 3, 4))
    assert not any(events.is_new(key) for key in (2, 3, 4))
    assert events.is_new(1)


# ------------------------------------------------------------------------------------------------- every way to cause one


def sample(easel: World, parameter: app_commands.Parameter) -> Any:
    """Something that fits into an option of a command."""
    if parameter.choices:
        return parameter.choices[0].value
    match parameter.type:
        case discord.AppCommandOptionType.integer | discord.AppCommandOptionType.number:
            return parameter.min_value or 1
        case discord.AppCommandOptionType.boolean:
            return True
        case discord.AppCommandOptionType.channel:
            return easel.channel
        case discord.AppCommandOptionType.role:
            return easel.vip
        case discord.AppCommandOptionType.user | discord.AppCommandOptionType.mentionable:
            return easel.ben
        case discord.AppCommandOptionType.attachment:
            return ("quotas.csv", b"who,credits\n")
    return "vary" if parameter.name == "action" else "a fox"


async def test_every_command_is_answered_once(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [one for one in easel.client.tree.walk_commands() if isinstance(one, app_commands.Command)]
    assert len(commands) > 40
    for command in commands:
        name = command.qualified_name
        options = {one.name: sample(easel, one) for one in command.parameters if one.required}
        act = partial(easel.admin.slash, easel.channel, name, **options)
        await answered_once(easel, monkeypatch, name, act)


async def test_every_menu_is_answered_once(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message = await grid(easel)
    menus = list(easel.client.tree.walk_commands(type=discord.AppCommandType.message))
    assert menus
    for menu in menus:
        act = partial(easel.admin.context_menu, easel.channel, menu.name, message)
        await answered_once(easel, monkeypatch, menu.name, act)


@pytest.mark.parametrize("way", WAYS)
async def test_a_command_of_an_earlier_version_is_refused_once(
    easel: World, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    easel.client.tree.remove_command("info")
    with twice(easel, way, monkeypatch) as again:
        result = await easel.ben.slash(easel.channel, "info")
        await again.resume()
    easel.forgive()
    assert "has just changed" in said(result)
    assert result.followups == []


OTHER_BUTTONS = (
    "easel-privacy:keep",
    "easel-privacy:delete",
    "easel-privacy:delete_posts",
    "easel-leftover:keep:1:2",
    "easel-leftover:remove:1:2",
    "easel-report:1:2:3",
    "prompt:a boat --seed 7",
)


def test_there_are_no_other_buttons() -> None:
    items = [item for one in EaselClient().features for item in one.items]
    assert items
    for item in items:
        assert any(item.__discord_ui_compiled_template__.fullmatch(one) for one in OTHER_BUTTONS)


async def test_every_button_is_answered_once(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for verb in [*(verb.name for verb in easel.client.buttons), "retired"]:
        message = await grid(easel)
        job_id = message.components[0].children[0].custom_id.split(":")[2]  # type: ignore[union-attr]
        await pressed_once(easel, monkeypatch, message, f"easel:{verb}:{job_id}:1")
    for custom_id in OTHER_BUTTONS:
        await pressed_once(easel, monkeypatch, await grid(easel), custom_id)


async def pressed_once(easel: World, monkeypatch: pytest.MonkeyPatch, message: discord.Message, custom_id: str) -> None:
    async def act() -> None:
        stored = easel.env.backend.get_message(message.channel.id, message.id)
        button = {"type": 2, "style": 2, "label": "x", "custom_id": custom_id}
        stored.components = [{"type": 1, "components": [button]}]
        await easel.cleo.click(message, custom_id=custom_id)

    await answered_once(easel, monkeypatch, custom_id, act)
