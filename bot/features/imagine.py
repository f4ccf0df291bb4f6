"""`/imagine`: a prompt becomes a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import discord
from discord import app_commands

from bot.delivery.button_rows import PROMPT_ID
from bot.errors import Refusal
from bot.interactions.checks import able_to_post, policy_of, usual_model
from bot.interactions.error_handler import acknowledge, answered, tell_privately
from bot.interactions.feature import Action, Feature
from bot.interactions.requester import requester
from bot.jobs import orders, prompts
from bot.jobs.flags import FLAGS
from bot.jobs.orders import Draft
from bot.jobs.prompts import MAX_PROMPT, Reading
from bot.jobs.requester import Accepted
from bot.pictures.age_restriction import age_restricted
from bot.services import Services
from bot.texts import common, results
from bot.texts.plain_text import plain
from generation.catalogue import ModelSpec
from generation.contract import MAX_SEED, ModelState

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
    with _giving_back(prompt, negative or ""):
        await _order(interaction, _asked(prompt, model=model, aspect=aspect, seed=seed, negative=negative))


class PromptButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"{PROMPT_ID}(?P<prompt>.+)"):
    """A button that draws the prompt in its id, as if the person had typed it."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        super().__init__(discord.ui.Button(custom_id=PROMPT_ID + prompt))

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        _item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> PromptButton:
        return cls(match["prompt"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        tell = partial(tell_privately, interaction)
        async with answered(tell, what="a prompt's button", services=interaction.client.services):
            await acknowledge(interaction, thinking=True)
            await _order(interaction, prompts.read(self.prompt))


async def _order(interaction: discord.Interaction[Any], reading: Reading) -> None:
    """Order what was asked for, and say so until it is there. What was not done as asked stays to be read."""
    draft, accepted = await _accepted(interaction, reading)
    receipt = results.receipt(
        price=accepted.job.price,
        left=accepted.left,
        ahead=accepted.ahead,
        seconds=accepted.seconds,
        notes=(*draft.notes, results.PAUSED) if accepted.paused else draft.notes,
    )
    await interaction.edit_original_response(content=receipt)
    if not draft.notes:
        await interaction.client.services.delivery.receipts.keep(accepted.job.id, interaction.delete_original_response)


async def _accepted(interaction: discord.Interaction[Any], reading: Reading) -> tuple[Draft, Accepted]:
    """What was asked for, in the queue."""
    services: Services = interaction.client.services
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    able_to_post(interaction.app_permissions, interaction.channel)
    policy = await policy_of(services, who.guild_id, who.user_id)
    draft = orders.imagine(
        reading.parsed,
        catalogue=services.catalogue,
        default_model=usual_model(services, policy.settings.default_model),
        images=services.settings.images,
        random=services.random,
        among_adults=who.age_restricted,
        most=policy.most(who.role_ids),
        problems=reading.problems,
    )
    order = orders.order(IMAGINE.name, draft, free=policy.free)
    return draft, await services.dispatcher.accept(order, who, policy)


@contextmanager
def _giving_back(*typed: str) -> Iterator[None]:
    """Give what was typed back with a refusal: Discord keeps none of it."""
    try:
        yield
    except Refusal as refusal:
        refusal.typed = tuple(filter(None, typed))
        raise


def _usable(interaction: discord.Interaction[Any]) -> list[ModelSpec]:
    """The models that can draw in the channel."""
    services: Services = interaction.client.services
    states = services.generator.models()
    named = services.catalogue.named(among_adults=age_restricted(interaction.channel))
    return [spec for spec in named.values() if spec.key in states and states[spec.key].state is not ModelState.UNUSABLE]


@imagine.autocomplete("model")
async def _models(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    wanted = current.casefold()
    return [
        app_commands.Choice(
            name=f"{spec.name} ({common.credits(spec.price('imagine', 1))} a picture)"[:100], value=spec.key
        )
        for spec in _usable(interaction)
        if wanted in spec.key.casefold() or wanted in spec.name.casefold()
    ][:25]


@imagine.autocomplete("aspect")
async def _aspects(_: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=one, value=one) for one in _ASPECTS if one.startswith(current)]


def _asked(prompt: str, *, model: str | None, aspect: str | None, seed: int | None, negative: str | None) -> Reading:
    """The prompt with its flags and the command's options, and all that is wrong with them."""
    reading = prompts.read(prompt)
    problems = list(reading.problems)
    given: dict[str, Any] = {"seed": seed, "model": model and (plain(model) or model)}
    for option, flag, text in (("aspect", "ar", aspect), ("negative", "no", negative)):
        if text is None:
            continue
        try:
            given[option] = FLAGS[flag].read(plain(text))
        except ValueError:
            problems.append(f"`{option}` takes {FLAGS[flag].takes}.")
    given = {option: value for option, value in given.items() if value is not None}
    problems += [
        f"The prompt's flags and the option `{option}` say different things. Give only one of them."
        for option, value in given.items()
        if getattr(reading.parsed, option) not in (None, value)
    ]
    if len(given.get("negative", "")) > MAX_PROMPT:
        problems.append(f"`negative` can be {MAX_PROMPT} characters long at most.")
    return Reading(parsed=replace(reading.parsed, **given), problems=tuple(problems))


IMAGINE = Action(name="imagine", draft=orders.imagine)

FEATURE = Feature(
    actions=(IMAGINE,),
    commands=(imagine,),
    items=(PromptButton,),
    help=(
        "**/imagine** draws a grid of pictures from your words. Flags at the end of the prompt: "
        "`--ar 3:2` shape · `--seed 7` repeat · `--no boat` leave out · `--count 1` fewer pictures · "
        "`--steps 30` · `--cfg 7` · `--model name` · `--private` keep the words out of files and messages",
    ),
)
