"""A page object for the playground in a real browser: what a person would do, by the names that a person would use.

async with open_page(url) as page:
    await page.view_as("Ben")
    await page.slash("imagine", prompt="a fox")
    message = await page.wait_for_message(text="a fox", image=True)
    await page.click_button("U1", message)
"""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Locator, Page, async_playwright, expect

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """The path of a Chromium: `EASEL_CHROMIUM` when it is set, else the first that PATH knows."""
    chosen = os.environ.get("EASEL_CHROMIUM")
    if chosen:
        return chosen
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


@asynccontextmanager
async def open_page(url: str, *, width: int = 1100, height: int = 900) -> AsyncIterator[PlaygroundPage]:
    """The playground's page in a headless Chromium with a profile of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        try:
            page = PlaygroundPage(await browser.new_page(viewport={"width": width, "height": height}))
            page.page.on("pageerror", lambda error: page.errors.append(str(error)))
            await page.page.goto(url)
            await page.ready()
            yield page
        finally:
            await browser.close()


class PlaygroundPage:
    """One browser tab. `timeout` is in seconds."""

    def __init__(self, page: Page, *, timeout: float = 60) -> None:
        self.page = page
        self.timeout = timeout
        self.errors: list[str] = []
        """Exceptions that the page's own scripts raised."""
        page.set_default_timeout(timeout * 1000)

    @property
    def messages(self) -> Locator:
        """All messages that the viewer sees, oldest first."""
        return self.page.locator("#channel-message-list article.channel-message")

    async def ready(self) -> None:
        """Wait until the page has drawn what it knows and no action is under way."""
        await self.page.wait_for_function("() => window.simcordPreview?.ready && !window.simcordPreview.pendingAction")

    async def status(self) -> str:
        """What the page says of the last action: "Action completed", "Action was not completed."…"""
        return await self.page.locator("#action-status").inner_text()

    @property
    def channels(self) -> Locator:
        """The channels that the viewer is offered."""
        return self.page.locator(".easel-channels button")

    async def view_as(self, name: str) -> None:
        """Look at the channel as another person, by display name."""
        await self.ready()
        picker = self.page.locator("#viewer-picker")
        value = await picker.locator("option").filter(has_text=name).get_attribute("value")
        await picker.select_option(value)
        await self.page.wait_for_function("id => window.simcordPreview?.viewerId === id", arg=value)
        await self.ready()

    async def commands(self) -> list[str]:
        """The names of the slash commands that the viewer is offered."""
        await self.ready()
        composer = self.page.locator("#channel-composer-input")
        await composer.fill("/")
        names = self.page.locator(".command-entry-title strong")
        await expect(names.first).to_be_visible(timeout=self.timeout * 1000)
        found = [name.removeprefix("/") for name in await names.all_inner_texts()]
        await composer.fill("")
        return found

    async def type_slash(self, command: str, **options: object) -> None:
        """Pick a slash command from the list and fill in its options, without sending it."""
        await self.ready()
        composer = self.page.locator("#channel-composer-input")
        await composer.fill("")
        await composer.press_sequentially(f"/{command}")
        entry = self.page.locator(".command-entry").filter(has=self.page.get_by_text(f"/{command}", exact=True))
        await entry.first.click()
        for name, value in options.items():
            await self.fill_option(name, value)

    async def fill_option(self, name: str, value: object) -> None:
        """Fill in one option of the command that is being typed; an optional one is added first."""
        field = self.page.locator(f'.command-option-input[data-option="{name}"]')
        chooser = self.page.locator(f'.command-file-choose[data-option="{name}"]')
        if not await field.count() and not await chooser.count():
            await self.page.locator(".command-ghost").click()
            await (
                self.page.locator(".command-popup .command-suggestion")
                .filter(has=self.page.get_by_text(name, exact=True))
                .first.click()
            )
        if isinstance(value, Path):
            async with self.page.expect_file_chooser() as chosen:
                await chooser.click()
            await (await chosen.value).set_files(value)
            return
        await field.fill(str(value))
        suggestion = self.page.locator(".command-popup .command-suggestion").filter(
            has=self.page.get_by_text(str(value), exact=True)
        )
        if await field.get_attribute("aria-controls"):
            await suggestion.first.click()

    async def send(self) -> None:
        """Press Enter in what is being typed, and wait until the bot has come to rest."""
        await self.page.locator("#send-message").click()
        await self.ready()

    async def slash(self, command: str, **options: object) -> None:
        """Type a slash command with its options and send it. A `Path` is uploaded."""
        await self.type_slash(command, **options)
        await self.send()

    async def say(self, text: str) -> None:
        """Send an ordinary message."""
        await self.ready()
        await self.page.locator("#channel-composer-input").fill(text)
        await self.send()

    async def wait_for_message(
        self, text: str | re.Pattern[str] | None = None, *, image: bool = False, timeout: float | None = None
    ) -> Locator:
        """The newest message that has the text and, where asked, a picture that is fully drawn."""
        found = self.messages
        if text is not None:
            found = found.filter(has_text=text)
        if image:
            found = found.filter(
                has=self.page.locator("img.attachment-image, .message-components img, .attachment-media img")
            )
        await expect(found.last).to_be_visible(timeout=(timeout or self.timeout) * 1000)
        name = await found.last.get_attribute("data-message-id")
        newest = self.page.locator(f'#channel-message-list article[data-message-id="{name}"]')
        if image:
            await self.pictures(newest)
        return newest

    async def click_button(self, label: str, message: Locator | int = -1) -> None:
        """Click a button by its label or emoji, on a message or on the nth one (the last by default)."""
        await self.ready()
        where = message if isinstance(message, Locator) else self.messages.nth(message)
        await where.locator("button.component-button, button").filter(has_text=label).first.click()
        await self.ready()

    async def react(self, emoji: str, message: Locator | int = -1) -> None:
        """React to a message: by its chip where it has one, else from the palette."""
        await self.ready()
        where = message if isinstance(message, Locator) else self.messages.nth(message)
        chip = where.locator("button.reaction-chip").filter(has_text=emoji)
        if await chip.count():
            await chip.click()
        else:
            await self.choose(emoji, where)
        await self.ready()

    async def choose(self, name: str, message: Locator) -> None:
        """Choose an emoji, or an entry of the message's menu, from the palette."""
        await self.ready()
        await message.hover()
        await message.get_by_role("button", name="React").click()
        await self.page.locator(".easel-palette").get_by_role("button", name=name).click()
        await self.ready()

    async def go_to(self, channel: str) -> None:
        """Look at another channel."""
        await self.ready()
        if await self.page.locator("#messages-sidebar").get_attribute("inert") is not None:  # a closed drawer
            await self.page.locator("#messages-toggle").click()
        await self.page.locator(".easel-channels").get_by_role("button", name=channel).click()
        await self.page.wait_for_function(
            "name => document.querySelector('#channel-name').textContent === name", arg=channel
        )
        await self.ready()

    async def submit_modal(self, **values: str) -> None:
        """Fill in the open dialog by field labels, underscores for spaces, and submit it."""
        dialog = self.page.locator("#modal-root")
        for label, value in values.items():
            await dialog.get_by_label(label.replace("_", " ")).fill(value)
        await dialog.get_by_role("button", name="Submit").click()
        await self.ready()

    async def pictures(self, message: Locator | None = None) -> list[bytes]:
        """The files of the pictures that are displayed, in order, once all of them are drawn."""
        where = message if message is not None else self.page.locator("#channel-message-list")
        images = where.locator(".message-attachments img, .message-components img")
        handle = await where.element_handle()
        await self.page.wait_for_function(
            """element => [...element.querySelectorAll(".message-attachments img, .message-components img")]
                .every(image => image.complete && image.naturalWidth > 0)""",
            arg=handle,
        )
        return [await self._bytes(image) for image in await images.all()]

    async def _bytes(self, image: Locator) -> bytes:
        url = await image.evaluate(
            """async image => {
                const blob = await (await fetch(image.src)).blob();
                return await new Promise(done => {
                    const reader = new FileReader();
                    reader.onload = () => done(reader.result);
                    reader.readAsDataURL(blob);
                });
            }"""
        )
        return base64.b64decode(url.partition(",")[2])

    async def screenshot(self, path: Path | str) -> None:
        """What the tab shows, as a PNG file."""
        await self.page.screenshot(path=path)
