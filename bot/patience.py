"""Asks Discord again when it stumbles, and tells that from a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import discord
import structlog

from bot.progress import Unreachable

LONGEST_PAUSE = 60.0
"""Seconds; pauses begin at one and double."""

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Undeliverable(Exception):
    """Discord will not take the message in that channel, however often it is sent."""


async def persistently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """What Discord answers, asked as often as it takes. Raises Undeliverable when it refuses for good."""
    pause = 1.0
    while True:
        try:
            return await ask()
        except Unreachable as error:
            if verdict(error) != "again":
                raise Undeliverable(str(error)) from error
            _log.info("Discord did not answer; asking again", error=str(error), pause=pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def verdict(error: BaseException) -> Literal["again", "too large", "no"]:
    """What a failed request calls for."""
    if not isinstance(error, discord.HTTPException):
        return "again"
    if error.status == 413 or error.code == 40005:
        return "too large"
    return "again" if error.status >= 500 or error.status == 429 else "no"
