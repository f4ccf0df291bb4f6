"""Keeps adult models, and what they drew, in channels that Discord shows to adults only."""

from __future__ import annotations

import discord

from bot.errors import AdultOnly
from generation.catalogue import Catalogue
from storage.jobs.job import Job


def age_restricted(channel: object) -> bool:
    """Whether Discord asks for people's age before it shows the channel; a thread is as its channel is.

    Direct messages never are, and neither is what isn't known.
    """
    kinds = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.Thread)
    return isinstance(channel, kinds) and channel.is_nsfw()


def is_adult(catalogue: Catalogue, job: Job) -> bool:
    """Whether what a job drew is for adults: its model is, or was when it drew it, or the safety check found so."""
    return job.adult or (job.model in catalogue and catalogue[job.model].adult)


def may_show(catalogue: Catalogue, job: Job, channel: object) -> bool:
    """Whether a channel may show what a job drew."""
    return age_restricted(channel) or not is_adult(catalogue, job)


def only_among_adults(catalogue: Catalogue, job: Job, *, restricted: bool) -> None:
    """Raises AdultOnly for what is for adults, elsewhere than in an age-restricted channel."""
    if is_adult(catalogue, job) and not restricted:
        spec = catalogue.get(job.model)
        raise AdultOnly(spec.name if spec and spec.adult else None)
