"""`/quota timezone|ceiling|free`: when the server's days begin, what it may spend, and what costs nothing."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.errors import UnknownZone
from bot.features.admin._group import CHOICES, Per, opened, quota
from bot.interactions.feature import Feature
from bot.interactions.options import ActionName
from bot.texts import quota as texts
from storage.credits import terms
from storage.credits.calendar import MAX_CREDITS, Period, Rate, find_zone, span_of, zones_like


@quota.command(name="timezone", description="Set the time zone in which days, weeks and months begin here")
@app_commands.describe(zone="Like Europe/Berlin")
async def timezone(interaction: discord.Interaction[Any], zone: app_commands.Range[str, 1, 100]) -> None:
    desk = await opened(interaction)
    found = find_zone(zone)
    if found is None:
        raise UnknownZone(zone)
    now = desk.services.clock()
    async with desk.changing() as record:
        await terms.set_zone(record.tx, guild_id=desk.guild_id, zone=found, actor_id=desk.actor_id, now=now)
    await desk.tell(texts.zone_is(found, span_of(Period.DAY, now, found).ends_at))


@timezone.autocomplete("zone")
async def zones(_: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=name, value=name) for name in zones_like(current, limit=CHOICES)]


@quota.command(name="ceiling", description="Set how many credits all members together may spend")
@app_commands.describe(credits="How many; leave out for no limit", per="In which time; a day if left out")
async def ceiling(
    interaction: discord.Interaction[Any],
    credits: app_commands.Range[int, 0, MAX_CREDITS] | None = None,
    per: Per = "day",
) -> None:
    desk = await opened(interaction)
    rate = None if credits is None else Rate(credits, Period(per))
    async with desk.changing() as record:
        await terms.set_ceiling(
            record.tx, guild_id=desk.guild_id, ceiling=rate, actor_id=desk.actor_id, now=desk.services.clock()
        )
    await desk.tell(texts.ceiling_is(rate))


@quota.command(name="free", description="Make an action free in this server, or let it cost again")
@app_commands.describe(action="Which one", free="Whether it is free from now on")
async def free_(interaction: discord.Interaction[Any], action: ActionName, free: bool) -> None:
    desk = await opened(interaction)
    async with desk.changing() as record:
        desk.services.settings.host_credits.check_free(free)
        await terms.set_free(
            record.tx,
            guild_id=desk.guild_id,
            action=action,
            free=free,
            actor_id=desk.actor_id,
            now=desk.services.clock(),
        )
    await desk.tell(texts.free_is(action, free))


FEATURE = Feature()
