"""Words that many sentences share: amounts, times and people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import discord

from storage.credits.calendar import Rate

UNCHARGED = "Nothing was charged."
APPEAL = "If you think that this is a mistake, tell an admin of this server."


def pictures(numbers: Sequence[int]) -> str:
    """These pictures of a result, in words."""
    some = [str(number) for number in numbers]
    return f"picture {some[0]}" if len(some) == 1 else f"pictures {', '.join(some[:-1])} and {some[-1]}"


def person(user_id: int) -> str:
    """A person as Discord shows them. Numbers below zero stand for those who had their data deleted."""
    return f"<@{user_id}>" if user_id > 0 else "somebody who deleted their data"


def duration(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def about(seconds: float) -> str:
    """An estimate of a length of time, no finer than estimates are: "a few seconds", "about 20 s", "about 3 min"."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 55:
        return f"about {5 * round(seconds / 5)} s"
    if seconds < 5400:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.0f} h"


def relative(moment: datetime) -> str:
    """A moment as Discord shows it to each reader, like "in 5 hours"."""
    return discord.utils.format_dt(moment, "R")


def credits(amount: int) -> str:
    """An amount of credits in words."""
    return "1 credit" if amount == 1 else f"{amount} credits"


def per(rate: Rate) -> str:
    """A rate in words, like "40 credits a day"."""
    return f"{credits(rate.credits)} a {rate.period}"


def job_count(number: int) -> str:
    """A number of jobs in words."""
    return "1 job" if number == 1 else f"{number} jobs"
