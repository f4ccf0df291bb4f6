"""Limits what costs much and is no job: so many at once in the whole bot, fewer of one person's, on threads of their own.

The threads that write pictures are others, so that no export can hold up a result.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import ParamSpec, TypeVar

from bot.connection.waiting import Wait, plain_wait
from bot.errors import Busy

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Limiter:
    """At most `in_all` at once, and `per_person` of one person's. Whoever comes then waits `patience` seconds at most."""

    def __init__(
        self,
        name: str,
        *,
        in_all: int = 2,
        per_person: int = 1,
        patience: float = 2.0,
        wait: Wait = plain_wait,
    ) -> None:
        self._in_all, self._per_person, self._patience = in_all, per_person, patience
        self._wait = wait
        self._inside: Counter[int] = Counter()
        self._left = asyncio.Event()
        self._threads = ThreadPoolExecutor(in_all, thread_name_prefix=name)

    @asynccontextmanager
    async def place(self, user_id: int) -> AsyncIterator[None]:
        """Hold one of the places. Raises Busy where none becomes free in time."""
        if self._is_full(user_id):
            await self._wait(self._free(user_id), reason="a place within a limit")
        self._inside[user_id] += 1
        try:
            yield
        finally:
            self._inside[user_id] -= 1
            self._inside += Counter()  # drops people with nothing
            self._left.set()
            self._left = asyncio.Event()

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do what blocks, on a thread of this limit's own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Begin nothing more; what is being done ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _free(self, user_id: int) -> None:
        try:
            async with asyncio.timeout(self._patience):
                while self._is_full(user_id):
                    await self._left.wait()
        except TimeoutError:
            raise Busy(own=self._inside[user_id] >= self._per_person) from None

    def _is_full(self, user_id: int) -> bool:
        return self._inside.total() >= self._in_all or self._inside[user_id] >= self._per_person


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of the bot, one for each kind of work, so that none waits for another."""

    files: Limiter
    """Strangers' files, which processes read: two need a processor each."""
    exports: Limiter
    """Copies of all that is kept of a person: one sends up to 100 MB."""
    letters: Limiter
    """Pictures by direct message: people ask for several in a row, so they wait longer."""
    charts: Limiter
    """Charts for admins."""

    def close(self) -> None:
        """Begin nothing more."""
        for field in fields(self):
            getattr(self, field.name).close()


def limits(wait: Wait = plain_wait) -> Limits:
    """The limits that the bot runs with."""
    return Limits(
        files=Limiter("files", wait=wait),
        exports=Limiter("exports", wait=wait),
        letters=Limiter("letters", in_all=4, patience=30, wait=wait),
        charts=Limiter("charts", wait=wait),
    )
