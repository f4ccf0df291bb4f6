"""Options of commands whose choices come from what the features declare."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands


class _Name(app_commands.Transformer):
    """A name among those of the client's `names`. Raises ValueError for another."""

    def __init__(self, names: str) -> None:
        self._names = names

    async def transform(self, interaction: discord.Interaction[Any], value: str, /) -> str:
        if value not in getattr(interaction.client, self._names):
            raise ValueError(value)
        return value

    async def autocomplete(  # type: ignore[override]  # any option's choices may be strings
        self, interaction: discord.Interaction[Any], value: str, /
    ) -> list[app_commands.Choice[str]]:
        names = [one for one in getattr(interaction.client, self._names) if value.casefold() in one]
        return [app_commands.Choice(name=one, value=one) for one in names[:25]]


ActionName = app_commands.Transform[str, _Name("actions")]
"""The name of something that is drawn."""
PermissionName = app_commands.Transform[str, _Name("permissions")]
"""The name of something that admins can keep for roles."""
