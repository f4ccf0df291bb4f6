"""`/imagine`: a prompt becomes a job."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord
from discord import app_commands

from bot import access, orders, prompts, texts
from bot.adult import age_restricted
from bot.boundary import acknowledge
from bot.errors import BadPrompt
from bot.feature import Feature, Studio, able_to_post, requester, usual_model
from generation.contract import MAX_SEED, ModelState
from storage import guilds

_ASPECTS = ("1:1", "3:2", "2:3", "4:3", "3:4", "16:9", "9:16", "2:1", "1:2")


@app_commands.command(name="imagine", description="Draw pictures from words")
@app_commands.describe(
    prompt="What to draw, like: a sunset over a mountain lake. Flags such as --ar 3:2 work too.",
    model="Which model draws",
    aspect="Width to height, like 3:2",
    seed="The same seed draws the same picture again",
    negative="What to leave out",
)
@app_commands.guild_only()
async def imagine(
    interaction: discord.Interaction[Any],
    prompt: str,
    model: str | None = None,
    aspect: str | None = None,
    seed: app_commands.Range[int, 0, MAX_SEED] | None = None,
    negative: str | None = None,
) -> None:
    await acknowledge(interaction, thinking=True)
    studio: Studio = interaction.client.studio
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    able_to_post(interaction.app_permissions, interaction.channel)
    given = {"model": model, "aspect": _aspect(aspect), "seed": seed, "negative": negative}
    parsed = _with_options(prompts.parse(prompt), {name: v for name, v in given.items() if v is not None})
    async with studio.database.reading() as tx:
        server = await guilds.settings(tx, who.guild_id)
        most = await access.most(tx, who)
    order = orders.imagine(
        parsed,
        catalogue=studio.catalogue,
        default_model=usual_model(studio, server.default_model),
        images=studio.settings.images,
        random=studio.random,
        among_adults=who.age_restricted,
        most=most,
    )
    accepted = await studio.dispatcher.accept(order, who)
    await interaction.followup.send(
        texts.receipt(
            price=accepted.job.price,
            left=accepted.left,
            ahead=accepted.ahead,
            seconds=accepted.seconds,
            notes=(*order.notes, texts.PAUSED) if accepted.paused else order.notes,
        ),
        ephemeral=True,
    )


@imagine.autocomplete("model")
async def _models(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    studio: Studio = interaction.client.studio
    states = studio.generator.models()
    named = studio.catalogue.named(among_adults=age_restricted(interaction.channel))
    usable = [
        spec
        for spec in named.values()
        if spec.key in states and states[spec.key].state is not ModelState.UNUSABLE
    ]
    wanted = current.casefold()
    return [
        app_commands.Choice(
            name=f"{spec.name} ({texts.credits(spec.price('imagine', 1))} a picture)"[:100], value=spec.key
        )
        for spec in usable
        if wanted in spec.key.casefold() or wanted in spec.name.casefold()
    ][:25]


@imagine.autocomplete("aspect")
async def _aspects(_: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=one, value=one) for one in _ASPECTS if one.startswith(current)]


def _aspect(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        return prompts.read_aspect(text.strip())
    except ValueError:
        raise BadPrompt(f"`aspect` takes {prompts.FLAGS['ar'].takes}.") from None


def _with_options(parsed: prompts.Parsed, options: dict[str, Any]) -> prompts.Parsed:
    for name, value in options.items():
        if getattr(parsed, name) not in (None, value):
            raise BadPrompt(
                f"The prompt's flags and the option `{name}` say different things. Give only one of them."
            )
    if len(options.get("negative", "")) > prompts.MAX_PROMPT:
        raise BadPrompt(f"`negative` can be {prompts.MAX_PROMPT} characters long at most.")
    return replace(parsed, **options)


FEATURE = Feature(
    commands=(imagine,),
    help=(
        "**/imagine** draws a grid of pictures from your words. Flags at the end of the prompt: "
        "`--ar 3:2` shape · `--seed 7` repeat · `--no boat` leave out · `--count 1` fewer pictures · "
        "`--steps 30` · `--cfg 7` · `--model name` · `--private` keep the words out of files and messages",
    ),
)
