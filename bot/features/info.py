"""`/info`: one's balance and jobs."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.interactions import unposted
from bot.interactions.error_handler import acknowledge
from bot.interactions.feature import Feature
from bot.interactions.requester import requester
from bot.services import Services
from bot.texts import member
from storage.credits.balance import balance_of
from storage.jobs import queries

_RECENT = 5


@app_commands.command(name="info", description="Your credits and your jobs")
@app_commands.guild_only()
async def info(interaction: discord.Interaction[Any]) -> None:
    await acknowledge(interaction, thinking=True)
    services: Services = interaction.client.services
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    place = {"guild_id": who.guild_id, "user_id": who.user_id}
    async with services.database.transaction() as tx:
        balance = await balance_of(
            tx,
            **place,
            role_ids=who.role_ids,
            joined_at=who.joined_at,
            host=services.settings.host_credits,
            now=services.clock(),
        )
        active = await queries.active(tx, **place)
        recent = await queries.recent(tx, **place, limit=_RECENT)
    await interaction.followup.send(member.info(balance, active, recent), ephemeral=True)
    found = await unposted.of_member(services, **place, channel=interaction.channel, limit=interaction.filesize_limit)
    if found.shown or found.elsewhere:
        words = member.unposted(found.shown, elsewhere=found.elsewhere)
        await interaction.followup.send(words, files=found.files, ephemeral=True)
        await unposted.seen(services, found.shown)


FEATURE = Feature(
    commands=(info,),
    help=("**/info** shows your credits, your latest jobs, and results that could be posted nowhere.",),
)
