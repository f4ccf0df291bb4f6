"""How large a picture may be in Discord, and what becomes of one that is larger."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PIL import Image

from bot.pictures.files import UPLOAD_LIMIT, upload_limit
from tests.fakes import FakeGenerator, finished
from tests.world import World

MIB = 2**20


def noise(kind: str) -> bytes:
    """A picture that hardly gets smaller without losing anything."""
    out = io.BytesIO()
    Image.frombytes("RGB", (600, 600), os.urandom(600 * 600 * 3)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("boosted", "told", "limit"),
    [
        (10 * MIB, None, 20 * MIB),
        (50 * MIB, None, 50 * MIB),
        (50 * MIB, 8 * MIB, 8 * MIB),
        (0, 25 * MIB, 25 * MIB),
    ],
)
def test_what_discord_said_counts_first(boosted: int, told: int | None, limit: int) -> None:
    channel = SimpleNamespace(guild=SimpleNamespace(filesize_limit=boosted))
    assert upload_limit(channel, told) == limit
    assert upload_limit(SimpleNamespace(), None) == UPLOAD_LIMIT == 20 * MIB


async def large(easel: World, generator: FakeGenerator) -> int:
    """Draw noise; the size of the grid's file."""
    await easel.restart(generator)
    await easel.imagine(easel.ben, "a fox --count 1")
    grid = noise("JPEG")
    result = replace(finished(generator.requests[generator.last]), images=(noise("PNG"),), grid=grid)
    generator.send(generator.last, result)
    return len(grid)


async def test_a_grid_is_halved_until_discord_takes_it(easel: World) -> None:
    generator = FakeGenerator(paused=True)
    easel.env.inject_error("POST", "/channels/*/messages", status=403, times=1)  # no progress message
    whole = await large(easel, generator)
    easel.env.inject_error("POST", "/channels/*/messages", status=413, times=2)
    await easel.rest()
    await easel.env.advance_time(1)
    (message,) = easel.results()
    assert message.attachments[0].size <= whole // 4


async def test_letters_are_halved_too(easel: World) -> None:
    generator = FakeGenerator(paused=True)
    await large(easel, generator)
    await easel.rest()
    (message,) = easel.results()
    easel.env.inject_error("POST", "/channels/*/messages", status=413, times=3)
    await easel.ben.react(message, "✉️")
    (letter,) = easel.ben.user.dm_channel.history()
    assert letter.attachments[0].filename.endswith(".jpg")
    assert letter.attachments[0].size <= len(noise("PNG")) // 8
