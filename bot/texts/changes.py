"""What admins read of the record of changes: its list, the lines in the log channel, and what is undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.texts.common import person, relative
from bot.texts.member import leaf, page
from storage.guilds.changes import EVERYWHERE, Change, Obstacle

UNSET = "not set"

OVERTAKEN = "Nothing was undone: somebody changed something at the same moment. Look at it, and try again."

_LONGEST = 350
"""Characters of a value that are shown; a list of channels can have many more."""

STAYING = 3
"""As many changes that stay are named."""


def change(one: Change) -> str:
    """A line in the log channel."""
    return f"{person(one.actor_id)} · {changed(one)}"


def changed(one: Change) -> str:
    """What was changed, from what to what."""
    return f"**{one.what}**{_scope(one)}: {value(one.old)} → {value(one.new)}"


def value(text: str | None) -> str:
    """A value of the record, at most as long as is shown."""
    text = text or UNSET
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def changes(latest: Sequence[Change], *, number: int) -> str:
    """A page of the answer to `/admin changes`."""
    if not latest:
        return "Nothing has been changed yet. `/quota show` has the changes of credits."
    return leaf(["**Latest changes**", *(f"- {relative(one.at)} {change(one)}" for one in latest)], number)


def _scope(one: Change) -> str:
    return " everywhere" if one.guild_id == EVERYWHERE else ""


def log_out_of_reach(channel_id: int) -> str:
    """Beside an answer, where the log channel did not take the line."""
    return f"-# It is recorded, but I can't post in the log channel <#{channel_id}>. Choose one with `/admin log`."


def log_is(channel_id: int | None) -> str:
    """The answer to `/admin log`."""
    if channel_id is None:
        return "Changes are no longer posted. `/admin changes` still shows them."
    return f"Changes are posted in <#{channel_id}> from now on."


def named(words: str, actor_id: int, at: datetime, staying: Sequence[str], *, command: str) -> str:
    """Before another admin's change is taken back, or one before changes that stay."""
    which = "last change that can be taken back" if staying else "last change"
    return _above(
        f"Nothing was undone. The {which} is {person(actor_id)}'s, {relative(at)}: {words}. "
        f"`/{command} others: True` takes it back.",
        staying,
    )


def nothing(staying: Sequence[str], *, kept_days: int) -> str:
    """Where no change can be taken back; `kept_days` is how long changes are kept, 0 for ever."""
    older = f" Changes are kept for {kept_days} days." if kept_days else ""
    if not staying:
        return f"There is nothing to undo.{older}"
    return _above(f"Nothing was undone. There is no other change to undo.{older}", staying)


def _above(first: str, staying: Sequence[str]) -> str:
    """A line, and below it what can't be taken back: that is what is cut where a message would be too long."""
    if not staying:
        return first
    more = ["- and more"] if len(staying) > STAYING else []
    return page([first, "This can't be taken back:", *(f"- {one}" for one in staying[:STAYING]), *more])


def made(actor_id: int, at: datetime) -> str:
    """Who made a change, and when."""
    return f", made by {person(actor_id)} {relative(at)}"


def undone(now: str, by: str, rest: str, later: Sequence[str]) -> str:
    """A change was taken back: `now` is what holds, `by` a sentence on who had made it.

    `rest` is one on what of it was not taken back, and `later` are some on what stays.
    """
    first = " ".join(part for part in (f"Undone: {now}.", by, rest) if part)
    return _above(first, later)


def had_changed(actor_id: int, at: datetime) -> str:
    """Who had made a change that was taken back, and when."""
    return f"{person(actor_id)} had changed it {relative(at)}."


_WHY = {
    Obstacle.SAID: "it has been read. A new announcement can correct it",
    Obstacle.CANCELLED: "the jobs are gone, and their credits were given back. Their owners can ask anew",
    Obstacle.JUDGED: "moderators decided it. A picture that stands can be reported again; one that was removed is "
    "deleted",
    Obstacle.UNKNOWN: "no setting is on record with it. If something is to be otherwise, set it by its own command",
    Obstacle.ERASED: "somebody whom it names had their data deleted. If something is to be otherwise, set it by its "
    "own command",
    Obstacle.CHANGED: "it was set otherwise since. `/admin rules` shows what holds; set it by its own command",
    Obstacle.GONE: "what it would bring back was deleted: a role, a channel or a model. Choose another by its own "
    "command",
}


def stays(one: Change, why: Obstacle) -> str:
    """Why a change can't be taken back, and what can be done instead."""
    return f"{changed(one)}{made(one.actor_id, one.at)}: {_WHY[why]}."
