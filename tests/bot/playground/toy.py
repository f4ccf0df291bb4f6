"""A toy of a picture bot: every kind of message, button and wait that the playground's page must be able to show."""

from __future__ import annotations

import asyncio
import io
import random
import re
from types import SimpleNamespace
from typing import Any, Self

import discord
from discord import app_commands
from PIL import Image, ImageDraw

from bot.connection.waiting import Wait

STEPS = 3
WEIGHTY = 2_900_000
"""Bytes of a picture of which fifty are more than SimCord's page would keep by itself."""


def picture(seed: int, size: int = 256, *, progress: float = 1.0) -> bytes:
    """A JPEG that differs for each seed: four coloured squares, paler while in progress."""
    rng = random.Random(seed)
    image = Image.new("RGB", (size, size), "white")
    draw, half = ImageDraw.Draw(image), size // 2
    for x in (0, half):
        for y in (0, half):
            red, green, blue = (int(255 - (255 - rng.randrange(256)) * progress) for _ in range(3))
            draw.rectangle((x, y, x + half - 2, y + half - 2), fill=(red, green, blue))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def attached(data: bytes, name: str = "grid.jpg") -> discord.File:
    return discord.File(io.BytesIO(data), name)


class Press(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"toy:(?P<verb>[urv]):(?P<seed>\d+):(?P<index>\d)",
):
    def __init__(self, verb: str, seed: int, index: int = 0) -> None:
        self.verb, self.seed, self.index = verb, seed, index
        super().__init__(
            discord.ui.Button(
                label=None if verb == "r" else f"{verb.upper()}{index + 1}",
                emoji="🔄" if verb == "r" else None,
                custom_id=f"toy:{verb}:{seed}:{index}",
                row=1 if verb == "v" else 0,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction, _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["verb"], int(match["seed"]), int(match["index"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        match self.verb:
            case "u":
                image = attached(picture(self.seed + self.index, 300), "one.jpg")
                await interaction.response.send_message(f"Image #{self.index + 1}", file=image)
            case "v":
                await interaction.response.send_modal(Remix())
            case "r":
                await interaction.response.defer(ephemeral=True)
                interaction.client.start_job("again", self.seed + 10, interaction.user)
                await interaction.followup.send("Drawing it again.", ephemeral=True)


class Remix(discord.ui.Modal, title="Remix"):
    prompt: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Prompt", default="a fox")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"Remixed: {self.prompt.value}", ephemeral=True)


def rows(seed: int) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for item in (
        *(Press("u", seed, n) for n in range(4)),
        Press("r", seed),
        *(Press("v", seed, n) for n in range(4)),
    ):
        view.add_item(item)
    return view


class Toy(discord.Client):
    """Draws grids in `STEPS` steps; each comes when the test puts something into `steps`."""

    def __init__(self, wait: Wait) -> None:
        super().__init__(intents=discord.Intents(guilds=True, guild_reactions=True))
        self.tree = app_commands.CommandTree(self)
        self.buttons = (SimpleNamespace(reactions={"✉️": 0, "📨": 0}), SimpleNamespace(reactions={"1️⃣": 1}))
        self.wait = wait
        self.steps: asyncio.Queue[None] = asyncio.Queue()
        self.jobs: set[asyncio.Task[None]] = set()

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Press)
        self.tree.add_command(imagine)
        self.tree.add_command(settings)
        self.tree.add_command(refuse)
        self.tree.add_command(staff)
        self.tree.add_command(report)
        self.tree.error(answer)
        await self.tree.sync()

    @property
    def channel(self) -> discord.TextChannel:
        return next(c for c in self.get_all_channels() if isinstance(c, discord.TextChannel))

    def start_job(self, prompt: str, seed: int, owner: discord.abc.User) -> None:
        task = asyncio.create_task(self._draw(prompt, seed, owner))
        self.jobs.add(task)
        task.add_done_callback(self.jobs.discard)

    async def _draw(self, prompt: str, seed: int, owner: discord.abc.User) -> None:
        title = f"**{prompt}** - {owner.mention}"
        message = await self.channel.send(f"{title} (Waiting to start)")
        for step in range(1, STEPS + 1):
            await self.wait(self.steps.get(), reason="the next step")
            preview = picture(seed, 64, progress=step / STEPS)
            await message.edit(content=f"{title} (step {step})", attachments=[attached(preview, f"preview{step}.jpg")])
        await self.channel.send(title, file=attached(picture(seed)), view=rows(seed))
        await message.delete()

    async def post_weighty(self, number: int) -> discord.Message:
        data = picture(number, 64)
        data += random.Random(number).randbytes(WEIGHTY - len(data))
        return await self.channel.send(f"weighty {number}", file=attached(data))

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        if str(event.emoji) == "✉️" and event.member is not None:
            await event.member.send("Yours", files=[attached(picture(n), f"{n}.jpg") for n in range(2)])
        if str(event.emoji) == "1️⃣":
            await self.channel.send("The first")


@app_commands.command(description="Draw a picture")
@app_commands.describe(prompt="What to draw", model="The model", seed="A number")
async def imagine(interaction: discord.Interaction[Any], prompt: str, model: str = "", seed: int = 1) -> None:
    await interaction.response.send_message(f"Queued with {model or 'the usual model'}.", ephemeral=True)
    interaction.client.start_job(prompt, seed, interaction.user)


@imagine.autocomplete("model")
async def models(_interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=n, value=n) for n in ("builtin", "flux", "sdxl") if typed in n]


@app_commands.command(description="Change a setting")
@app_commands.default_permissions(manage_guild=True)
async def settings(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("Only managers see this.", ephemeral=True)


staff = app_commands.Group(
    name="staff", description="For staff", default_permissions=discord.Permissions(manage_guild=True)
)


@staff.command(description="Answer with a list, and say something in the other channel")
async def rules(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.send_message("- one\n- two\nafter the list", ephemeral=True)
    moderators = discord.utils.get(interaction.client.get_all_channels(), name="moderators")
    await moderators.send("said elsewhere", view=rows(1))


@app_commands.context_menu(name="Report picture")
async def report(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await interaction.response.send_message(f"Reported {message.id}.", ephemeral=True)


class Refusal(Exception):
    """Meant for the person who asked."""


@app_commands.command(description="Be refused")
async def refuse(_interaction: discord.Interaction) -> None:
    raise Refusal


async def answer(interaction: discord.Interaction, _error: app_commands.AppCommandError) -> None:
    await interaction.response.send_message("You can't do that.", ephemeral=True)
