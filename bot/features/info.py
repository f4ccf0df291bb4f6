"""`/info`: one's balance and jobs."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot import pages, unposted
from bot.boundary import acknowledge
from bot.feature import Feature, Studio, requester
from storage.credits.balance import balance_of
from storage.jobs import queries

_RECENT = 5


@app_commands.command(name="info", description="Your credits and your jobs")
@app_commands.guild_only()
async def info(interaction: discord.Interaction[Any]) -> None:
    await acknowledge(interaction, thinking=True)
    studio: Studio = interaction.client.studio
    who = requester(interaction.user, interaction.channel, interaction_id=interaction.id)
    place = {"guild_id": who.guild_id, "user_id": who.user_id}
    async with studio.database.transaction() as tx:
        balance = await balance_of(
            tx,
            **place,
            role_ids=who.role_ids,
            joined_at=who.joined_at,
            host=studio.settings.host_credits,
            now=studio.clock(),
        )
        active = await queries.active(tx, **place)
        recent = await queries.recent(tx, **place, limit=_RECENT)
    await interaction.followup.send(pages.info(balance, active, recent), ephemeral=True)
    found = await unposted.of_member(
        studio, **place, channel=interaction.channel, limit=interaction.filesize_limit
    )
    if found.shown or found.elsewhere:
        words = pages.unposted(found.shown, elsewhere=found.elsewhere)
        await interaction.followup.send(words, files=found.files, ephemeral=True)
        await unposted.seen(studio, found.shown)


FEATURE = Feature(
    commands=(info,),
    help=("**/info** shows your credits, your latest jobs, and results that could be posted nowhere.",),
)
