"""`/describe`: what a picture's file says of itself, told to one person, and the line that draws it again."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import Any

import discord
from discord import app_commands

from bot.connection.retry import Unreachable
from bot.errors import BadPicture
from bot.interactions.checks import policy_of, usual_model
from bot.interactions.error_handler import acknowledge
from bot.interactions.feature import Feature
from bot.interactions.requester import requester
from bot.jobs import prompt_line
from bot.jobs.policy import GuildPolicy, only_admitted_in_letters
from bot.jobs.prompt_line import Again, Changed
from bot.jobs.prompts import MAX_PROMPT
from bot.jobs.requester import Requester
from bot.pictures.age_restriction import age_restricted
from bot.pictures.verifier import Share, Standing, Verdict
from bot.services import Services
from bot.texts.escaping import copyable, inert
from generation.containers import MAX_SOURCE_BYTES
from generation.contract import ModelState
from generation.parameters import Parameters
from generation.read_metadata import Description

_LONGEST = 2000
"""Characters in a Discord message."""
_WORDS, _NAME, _FIGURE = 150, 40, 20
"""Characters of a prompt, of a shorter text, and of a number, which escaping may double: so all but the line to copy always fits."""
_FACTS = {
    "Model": "Model",
    "Seed": "seed",
    "Size": "size",
    "Steps": "steps",
    "CFG scale": "guidance",
    "Sampler": "sampler",
}
_NAMES = {"Model", "Sampler"}
_SHARES = {
    Share.ALL: "The credentials say that AI made it.",
    Share.PART: "The credentials say that AI made parts of it.",
    Share.SOURCE: "The credentials say that AI made something that went into it.",
    Share.UNSAID: "The credentials do not say that AI made it.",
}

_PATIENCE = 15.0
"""Seconds that Discord has to hand out the file. Its size is Discord's word, so no more comes than it says."""


@app_commands.command(name="describe", description="Read how a picture was made from its file")
@app_commands.describe(image="A PNG, JPEG or WebP, from Easel or from another tool")
async def describe(interaction: discord.Interaction[Any], image: discord.Attachment) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    admitted = await _admitted(interaction, services)
    if image.size > MAX_SOURCE_BYTES:
        raise BadPicture(f"it has more than {MAX_SOURCE_BYTES // 2**20} MiB")
    found = await services.inspection.read(interaction.user.id, lambda: _bytes(image))
    parameters = found.description.parameters
    offer = _again(services, parameters, interaction.channel, admitted) if parameters else None
    words, too_long = described(found.description, found.verdict, offer)
    line = offer.line if offer and too_long else None
    files = [discord.File(io.BytesIO(line.encode()), "imagine.txt")] if line else []
    await interaction.followup.send(words, files=files, ephemeral=True)


async def _admitted(interaction: discord.Interaction[Any], services: Services) -> tuple[Requester, GuildPolicy] | None:
    """Who asks, and what holds for them; None in direct messages. Raises Banned, TimedOut, ServerOnly or KeptForRoles."""
    if interaction.guild_id is None:
        async with services.database.reading() as tx:
            await only_admitted_in_letters(
                tx, user_id=interaction.user.id, settings=services.settings, now=services.clock()
            )
        return None
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    policy = await policy_of(services, who.guild_id, who.user_id)
    policy.only_admitted()
    policy.only_allowed(who, "describe", posts=False)
    return who, policy


async def _bytes(image: discord.Attachment) -> bytes:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await image.read()
    except Unreachable as error:
        raise BadPicture("Discord does not hand it out") from error


def _again(
    services: Services,
    parameters: Parameters,
    channel: object,
    admitted: tuple[Requester, GuildPolicy] | None,
) -> Again:
    """The line that draws it again, for this person in this place."""
    model, most = services.default_model, None
    if admitted is not None:
        who, policy = admitted
        most = policy.most(who.role_ids).pictures
        model = usual_model(services, policy.settings.default_model)
    shown = services.catalogue.named(among_adults=age_restricted(channel))
    states = services.generator.models()
    usable = [key for key in shown if key in states and states[key].state is not ModelState.UNUSABLE]
    return prompt_line.again(parameters, services.catalogue, default_model=model, usable=usable, most_pictures=most)


def described(found: Description, verdict: Verdict | None, again: Again | None) -> tuple[str, bool]:
    """What a file says of itself, and the line that draws it again; and whether that is too long to stand here."""
    lines = [_origin(found), *([_credentials(verdict)] if verdict else [])]
    if found.parameters is None:
        lines.append(_without_parameters(found))
        return "\n".join(lines), False
    lines += _parameters(found)
    if again is None:
        return "\n".join(lines), False
    lines += _notes(found.parameters, again)
    if again.line is None:
        return "\n".join(lines), False
    lines.append("To draw it again, copy this:")
    whole = "\n".join([*lines, copyable(again.line)])
    if len(whole) <= _LONGEST:
        return whole, False
    return "\n".join([*lines, "the line in the attached file."]), True


def _without_parameters(found: Description) -> str:
    if found.unreadable:
        return f"It carries parameters{f' of {found.tool}' if found.tool else ''} in a form that I can't read."
    return "It carries no parameters. Pictures lose them in screenshots, in most apps, and when sites convert them."


def _notes(given: Parameters, again: Again) -> Iterator[str]:
    """What the line to copy does not keep."""
    if again.too_long:
        yield f"Its prompt has {again.too_long:,} characters, and `/imagine` takes {MAX_PROMPT:,}: shorten it to draw it again."
        return
    if again.line is None:
        return
    if "Denoising strength" in given.facts:
        yield "It was drawn over another picture, so the same words and seed give a different one."
    if lost := " and ".join(name for name in ("seed", "model") if getattr(again, name)):
        yield f"Its {lost} can't be had here: the picture will differ."
    if again.changed:
        yield f"Changed, because the model here draws nothing else: {', '.join(map(_change, again.changed))}."
    if again.cut:
        yield f"Its negative prompt was cut to {MAX_PROMPT:,} characters."


def _change(changed: Changed) -> str:
    was = inert(changed.was, limit=_NAME)
    return f"{changed.setting} {changed.now} instead of {was}"


def _origin(found: Description) -> str:
    return f"The file {'says that' if found.says_ai else 'does not say whether'} AI made it."


def _parameters(found: Description) -> list[str]:
    given = found.parameters or Parameters(prompt="")
    lines = [f"**Prompt** {inert(given.prompt, limit=_WORDS) or 'none: it was left out of the file'}"]
    if given.negative:
        lines.append(f"**Without** {inert(given.negative, limit=_WORDS)}")
    known = [f"made with {found.tool}"] if found.tool else []
    known += [
        f"{name} {inert(given.facts[key], limit=_NAME if key in _NAMES else _FIGURE)}"
        for key, name in _FACTS.items()
        if key in given.facts
    ]
    return lines + ([" · ".join(known)] if known else [])


def _credentials(verdict: Verdict) -> str:
    """What the Content Credentials prove, in a sentence or three."""
    match verdict.standing:
        case Standing.UNCHECKED:
            return "It carries Content Credentials, which I can't check here."
        case Standing.UNREADABLE:
            return "It carries Content Credentials that are damaged, or that I can't read."
        case Standing.CHANGED:
            return (
                f"⚠️ **It was changed after it was signed.** Its Content Credentials name {_signer(verdict)}, but the "
                "file is not what was signed: don't rely on what it says."
            )
        case Standing.BROKEN:
            why = f" ({inert(verdict.reason, limit=_NAME)})" if verdict.reason else ""
            return f"⚠️ The signature of its Content Credentials does not hold{why}: don't rely on what they say."
        case Standing.OUTDATED:
            return (
                f"**Content Credentials** name {_signer(verdict)}, but that certificate is not valid today, and no "
                "trusted time stamp says that it was: the signature proves nothing."
            )
        case Standing.HOLDS:
            return f"{_who(verdict)} {_SHARES[verdict.share]}"


def _who(verdict: Verdict) -> str:
    program = f" with {inert(verdict.program, limit=_NAME)}" if verdict.program else ""
    when = f" on <t:{verdict.signed_at}:f>" if verdict.signed_at is not None else ""
    if verdict.trusted:
        return (
            f"✅ **Content Credentials**: signed by {_signer(verdict)}{program}{when}, and unchanged since. This bot's host "
            "trusts who issued that certificate."
        )
    return (
        f"**Content Credentials**: signed under the name {_signer(verdict)}{program}{when}, and unchanged since. I "
        "don't know who vouches for that name: anybody could have used it."
    )


def _signer(verdict: Verdict) -> str:
    names = [inert(each, limit=_NAME) for each in (verdict.signer, verdict.organisation)]
    known = [f"**{names[0]}**" if names[0] else "", f"({names[1]})" if names[1] else ""]
    return " ".join(filter(None, known)) or "nobody"


FEATURE = Feature(
    permissions=("describe",),
    commands=(describe,),
    help=("**/describe** reads prompt, seed and settings back from a picture's file, and checks who signed it.",),
)
