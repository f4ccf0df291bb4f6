"""Takes the last change back for an admin, as `/quota undo` and `/admin undo` both do.

One's own goes at once. Another admin's is named first, and so is one before what stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.features.admin._group import Desk
from bot.texts import changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last change that can be taken back: who made it, when, what it was and what holds without it, as people read it."""

    actor_id: int
    at: datetime
    words: str
    now: str


async def undo_last(
    desk: Desk,
    last: Last | None,
    take: Callable[[], Awaitable[str | None]],
    *,
    command: str,
    others: bool,
    staying: Sequence[str] = (),
    later: Sequence[str] = (),
) -> None:
    """Take a change back, or say why not.

    `take` does it and returns what else is to be said, or None where something was changed meanwhile, so that of two
    who undo the same change only one does. `others` confirms what must be named first. `staying` are sentences about
    later changes that can't be taken back, and `later` about what was done for good since, which asks for no
    confirmation.
    """
    if last is None:
        await desk.tell(
            changes.nothing([*later, *staying], kept_days=desk.services.settings.keep_changes_days)
        )
        return
    by = changes.had_changed(last.actor_id, last.at) if last.actor_id != desk.actor_id else ""
    if (by or staying) and not others:
        known = [*later, *staying]
        await desk.tell(changes.named(last.words, last.actor_id, last.at, known, command=command))
        return
    rest = await take()
    await desk.tell(changes.OVERTAKEN if rest is None else changes.undone(last.now, by, rest, later))
