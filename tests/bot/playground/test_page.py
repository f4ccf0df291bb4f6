"""The README's promise in a real browser: the real bot, the real worker and the built-in model."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.bot.playground.driver import PlaygroundPage, find_chromium, open_page

PATIENCE = 90
"""Seconds for a picture on a busy machine, loading included."""

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="no Chromium on this machine")


@asynccontextmanager
async def bot(data: Path) -> AsyncIterator[tuple[Process, str]]:
    """`python -m bot run` without a token, and the address that it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "EASEL_"))}
    environment |= {"EASEL_DATA": str(data), "EASEL_PLAYGROUND_PORT": "0", "EASEL_DAILY_CREDITS": "9"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", stdout=PIPE, env=environment, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    try:
        address = None
        while address is None:
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
            assert line, "the bot ended before it said where the page is"
            address = re.search(r"http://\S+", line.decode())
        yield process, address[0]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


async def test_a_newcomer_sees_all_of_it_work(tmp_path: Path) -> None:
    async with bot(tmp_path) as (process, url), open_page(url) as page:
        page.page.set_default_timeout(PATIENCE * 1000)
        await page.view_as("Ben")
        await page.slash("imagine", prompt="a red circle on a blue background --seed 7 --steps 8")
        grid = await page.wait_for_message(re.compile(r"@Ben\s*seed"), image=True, timeout=PATIENCE)
        (picture,) = await pictures(page)
        assert picture.size == (512, 512)

        await page.click_button("U3", grid)
        single = await page.wait_for_message("Image #3", image=True, timeout=PATIENCE)
        assert await single.locator("img.attachment-image").get_attribute("alt")

        (file,) = await page.pictures(single)
        (tmp_path / "single.png").write_bytes(file)
        await page.slash("describe", image=tmp_path / "single.png")
        told = await page.wait_for_message("The file says that AI made it.", timeout=PATIENCE)
        words = await told.inner_text()
        assert "Only you can see this" in words
        assert "/imagine prompt: a red circle on a blue background --ar 1:1 --seed 9 --steps 8" in words
        (tmp_path / "notes.txt").write_text("no picture")
        await page.slash("describe", image=tmp_path / "notes.txt")
        await page.wait_for_message("Send a PNG, JPEG or WebP picture.")

        await page.click_button("V2", grid)
        finished = re.compile(r"Variations of #2.*seed", re.DOTALL)
        varied = await page.wait_for_message(finished, image=True, timeout=PATIENCE)

        await page.slash("imagine", prompt="a boat")
        await page.wait_for_message("you have 1 left (a day brings 9)")

        await page.view_as("Ada")
        await page.slash("quota grant", credits=20)
        await page.wait_for_message("20 credits of bonus given to everyone")
        await page.view_as("Ben")
        await page.slash("info")
        await page.wait_for_message("20 credits of bonus")

        await page.react("❌", varied)
        await varied.wait_for(state="detached")
        assert page.errors == []
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def pictures(page: PlaygroundPage) -> list[Image.Image]:
    return [Image.open(io.BytesIO(data)) for data in await page.pictures()]
