"""`/admin stats`: what was drawn over days, as a chart and in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import discord
from discord import app_commands

from bot.features.admin._group import Desk, admin, opened
from bot.interactions.feature import Feature
from bot.pictures import files
from bot.texts import charts
from bot.texts import statistics as texts
from storage.jobs.statistics import Statistics, statistics
from storage.timestamps import day_of, start_of

_NAMED = 5
_DAYS_APART = 31
"""The most days that have a bar of their own; beyond, a bar is a week."""


@admin.command(name="stats", description="Jobs, drawing time, waits, busiest people and models")
@app_commands.describe(
    days="How far back, today included; a week without it",
    everywhere="Of all servers; only those who run the bot can see that",
)
async def stats(
    interaction: discord.Interaction[Any],
    days: app_commands.Range[int, 1, 365] = 7,
    everywhere: bool = False,
) -> None:
    desk = await opened(interaction)
    guild_id = desk.scope(everywhere)
    since, step, spans = _spans(desk.services.clock(), days)
    async with desk.services.database.reading() as tx:
        found = await statistics(tx, guild_id=guild_id or None, since=since, step=step, spans=spans, limit=_NAMED)
    names = {spec.key: spec.name for spec in desk.services.catalogue.values()}
    await desk.tell(texts.words(found, names, everywhere=everywhere), file=await _chart(desk, found, step.days))


def _spans(now: datetime, days: int) -> tuple[datetime, timedelta, int]:
    """The first moment, the length of a span and how many, so that the last one holds today. Days are UTC days."""
    length = 1 if days <= _DAYS_APART else 7
    count = -(-days // length)
    first = start_of(day_of(now) + 1 - count * length)
    return first, timedelta(days=length), count


async def _chart(desk: Desk, found: Statistics, days: int) -> discord.File:
    limit = desk.services.limits.charts
    async with limit.place(desk.actor_id):
        data = await limit.run(charts.chart, found)
    return files.attachment(data, "stats.png", texts.alt(found, days=days))


FEATURE = Feature()
