"""What `/admin undo` and `/quota undo` answer: what holds once a change was taken back, or why it was not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.texts.changes import changed, rate, value, whom
from bot.texts.common import credits, person, relative
from bot.texts.member import page
from storage.guilds.changes import EVERYWHERE, Change, Kind, Obstacle

OVERTAKEN = "Nothing was undone: somebody changed something at the same moment. Look at it, and try again."

STAYING = 3
"""As many changes that stay are named."""


def nothing(staying: Sequence[str], *, kept_days: int) -> str:
    """If no change can be taken back; `kept_days` is how long changes are kept, 0 for ever."""
    older = f" Changes are kept for {kept_days} days." if kept_days else ""
    if not staying:
        return f"There is nothing to undo.{older}"
    return _above(f"Nothing was undone. There is no other change to undo.{older}", staying)


def named(last: Change, staying: Sequence[str], *, command: str) -> str:
    """Before another admin's change is taken back, or one made before changes that stay."""
    which = "last change that can be taken back" if staying else "last change"
    return _above(
        f"Nothing was undone. The {which} is {person(last.actor_id)}'s, {relative(last.at)}: {changed(last)}. "
        f"`/{command} others: True` takes it back.",
        staying,
    )


def undone(last: Change, staying: Sequence[str], *, missing: int, by_another: bool) -> str:
    """What holds now; `missing` credits had been spent before."""
    words = [f"Undone: {_setting(last) if last.kind is Kind.SETTING else _credits(last)}."]
    if by_another:
        words.append(f"{person(last.actor_id)} had changed it {relative(last.at)}.")
    if missing:
        words.append(f"{credits(missing)} of it had been spent before and could not be taken back.")
    if last.folded:
        words.append(
            "What came of it so long ago that the ledger does not keep it any more stays as it is: "
            "`/quota show` says what somebody has, and `/quota grant` changes it."
        )
    return _above(" ".join(words), staying)


def _above(first: str, staying: Sequence[str]) -> str:
    """A line, and below it what can't be taken back; a message that is too long is cut there."""
    if not staying:
        return first
    more = ["- and more"] if len(staying) > STAYING else []
    return page([first, "This can't be taken back:", *(f"- {one}" for one in staying[:STAYING]), *more])


_WHY = {
    Obstacle.SAID: "it was announced, and people have read it",
    Obstacle.CANCELLED: "the jobs are gone, and their credits were given back. Their owners can ask anew",
    Obstacle.JUDGED: "moderators decided it. A picture that stands can be reported again; one that was removed is "
    "deleted",
    Obstacle.UNKNOWN: "no setting is on record with it. If something is to be otherwise, set it by its own command",
    Obstacle.ERASED: "somebody whom it names had their data deleted. If something is to be otherwise, set it by its "
    "own command",
    Obstacle.CHANGED: "it was set otherwise since. `/admin rules show` shows what holds; set it by its own command",
    Obstacle.GONE: "what it would bring back was deleted: a role, a channel or a model. Choose another by its own "
    "command",
}


def stays(one: Change, why: Obstacle) -> str:
    """Why a change can't be taken back, and what can be done instead."""
    return f"{changed(one)}, made by {person(one.actor_id)} {relative(one.at)}: {_WHY[why]}."


# --------------------------------------------------------------------------------------------------------- settings

_BAN = re.compile(r"ban of (.*)")
_WORD = re.compile(r"word (`.*`)")
_KEPT = re.compile(r"(?:action|model) (.+)")
_RULES = {"block": "is blocked again", "allow": "is allowed again"}


def _setting(undone: Change) -> str:
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
    """From a halt as the log names it, like "paused (game night)"."""
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


# ---------------------------------------------------------------------------------------------------------- credits


def _credits(undone: Change) -> str:
    """What holds of credits, in half a sentence."""
    people = whom(undone.subject)
    match undone.kind:
        case Kind.ZONE:
            return f"days, weeks and months begin at midnight in {undone.old} again"
        case Kind.CEILING if undone.old is None:
            return "the server as a whole has no ceiling any more"
        case Kind.CEILING:
            return f"the ceiling of the server is {rate(undone.old, '')} again"
        case Kind.FREE:
            action, _, was = (undone.old or "").partition(" ")
            return f"`{action}` {'is free' if was == 'free' else 'costs what its model costs'} again"
        case Kind.IMPORT:
            return f"quotas and bonuses are as they were before the import of {undone.new} lines"
        case Kind.ALLOWANCE:
            return f"the quota of {people} is {rate(undone.old, 'the default')} again"
        case Kind.RESET:
            return f"what {people} used counts again"
    return _grant(undone, people)


def _grant(undone: Change, people: str) -> str:
    """Credits given to a member are the difference of what they had and have; others get `new` each."""
    given = int(undone.new or 0) - int(undone.old or 0)
    if given < 0:
        return f"the {credits(-given)} of bonus taken from {people} are theirs again"
    what = f"grant of {credits(given)}" if undone.ends_at is None else f"boost of {credits(given)}"
    if undone.subject.kind == "user":
        return f"the {what} to {people} is withdrawn"
    return f"the {what} to {people} is withdrawn, and nobody gets it any more"
