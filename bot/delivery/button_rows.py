"""The buttons under our messages: where each goes, and what its id says. What one does is in `interactions/buttons.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import discord

from storage.jobs.job import Job

LONGEST_ID, LONGEST_LABEL = 100, 80
"""Characters that Discord takes."""
PROMPT_ID = "prompt:"
"""What the id of a button begins with that draws a prompt, which follows: never to be changed."""
LONGEST_PROMPT = LONGEST_ID - len(PROMPT_ID)
CANCEL = "x"
"""The verb of the button under a progress message."""


class Surface(StrEnum):
    """A kind of message of ours that carries buttons."""

    PROGRESS = "progress"
    """A job that waits or runs."""
    GRID = "grid"
    """A result with all its pictures."""
    SINGLE = "single"
    """One picture at full size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a verb's button goes: the surface, the row from 0, and the order within the row.

    A `numbered` button appears once for each picture, its label followed by the number.
    """

    surface: Surface
    row: int
    order: int = 0
    label: str = ""
    emoji: str | None = None
    numbered: bool = False


def custom_id(verb: str, job_id: str, index: int) -> str:
    """The id of a button. Buttons sent years ago have the same form, so it never changes."""
    return f"easel:{verb}:{job_id}:{index}"


def button(verb: str, job_id: str, index: int, **looks: Any) -> discord.ui.Button[discord.ui.View]:
    """A button about picture `index` of a job (0: all), with the label, emoji and row of `looks`."""
    return discord.ui.Button(custom_id=custom_id(verb, job_id, index), **looks)


def as_view(buttons: Iterable[discord.ui.Button[discord.ui.View]]) -> discord.ui.View:
    """Buttons to send. discord.py is to forget them then: presses are found by their ids."""
    view = discord.ui.View(timeout=None)
    for one in buttons:
        view.add_item(one)
    view.stop()
    return view


def prompt_buttons(prompts: Iterable[str]) -> discord.ui.View:
    """A button for each prompt of at most `LONGEST_PROMPT` characters, flags included, to be drawn at one press."""
    return as_view(
        discord.ui.Button(custom_id=PROMPT_ID + prompt, label=prompt.partition(" --")[0][:LONGEST_LABEL])
        for prompt in prompts
    )


class ButtonRows:
    """The rows of buttons for each kind of message, from the places that features declare for their verbs."""

    def __init__(self, places: Iterable[tuple[str, Place]]) -> None:
        self._places = sorted(places, key=lambda pair: (pair[1].row, pair[1].order))

    def view(self, surface: Surface, job: Job, *, index: int = 0, hidden: Collection[int] = ()) -> discord.ui.View:
        """The buttons of a message. `index` is the picture that a single-image message shows.

        Those of `hidden` pictures can't be pressed.
        """
        return as_view(
            one
            for verb, place in self._places
            if place.surface is surface
            for one in _buttons(verb, place, job, index, hidden)
        )


def _buttons(
    verb: str, place: Place, job: Job, index: int, hidden: Collection[int]
) -> Iterator[discord.ui.Button[discord.ui.View]]:
    if not place.numbered:
        yield button(verb, job.id, index, label=place.label or None, emoji=place.emoji, row=place.row)
        return
    for number in range(1, job.images + 1):
        label, off = f"{place.label}{number}", number in hidden
        yield button(verb, job.id, number, label=label, row=place.row, disabled=off)


def cancels(message: discord.Message, job_id: str) -> bool:
    """Whether a message is a job's progress message: nothing else has its button to cancel it."""
    return has_button(message, CANCEL, job_id)


def has_button(message: discord.Message, verb: str, job_id: str) -> bool:
    """Whether a message carries the button for a verb on all of a job's pictures."""
    items = (item for row in message.components for item in getattr(row, "children", ()))
    return any(getattr(item, "custom_id", None) == custom_id(verb, job_id, 0) for item in items)
