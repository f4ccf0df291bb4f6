"""A world whose check finds pictures unsafe, and what tests look for in it."""

from __future__ import annotations

import io
from typing import Any

import discord
from PIL import Image

from generation.contract import ModelState, ModelStatus
from tests.bot.features.moderation.test_report import desk
from tests.bot.pictures.test_age_restriction import restrict
from tests.fakes import FakeGenerator
from tests.world import World

CLASSIFIER = {"safety_model": "Falconsai/nsfw_image_detection"}


def finding(*unsafe: int, paused: bool = False) -> FakeGenerator:
    generator = FakeGenerator(paused=paused)
    generator.unsafe = frozenset(unsafe)
    generator.check = ModelStatus(state=ModelState.WARM)
    return generator


async def adults_desk(easel: World) -> Any:
    """An age-restricted moderators' channel."""
    channel = await desk(easel)
    restrict(easel, channel)
    return channel


async def result(easel: World, prompt: str = "a fox --seed 7") -> discord.Message:
    await easel.imagine(easel.ben, prompt)
    return easel.results()[-1]


async def left(easel: World) -> str:
    return (await easel.told(easel.ben, "info")).split("**")[1]


def files(easel: World) -> list[str]:
    return sorted(file.name for file in (easel.services.database.folder / "images").rglob("*.*"))


def cells(data: bytes) -> list[tuple[int, ...]]:
    """The colour in a corner of each of a grid's four pictures."""
    grid = Image.open(io.BytesIO(data)).convert("RGB")
    half_x, half_y = grid.width // 2, grid.height // 2
    return [grid.getpixel((x + 2, y + 2)) for y in (0, half_y) for x in (0, half_x)]  # type: ignore[misc]


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < 25


def disabled(message: discord.Message) -> list[str]:
    buttons = [button for row in message.components for button in row.children]  # type: ignore[union-attr]
    return [button.label for button in buttons if button.disabled and button.label]
