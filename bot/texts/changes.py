"""The log of changes as admins read it: its list, and its lines in the log channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import discord

from bot.texts.common import person, relative
from bot.texts.escaping import inert
from bot.texts.member import leaf
from storage.credits.calendar import Rate
from storage.guilds.changes import EVERYWHERE, Change, Kind, Subject

_LONGEST = 350
"""Characters of a value that are shown; a list of channels can have many more."""
_REASON = 60


def listed(latest: Sequence[Change], *, number: int) -> str:
    """A page of the answer to `/admin changes`."""
    if not latest:
        return "Nothing has been changed yet."
    return leaf(["**Latest changes**", *(f"- {relative(one.at)} {line(one)}" for one in latest)], number)


def line(one: Change) -> str:
    """A line in the log channel."""
    lead = "" if one.kind is Kind.SETTING else "**credits**: "
    return f"{person(one.actor_id)} · {lead}{changed(one)}"


def changed(one: Change) -> str:
    """What was changed, from what to what."""
    if one.kind is Kind.SETTING:
        undo = "undo of " if one.undoes else ""
        everywhere = " everywhere" if one.guild_id == EVERYWHERE else ""
        return f"**{undo}{one.what}**{everywhere}: {value(one.old)} → {value(one.new)}"
    if one.undoes:
        return f"undo of {_of_credits(replace(one, old=one.new, new=one.old))}"
    return _of_credits(one)


def _of_credits(one: Change) -> str:
    why = because(one.reason)
    match one.kind:
        case Kind.ZONE:
            return f"time zone, {one.old} → {one.new}"
        case Kind.CEILING:
            return f"ceiling of the server, {rate(one.old, 'none')} → {rate(one.new, 'none')}"
        case Kind.FREE:
            action, _, was = (one.old or "").partition(" ")
            return f"price of {action}, {was} → {(one.new or '').partition(' ')[2]}"
        case Kind.IMPORT:
            return f"import of {one.new} lines"
        case Kind.ALLOWANCE:
            return f"set for {whom(one.subject)}, {rate(one.old, 'default')} → {rate(one.new, 'default')}{why}"
        case Kind.GRANT if one.subject.kind != "user":
            return f"grant for {whom(one.subject)}, {one.new} each{ends(one.ends_at)}{why}"
        case Kind.RESET if one.subject.kind != "user":
            return f"reset for {whom(one.subject)}{why}"
    return f"{one.kind} for {whom(one.subject)}, {one.old} → {one.new}{ends(one.ends_at)}{why}"


def value(text: str | None) -> str:
    """A value of a setting, at most as long as is shown."""
    text = text or "not set"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def rate(text: str | None, otherwise: str) -> str:
    """A rate like 40/day in words."""
    return otherwise if text is None else short(Rate.parse(text))


def short(rate: Rate) -> str:
    """A rate in few words."""
    return f"{rate.credits} a {rate.period}"


def whom(subject: Subject) -> str:
    """A subject as Discord shows it."""
    match subject.kind:
        case "role":
            return f"<@&{subject.id}>"
        case "user":
            return person(subject.id)
    return "everyone"


def ends(ends_at: datetime | None) -> str:
    """Until when a boost lasts."""
    return f" until {discord.utils.format_dt(ends_at, 'D')}" if ends_at else ""


def because(reason: str) -> str:
    """An admin's reason, cut short."""
    return f": {inert(reason, limit=_REASON)}" if reason else ""


def log_out_of_reach(channel_id: int) -> str:
    """Beside an answer, if the log channel did not take the line."""
    return f"-# It is recorded, but I can't post in the log channel <#{channel_id}>. Choose one with `/admin log`."


def log_is(channel_id: int | None) -> str:
    """The answer to `/admin log`."""
    if channel_id is None:
        return "Changes are no longer posted. `/admin changes` still shows them."
    return f"Changes are posted in <#{channel_id}> from now on."
