"""A full disk: members hear whose it is, and the host hears of it once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import pytest
from structlog.testing import capture_logs

from bot.delivery.host_notices import HostNotices
from storage.database import Database
from storage.errors import DatabaseFailed
from storage.files import disk
from tests.fakes import FakeGenerator
from tests.world import world

LONG = "x" * 100_000


@asynccontextmanager
async def no_room(database: Database) -> AsyncIterator[None]:
    """Let SQLite meet a full disk: it says so of a file that may not grow, too."""
    connection = database._connection
    async with connection.cursor() as cursor:
        await cursor.execute("VACUUM")  # free pages would be room
        pages = await (await cursor.execute("PRAGMA page_count")).fetchone()
        await cursor.execute(f"PRAGMA max_page_count = {pages[0]}")
    yield
    async with connection.cursor() as cursor:
        await cursor.execute("PRAGMA max_page_count = 1000000")


async def test_a_database_without_room_is_a_full_disk(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    try:
        async with no_room(database):
            with pytest.raises(DatabaseFailed) as failed:
                async with database.transaction() as tx:
                    await tx.put_value("key", LONG)
        assert disk.is_full(failed.value)
        with pytest.raises(DatabaseFailed) as failed:
            async with database.transaction() as tx:
                await tx.execute("SELECT nothing FROM nowhere")
        assert not disk.is_full(failed.value)
    finally:
        await database.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a device that is always full")
def test_a_file_without_room_is_a_full_disk() -> None:
    with pytest.raises(OSError, match="space") as failed, Path("/dev/full").open("wb") as full:
        full.write(b"a picture")
    assert disk.is_full(failed.value)
    assert not disk.is_full(PermissionError(13, "no"))


async def test_members_hear_that_the_hosts_disk_is_full_and_the_host_hears_it_once(tmp_path: Path) -> None:
    async with world(tmp_path, generator=FakeGenerator(paused=True)) as easel:
        application: Any = easel.client.application
        application.owner = discord.Object(easel.admin.id, type=discord.User)
        with capture_logs() as lines:
            async with no_room(easel.services.database):
                told = [await easel.imagine(easel.ben, "a fox " * 240) for _ in range(6)]
            refused = [words for words in told if "disk of this bot's host is full" in words]
            assert len(refused) >= 2
            assert "Nothing was charged" in refused[0]
            easel.forgive()
        said = [line for line in lines if line["event"].startswith("the disk is full")]
        assert [line["log_level"] for line in said] == ["error"]
        assert str(tmp_path) in said[0]["advice"]
        (letter,) = easel.admin.user.dm_channel.history()
        assert "no new pictures can be kept until you make room" in letter.content
        assert "On its way" in await easel.imagine(easel.ben)


async def test_the_host_is_told_again_only_after_it_worked_and_by_letter_once_a_day(tmp_path: Path) -> None:
    sent: list[str] = []
    ticks = [0.0]

    async def tell(words: str) -> None:
        sent.append(words)

    notices = HostNotices(tell, monotonic=lambda: ticks[0])
    with capture_logs() as lines:
        for _ in range(2):
            for _ in range(3):
                notices.disk_full(tmp_path)
                await asyncio.sleep(0)
            notices.disk_works()
            notices.disk_works()
    assert [line["log_level"] for line in lines] == ["error", "info"] * 2
    assert len(sent) == 1
    ticks[0] = 86_400.0
    notices.disk_full(tmp_path)
    await asyncio.sleep(0)
    assert len(sent) == 2
