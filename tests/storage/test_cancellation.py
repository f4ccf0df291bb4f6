"""Tasks that are cancelled at any await leave all of a transaction or nothing, and never an open one."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database, Transaction
from storage.errors import DatabaseFailed


async def read(database: Database, key: str) -> str | None:
    async with database.reading() as tx:
        return await tx.get_value(key)


class CancelledAt:
    """Awaits a coroutine and has the running task cancelled at chosen suspensions, counted from 0."""

    def __init__(self, work: Coroutine[Any, Any, None], chosen: Callable[[int], bool]) -> None:
        self._work, self._chosen = work, chosen
        self.suspensions = 0

    def __await__(self) -> Generator[Any, Any, None]:
        task = asyncio.current_task()
        assert task is not None
        step: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                waiting = step()
            except StopIteration:
                return
            if self._chosen(self.suspensions):
                task.cancel()
            self.suspensions += 1
            try:
                yield waiting
                step = partial(self._work.send, None)
            except BaseException as error:
                step = partial(self._work.throw, error)


async def cancelled_at(make: Callable[[], Coroutine[Any, Any, None]], chosen: Callable[[int], bool]) -> int:
    """Run it so; how many suspensions there were."""
    awaitable = CancelledAt(make(), chosen)

    async def body() -> None:
        await awaitable

    task = asyncio.create_task(body())
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()
    return awaitable.suspensions


async def everywhere(make: Callable[[], Coroutine[Any, Any, None]], check: Callable[[], Awaitable[None]]) -> None:
    """Cancel at each suspension of its own, then at each and all that follow, and check after each."""
    count = await cancelled_at(make, lambda _: False)
    assert count >= 3
    for first in range(count):
        await cancelled_at(make, partial(operator.eq, first))
        await check()
        await cancelled_at(make, partial(operator.le, first))
        await check()


async def test_a_cancellation_at_any_await_leaves_all_or_nothing(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as tx:
            count = int(await tx.get_value("one") or 0)
            await tx.put_value("one", str(count + 1))
            await asyncio.sleep(0)
            await tx.put_value("two", str(count + 1))

    async def check() -> None:
        async with database.transaction() as tx:
            assert await tx.get_value("one") == await tx.get_value("two")
        await write()

    await everywhere(write, check)


async def test_a_cancellation_at_any_await_of_a_failing_transaction_undoes_it(database: Database) -> None:
    async def write() -> None:
        try:
            async with database.transaction() as tx:
                await tx.put_value("one", "1")
                await asyncio.sleep(0)
                raise LookupError
        except LookupError:
            pass

    async def check() -> None:
        assert await read(database, "one") is None

    await everywhere(write, check)


async def test_a_cancellation_at_any_await_of_opening_and_closing_frees_the_folder(tmp_path: Path) -> None:
    async def open_and_close() -> None:
        database = await Database.open(tmp_path)
        try:
            async with database.transaction() as tx:
                await tx.put_value("key", "value")
        finally:
            await database.close()

    async def check() -> None:
        database = await Database.open(tmp_path)
        await database.close()

    await everywhere(open_and_close, check)


async def test_a_block_that_swallows_a_cancelled_statement_is_not_committed(database: Database) -> None:
    async def give_up(tx: Transaction) -> None:
        async with asyncio.timeout(0):
            await tx.put_value("key", "value")

    async def write() -> None:
        async with database.transaction() as tx:
            with pytest.raises(TimeoutError):
                await give_up(tx)

    with pytest.raises(DatabaseFailed, match="cancelled"):
        await write()
    assert await read(database, "key") is None


async def test_a_cancelled_wait_for_the_turn_leaves_the_holder_alone(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as tx:
            await tx.put_value("waiting", "never")

    async with database.transaction() as tx:
        await tx.put_value("holder", "done")
        waiting = asyncio.create_task(write())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
    assert await read(database, "holder") == "done"
    assert await read(database, "waiting") is None
