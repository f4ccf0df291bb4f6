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
from playwright.async_api import expect

from tests.bot.playground.driver import PlaygroundPage, find_chromium, open_page
from tests.generation.test_nearest import PLAIN, detail

PATIENCE = 90
"""Seconds for a picture on a busy machine, loading included."""

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="no Chromium on this machine")


@asynccontextmanager
async def bot(data: Path, *, daily: int = 9) -> AsyncIterator[tuple[Process, str]]:
    """`python -m bot run` without a token, and the address that it prints. Everybody has `daily` credits."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "EASEL_"))}
    environment |= {"EASEL_DATA": str(data), "EASEL_PLAYGROUND_PORT": "0", "EASEL_DAILY_CREDITS": str(daily)}
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


async def test_the_first_minute_takes_two_clicks_and_no_typing(tmp_path: Path) -> None:
    async with bot(tmp_path) as (_, url):
        async with open_page(url) as page:
            page.page.set_default_timeout(PATIENCE * 1000)
            assert await page.page.title() == "Easel"
            assert await page.page.locator("#viewer-picker option:checked").inner_text() == "Ben · member"
            assert (await page.commands())[0] == "imagine"
            assert not [name for name in await page.commands() if name.startswith(("admin", "quota"))]

            welcome = await page.wait_for_message("Easel draws pictures from words")
            prompts = await welcome.locator("button.component-button").all_inner_texts()
            assert len(prompts) == 3
            await page.click_button(prompts[0], welcome)
            grid = await page.wait_for_message(re.compile(r"@Ben\s*seed"), image=True, timeout=PATIENCE)
            (picture,) = await pictures(page)
            assert picture.size == (512, 512)
            assert detail(picture) > 2 * PLAIN
            await expect(page.messages).to_have_count(2)

            await page.click_button("U1", grid)
            await page.wait_for_message("Image #1", image=True, timeout=PATIENCE)
            assert page.errors == []
        async with open_page(url, width=400) as page:
            await page.wait_for_message("Image #1", image=True)
            assert await page.page.evaluate("document.documentElement.scrollWidth") <= 400
            assert await page.page.evaluate(ROWS_THAT_BREAK) == []
            await page.go_to("studio")
            assert page.errors == []


ROWS_THAT_BREAK = """
() => [...document.querySelectorAll("#channel-message-list .component-row")].filter(row => {
    const tops = [...row.children].map(button => Math.round(button.getBoundingClientRect().top));
    const inLine = tops.map(top => tops.filter(other => other === top).length);
    return Math.max(...inLine) > 1 && Math.min(...inLine) === 1;
}).map(row => row.textContent)
"""
"""Rows of buttons of which one stands in a line alone, and others don't."""


async def test_a_prompt_that_it_can_not_draw_is_met_with_buttons(tmp_path: Path) -> None:
    async with bot(tmp_path) as (_, url), open_page(url) as page:
        await page.slash("imagine", prompt="ein Fuchs im Wald --steps 4")
        refused = await page.wait_for_message("Nothing was charged")
        assert "Only you can see this" in await refused.inner_text()
        await page.click_button("a dog in a forest", refused)
        await page.wait_for_message(re.compile(r"a dog in a forest - @Ben\s*seed"), image=True, timeout=PATIENCE)
        assert page.errors == []


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
