"""A guild's settings, apart from credits and permissions."""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Transaction

MAX_APPEAL = 300
"""Characters of an appeal text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildSettings:
    """A guild's settings; None for the host's default, or for none."""

    guild_id: int
    #: A key of the catalogue.
    default_model: str | None = None
    #: Where changes are posted.
    log_channel_id: int | None = None
    #: Its members are admins of the bot without Manage Server.
    admin_role_id: int | None = None
    #: What to do about a refusal that seems mistaken.
    appeal: str | None = None
    #: Where reports go.
    moderators_channel_id: int | None = None


async def settings(tx: Transaction, guild_id: int) -> GuildSettings:
    """The settings of a guild, defaults for one that never set any."""
    row = await tx.fetch_one("SELECT * FROM guilds WHERE guild_id = ?", (guild_id,))
    if row is None:
        return GuildSettings(guild_id=guild_id)
    return GuildSettings(
        guild_id=guild_id,
        default_model=row["default_model"],
        log_channel_id=row["log_channel_id"],
        admin_role_id=row["admin_role_id"],
        appeal=row["appeal"],
        moderators_channel_id=row["moderators_channel_id"],
    )


async def set_default_model(tx: Transaction, guild_id: int, model: str | None) -> None:
    """Set the model that members get when they name none; None for the host's default."""
    await _set(tx, guild_id, "default_model", model)


async def set_log_channel(tx: Transaction, guild_id: int, channel_id: int | None) -> None:
    """Set the channel where changes are posted; None for nowhere."""
    await _set(tx, guild_id, "log_channel_id", channel_id)


async def set_admin_role(tx: Transaction, guild_id: int, role_id: int | None) -> None:
    """Set the role whose members are admins of the bot; None for only those with Manage Server."""
    await _set(tx, guild_id, "admin_role_id", role_id)


async def set_appeal(tx: Transaction, guild_id: int, text: str | None) -> None:
    """Set what people are told to do about a refusal; None for the default."""
    await _set(tx, guild_id, "appeal", text)


async def set_moderators_channel(tx: Transaction, guild_id: int, channel_id: int | None) -> None:
    """Set the channel where reports go; None for nowhere."""
    await _set(tx, guild_id, "moderators_channel_id", channel_id)


async def _set(tx: Transaction, guild_id: int, column: str, value: str | int | None) -> None:
    await tx.execute(
        f"INSERT INTO guilds (guild_id, {column}) VALUES (?, ?)"
        f" ON CONFLICT (guild_id) DO UPDATE SET {column} = excluded.{column}",
        (guild_id, value),
    )
