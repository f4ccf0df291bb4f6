"""Says what a failed request to Discord calls for, and asks again: the one place that decides what is asked again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Literal, TypeVar

import aiohttp
import discord
import structlog

Unreachable = (discord.HTTPException, aiohttp.ClientError, ConnectionError, TimeoutError)
"""What a request to Discord can fail with that is not our bug. Errors of files are not among them."""

LONGEST_PAUSE = 60.0
"""Seconds; pauses begin at one and double."""

WHILE_ONE_WAITS = (5.0, 15.0, 40.0)
"""Seconds between tries while somebody waits. `transport` asks several times in each try."""

TOO_MANY = 429
"""Ours or, from Cloudflare, the whole address's: discord.py gives the latter up at once."""
_PASSING = frozenset({TOO_MANY, 500, 501, 502, 503, 504, 520, 521, 522, 523, 524})
_UNAUTHORIZED = 401
_UNKNOWN_TOKEN = 50027
"""An interaction's token ended. It comes with 401, too, and says nothing of the bot's token."""

_once: ContextVar[bool] = ContextVar("asked once", default=False)

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Undeliverable(Exception):
    """Discord will not take the message in that channel, however often it is sent."""


class OddAnswer(aiohttp.ClientError):
    """Discord, or something on the way, answered with success and no JSON: the request may have taken effect."""


def verdict(error: BaseException) -> Literal["again", "too large", "no"]:
    """What a failed request calls for. Lost answers call for another try, which may find the first one's effect.

    So does a bot token that is no longer accepted: nothing is refused for good, and the bot is about to end.
    """
    if not isinstance(error, discord.HTTPException):
        return "again"
    if error.status == 413 or error.code == 40005:
        return "too large"
    return "again" if error.status in _PASSING or token_refused(error) else "no"


def token_refused(error: BaseException) -> bool:
    """Whether Discord no longer accepts the bot's own token."""
    return isinstance(error, discord.HTTPException) and error.status == _UNAUTHORIZED and error.code != _UNKNOWN_TOKEN


def pauses(first: float = 1.0, longest: float = LONGEST_PAUSE) -> Iterator[float]:
    """Seconds before each further try, doubled each time, without end."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 2, longest)


@contextlib.contextmanager
def asked_once() -> Iterator[None]:
    """Inside, a request is not asked again by itself: the caller has something to look at before each try."""
    token = _once.set(True)
    try:
        yield
    finally:
        _once.reset(token)


def is_asked_once() -> bool:
    """Whether the caller asks again by itself."""
    return _once.get()


async def insist(
    ask: Callable[[], Awaitable[_T]],
    *,
    between: Iterable[float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> _T:
    """What Discord answers, asked again after each pause of `between`.

    Raises what `Unreachable` names: a refusal at once, of the bot's token too, a passing failure when the pauses are used
    up.
    """
    for pause in between:
        try:
            return await ask()
        except Unreachable as error:
            if verdict(error) != "again" or token_refused(error):
                raise
            _log.warning("Discord did not answer; asking again", error=str(error), pause=pause)
            await sleep(max(pause, asked_to_wait(error)))
    return await ask()


async def patiently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """What Discord answers, asked for as long as a person may wait. Raises what `Unreachable` names."""
    return await insist(ask, between=WHILE_ONE_WAITS)


async def persistently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """What Discord answers, asked as often as it takes. Raises Undeliverable when it refuses for good."""
    for pause in pauses():
        try:
            return await ask()
        except Unreachable as error:
            if verdict(error) != "again":
                raise Undeliverable(str(error)) from error
            _log.warning("Discord did not answer; asking again", error=str(error), pause=pause)
            await asyncio.sleep(max(pause, asked_to_wait(error)))
    raise AssertionError("pauses have no end")


def asked_to_wait(error: BaseException) -> float:
    """The seconds that Discord or Cloudflare asked to wait, at most LONGEST_PAUSE; 0 if it said nothing."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    with contextlib.suppress(ValueError):
        return min(max(float(headers.get("Retry-After", 0)), 0.0), LONGEST_PAUSE)
    return 0.0
