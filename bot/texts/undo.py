"""What holds once a change was taken back, as `/admin undo` and `/quota undo` say it."""

from __future__ import annotations

import re

from bot.texts.changes import value
from bot.texts.common import credits
from bot.texts.quota import rate, whom
from storage.credits.changes import Change as Kind
from storage.credits.changes import QuotaChange
from storage.guilds.changes import EVERYWHERE, Change

_BAN = re.compile(r"ban of (.*)")
_WORD = re.compile(r"word (`.*`)")
_KEPT = re.compile(r"(?:action|model) (.+)")
_RULES = {"block": "is blocked again", "allow": "is allowed again"}


def setting(undone: Change) -> str:
    """What holds of a setting, in half a sentence: "<@5> is no longer banned"."""
    where = " in all servers" if undone.guild_id == EVERYWHERE else ""
    if found := _BAN.fullmatch(undone.what):
        return _ban(found[1], undone.old, where)
    if found := _WORD.fullmatch(undone.what):
        return f"{found[1]} {_RULES.get(undone.old or '', 'has no rule any more')}"
    if found := _KEPT.fullmatch(undone.what):
        return f"`{found[1]}` is for {value(undone.old)} again"
    match undone.what:
        case "drawing":
            return _drawing(undone.old, where)
        case "channels":
            return f"jobs are taken in {_channels(undone.old)}"
    if undone.old is None:
        return f"**{undone.what}**{where} is not set any more"
    return f"**{undone.what}**{where} is {value(undone.old)} again"


def _drawing(before: str | None, where: str) -> str:
    """From a halt as the record names it, like "paused (game night)"."""
    halt, _, reason = value(before).partition(" ")
    why = f" {reason}" if reason else ""
    match halt:
        case "paused":
            return f"drawing is paused{where} again{why}"
        case "draining":
            return f"no new jobs are taken{where} again{why}"
    return f"drawing goes on{where} again"


def _ban(person: str, before: str | None, where: str) -> str:
    if before is None:
        return f"the ban of {person}{where} is lifted" if where else f"{person} is no longer banned"
    reason = before.removeprefix("banned")
    return f"{person} is banned{where} again{value(reason) if reason else ''}"


def _channels(before: str | None) -> str:
    match before:
        case None | "all":
            return "all channels again"
        case "none":
            return "no channel again"
    return f"{value(before)} and nowhere else again"


def quota(undone: QuotaChange) -> str:
    """What holds of credits, in half a sentence."""
    people = whom(undone.subject)
    match undone.what:
        case Kind.ZONE:
            return f"days, weeks and months begin at midnight in {undone.old} again"
        case Kind.CEILING if undone.old is None:
            return "the server as a whole has no ceiling any more"
        case Kind.CEILING:
            return f"the ceiling of the server is {rate(undone.old)} again"
        case Kind.FREE:
            action, _, was = (undone.old or "").partition(" ")
            return f"`{action}` {'is free' if was == 'free' else 'costs what its model costs'} again"
        case Kind.IMPORT:
            return f"quotas and bonuses are as they were before the import of {undone.new} lines"
        case Kind.SET:
            return f"the quota of {people} is {rate(undone.old) if undone.old else 'the default'} again"
        case Kind.RESET:
            return f"what {people} used counts again"
    return _grant(undone, people)


def _grant(undone: QuotaChange, people: str) -> str:
    """Credits given to a member are the difference of what they had and have; others get `new` each."""
    given = int(undone.new or 0) - int(undone.old or 0)
    if given < 0:
        return f"the {credits(-given)} of bonus taken from {people} are theirs again"
    what = f"grant of {credits(given)}" if undone.ends_at is None else f"boost of {credits(given)}"
    if undone.subject.kind == "user":
        return f"the {what} to {people} is withdrawn"
    return f"the {what} to {people} is withdrawn, and nobody gets it any more"
