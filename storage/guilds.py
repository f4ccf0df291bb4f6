"""Owns what a guild's admins set for it, apart from quotas."""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildSettings:
    """A guild's settings; None where the host's default holds. `default_model` is a key of the catalogue."""

    guild_id: int
    default_model: str | None = None


async def settings(tx: Transaction, guild_id: int) -> GuildSettings:
    """The settings of a guild, defaults for one that never set any."""
    row = await tx.fetch_one("SELECT * FROM guilds WHERE guild_id = ?", (guild_id,))
    return GuildSettings(guild_id=guild_id, default_model=None if row is None else row["default_model"])


async def set_default_model(tx: Transaction, guild_id: int, model: str | None) -> None:
    """Set the model that members get when they name none; None for the host's default."""
    await tx.execute(
        "INSERT INTO guilds (guild_id, default_model) VALUES (?, ?)"
        " ON CONFLICT (guild_id) DO UPDATE SET default_model = excluded.default_model",
        (guild_id, model),
    )
