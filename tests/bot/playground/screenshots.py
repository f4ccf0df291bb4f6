"""Takes the pictures of the first minute for the README: `python -m tests.bot.playground.screenshots`. Says how long it took."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from tests.bot.playground.driver import PlaygroundPage, open_page
from tests.bot.playground.test_page import bot

DOCS = Path(__file__).parents[3] / "docs"
WIDTHS = {1100: "playground.png", 400: "playground-narrow.png"}


async def main() -> None:
    """Start the playground, press the first prompt, and take its grid at each width."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as data:
        async with bot(Path(data), daily=40) as (_, url):
            async with open_page(url) as page:
                welcome = await page.wait_for_message("Easel draws pictures from words")
                await page.click_button(await welcome.locator("button.component-button").first.inner_text(), welcome)
                await page.wait_for_message("U1", image=True)
                print(f"{time.monotonic() - began:.0f} s from the start to the first grid")
            for width, name in WIDTHS.items():
                async with open_page(url, width=width, height=960) as page:
                    await settled(page)
                    await page.screenshot(DOCS / name)


async def settled(page: PlaygroundPage) -> None:
    """Wait for the pictures, and take the pointer away."""
    await page.wait_for_message("U1", image=True)
    await page.page.mouse.move(0, 0)
    await page.ready()


if __name__ == "__main__":
    asyncio.run(main())
