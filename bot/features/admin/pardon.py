"""`/admin pardon`: ends the timeout of somebody who was refused too often."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.features.admin._group import admin, opened
from bot.interactions.feature import Feature
from bot.texts import common, moderation
from storage import pseudonyms
from storage.moderation import strikes


@admin.command(name="pardon", description="End somebody's timeout after too many refusals, and forget those")
@app_commands.describe(who="The member, or the id of somebody who left")
async def pardon(interaction: discord.Interaction[Any], who: discord.User) -> None:
    desk = await opened(interaction)
    async with desk.changing() as record:
        member = {"guild_id": desk.guild_id, "user_id": await pseudonyms.standing(record.tx, who.id)}
        until = await strikes.timed_out_until(
            record.tx, **member, now=desk.services.clock(), longest=desk.services.settings.timeout
        )
        await strikes.pardon(record.tx, **member)
        old = f"until {common.relative(until)}" if until else None
        await record.note(f"timeout of <@{who.id}>", old=old, new="pardoned")
    await desk.tell(moderation.pardoned(who.id))


FEATURE = Feature(
    commands=(admin,),
    help=("**/admin pardon** (admins) ends a timeout that somebody got for too many refusals.",),
)
