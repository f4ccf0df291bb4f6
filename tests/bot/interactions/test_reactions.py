"""Reactions under messages that are none of ours: they are nobody's use of the bot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import discord
import pytest

from storage.database import Database
from tests.bot.features.privacy.people import delete
from tests.bot.features.test_actions import grid
from tests.world import World


@contextmanager
def authors_told(easel: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Discord says with a reaction who wrote the message, which the simulation leaves out."""
    backend = easel.env.backend
    emit = backend.emit

    def told(event: str, payload: Any) -> None:
        if event == "MESSAGE_REACTION_ADD":
            message = backend.get_message(int(payload["channel_id"]), int(payload["message_id"]))
            payload = payload | {"message_author_id": str(message.author_id)}
        emit(event, payload)

    with monkeypatch.context() as patch:
        patch.setattr(backend, "emit", told)
        yield


async def react(easel: World, message: discord.Message, emoji: str) -> None:
    await easel.ben.react(message, emoji)
    await easel.rest()


async def erased(easel: World) -> bool:
    """Whether something is still held against somebody who deleted their data."""
    async with easel.services.database.reading() as tx:
        return await tx.fetch_one("SELECT 1 FROM veiled") is not None


async def ben_erased(easel: World) -> None:
    await grid(easel)
    await delete(easel, easel.ben)
    assert await erased(easel)


@pytest.mark.parametrize("emoji", ["🔄", "🚩", "❌"])
async def test_a_reaction_under_a_strangers_message_costs_nothing(
    easel: World, monkeypatch: pytest.MonkeyPatch, emoji: str
) -> None:
    await ben_erased(easel)
    plain = await easel.cleo.send(easel.channel, "hello")
    looks: list[str] = []

    def watched(name: str) -> None:
        real = getattr(Database, name)

        def watch(self: Database) -> Any:
            looks.append(name)
            return real(self)

        monkeypatch.setattr(Database, name, watch)

    for name in ("transaction", "reading"):
        watched(name)
    requests = len(easel.env.http_requests)
    with authors_told(easel, monkeypatch):
        await react(easel, plain, emoji)
    assert looks == []
    assert len(easel.env.http_requests) == requests
    assert await erased(easel)
    assert looks  # so that what looks into the database is seen at all


@pytest.mark.parametrize("emoji", ["🔄", "🚩", "❌"])
@pytest.mark.parametrize("ours", [False, True])
async def test_an_erased_person_stays_erased_by_a_reaction_that_is_no_use_of_the_bot(
    easel: World, emoji: str, ours: bool
) -> None:
    await ben_erased(easel)
    message = await easel.cleo.send(easel.channel, "hello")
    if ours:
        await easel.told(easel.admin, "admin log", channel=easel.channel)
        message = easel.messages()[-1]
    await react(easel, message, emoji)
    assert await erased(easel)


async def test_a_reaction_under_a_picture_is_a_use_of_the_bot(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await ben_erased(easel)
    await easel.imagine(easel.cleo)
    with authors_told(easel, monkeypatch):
        await react(easel, easel.results()[-1], "1️⃣")
    assert not await erased(easel)
    assert "Image" in easel.messages()[-1].content


async def test_who_looks_for_options_stays_erased(easel: World) -> None:
    await ben_erased(easel)
    await easel.ben.autocomplete(easel.channel, "imagine", "model", "")
    await easel.ben.autocomplete(easel.channel, "cancel", "job", "")
    assert await erased(easel)
