"""How the bot waits for what may take long: the one place where a simulator can tell such waits from stuck ones."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeVar

_T = TypeVar("_T")

DATABASE_PAUSE = 5.0
"""Seconds until the database is tried again after it failed, say on a full disk."""


class Wait(Protocol):
    """Awaits something that may take long."""

    async def __call__(self, awaitable: Awaitable[_T], *, reason: str) -> _T: ...


async def plain_wait(awaitable: Awaitable[_T], *, reason: str) -> _T:  # noqa: ARG001 - part of the protocol
    """The `Wait` of production."""
    return await awaitable
