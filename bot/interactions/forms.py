"""Verbs that ask for words before they are done: a press opens a form, and what is typed there does it.

Discord takes a form (a "modal") only as the first answer to a press, within three seconds. So the press is looked up
before it is answered. What is submitted is checked again like a press: minutes may have passed, and a restart.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import discord

from bot.connection.snowflakes import INDEX
from bot.errors import FormTooSlow

_T = TypeVar("_T")

LONGEST = 300
"""Characters of a field."""

_SECONDS = 2.0
"""How long the look-up may take, so that Discord has its answer in time."""
_ID = re.compile(rf"easel-form:(?P<verb>[a-z_]+):(?P<job>[a-z0-9]+):(?P<index>{INDEX})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A text that a form asks for: `name` is its key in `Ask.typed`."""

    name: str
    label: str
    placeholder: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form shows."""

    title: str
    fields: Sequence[Field]


async def within_time(look_up: Awaitable[_T]) -> _T:
    """What a look-up returns. Raises FormTooSlow if it takes so long that no form could open any more."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await look_up
    except TimeoutError:
        raise FormTooSlow from None


async def show(interaction: discord.Interaction[Any], form: Form, verb: str, job_id: str, index: int) -> None:
    """Open a form about a job's picture. Its id says what it is for, so it can be submitted after a restart."""
    modal = discord.ui.Modal(title=form.title, timeout=None, custom_id=f"easel-form:{verb}:{job_id}:{index}")
    for field in form.fields:
        text: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=field.name,
            style=discord.TextStyle.paragraph,
            placeholder=field.placeholder,
            required=field.required,
            max_length=LONGEST,
        )
        modal.add_item(discord.ui.Label(text=field.label, component=text))
    modal.stop()  # discord.py is to forget it: what is submitted is found by the form's id
    await interaction.response.send_modal(modal)


def read_id(interaction: discord.Interaction[Any]) -> tuple[str, str, int] | None:
    """The verb, the job and the picture of a form that was submitted; None for what is no form of ours."""
    data: Any = interaction.data or {}
    found = _ID.fullmatch(str(data.get("custom_id", "")))
    return (found["verb"], found["job"], int(found["index"])) if found else None


def typed(interaction: discord.Interaction[Any]) -> Mapping[str, str]:
    """What was typed into a form, by its fields' names."""
    fields: dict[str, str] = {}
    data: Any = interaction.data or {}
    for row in data.get("components", ()):
        for part in (row.get("component"), *row.get("components", ())):
            if part and "custom_id" in part:
                fields[part["custom_id"]] = str(part.get("value") or "")[:LONGEST].strip()
    return fields
