"""Keeps adult models, and what they drew, in channels that Discord shows to adults only."""

from __future__ import annotations

import discord

from bot.errors import AdultOnly
from generation.catalogue import Catalogue


def age_restricted(channel: object) -> bool:
    """Whether Discord asks for people's age before it shows the channel; a thread is as its channel is.

    Direct messages never are, and neither is what isn't known.
    """
    kinds = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.Thread)
    return isinstance(channel, kinds) and channel.is_nsfw()


def is_adult(catalogue: Catalogue, model: str) -> bool:
    """Whether a model is for adults."""
    return model in catalogue and catalogue[model].adult


def only_among_adults(catalogue: Catalogue, model: str, *, restricted: bool) -> None:
    """Raises AdultOnly for an adult model, or what it drew, elsewhere than in an age-restricted channel."""
    if is_adult(catalogue, model) and not restricted:
        raise AdultOnly(catalogue[model].name)
