"""`/quota show|set|grant|reset`: how many credits people get."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import discord
from discord import app_commands

from bot.errors import BadAmount
from bot.features.admin._group import Desk, Per, Reason, opened, quota
from bot.interactions.feature import Feature
from bot.texts import quota as texts
from storage import pseudonyms
from storage.credits import account, allowances, grants, host, ledger, terms
from storage.credits.balance import balance_of, rate_of
from storage.credits.calendar import MAX_CREDITS, Period, Rate
from storage.credits.host import Host
from storage.database import Transaction
from storage.guilds import changes
from storage.guilds.changes import Subject
from storage.privacy import erasures

_CHANGES = 5
_PAGE = 10
"""Lines of a member's history that are shown at once."""

Who = discord.Member | discord.User | discord.Role
"""Whom an option means; those who left the server are found by their ids."""


def _subject(who: Who | None, guild_id: int) -> Subject:
    """Whom an option means; nobody named, or the @everyone role, means everyone."""
    if who is None or who.id == guild_id:
        return Subject(kind="everyone")
    return Subject(kind="role" if isinstance(who, discord.Role) else "user", id=who.id)


async def _allowance(tx: Transaction, desk: Desk, who: Who | None) -> Rate:
    """The allowance of a member; for a role or everyone, that of people for whom nothing else is set."""
    return await rate_of(
        tx,
        guild_id=desk.guild_id,
        user_id=0 if who is None else await pseudonyms.standing(tx, who.id),
        role_ids=[role.id for role in who.roles] if isinstance(who, discord.Member) else [],
        host=desk.services.settings.host_credits,
    )


@quota.command(name="show", description="A member's credits and history, or the server's quotas and latest changes")
@app_commands.describe(who="A member; nobody for the whole server", page="Of a member's history, from 1")
async def show(
    interaction: discord.Interaction[Any],
    who: discord.Member | discord.User | None = None,
    page: app_commands.Range[int, 1, 100_000] = 1,
) -> None:
    desk = await opened(interaction)
    granted = desk.services.settings.host_credits
    # Gifts are theirs once they use Easel: to look at a member writes nothing about them.
    async with desk.services.database.supposing() as tx:
        if who is None:
            rules = await allowances.allowances(tx, desk.guild_id)
            latest = await changes.latest(tx, desk.guild_id, limit=_CHANGES, only_credits=True)
            here = await terms.terms(tx, desk.guild_id)
            month = await host.budget(tx, granted, guild_id=desk.guild_id, now=desk.services.clock())
            words = texts.server(rules, latest, here, default=granted.usual, month=month)
        else:
            place = {"guild_id": desk.guild_id, "user_id": who.id}
            await erasures.bring_back(tx, who.id)
            balance = await _balance(tx, who, **place, host=granted, now=desk.services.clock())
            pages = max(1, -(-await ledger.count(tx, **place) // _PAGE))
            number = min(page, pages)
            lines = await ledger.history(tx, **place, limit=_PAGE, skip=(number - 1) * _PAGE)
            words = texts.account(who.id, balance, lines, number=number, pages=pages)
    await desk.tell(words)


async def _balance(
    tx: Transaction,
    who: discord.Member | discord.User,
    *,
    guild_id: int,
    user_id: int,
    host: Host,
    now: datetime,
) -> account.Balance:
    """The balance of a member, or of somebody who left: gifts to everyone are not for them."""
    member = {"guild_id": guild_id, "user_id": user_id}
    if isinstance(who, discord.Member):
        roles = [role.id for role in who.roles]
        return await balance_of(tx, **member, role_ids=roles, joined_at=who.joined_at, host=host, now=now)
    rate = await rate_of(tx, **member, role_ids=[], host=host)
    return await account.balance(tx, **member, allowance=rate, now=now)


@quota.command(name="set", description="Set how many credits somebody gets each day, week or month")
@app_commands.describe(
    credits="How many; leave out to go back to the default",
    who="A member or role; nobody for everyone",
    per="In which time; a day if left out",
    reason="Why; it is recorded",
)
async def set_(
    interaction: discord.Interaction[Any],
    credits: app_commands.Range[int, 0, MAX_CREDITS] | None = None,
    who: Who | None = None,
    per: Per = "day",
    reason: Reason | None = None,
) -> None:
    desk = await opened(interaction)
    subject = _subject(who, desk.guild_id)
    rate = None if credits is None else Rate(credits, Period(per))
    async with desk.changing() as record:
        desk.services.settings.host_credits.check_rate(rate)
        await allowances.set_allowance(
            record.tx,
            guild_id=desk.guild_id,
            subject=subject,
            rate=rate,
            actor_id=desk.actor_id,
            now=desk.services.clock(),
            reason=reason or "",
        )
    await desk.tell(texts.was_set(subject, rate))


@quota.command(name="grant", description="Give bonus credits, which stay until they are used, or a boost, which ends")
@app_commands.describe(
    credits="How many; less than zero takes bonus credits away from a member",
    who="A member or role, also for those who get the role later; nobody for everyone",
    days="Makes it a boost that ends after so many days",
    reason="Why; it is recorded",
)
async def grant(
    interaction: discord.Interaction[Any],
    credits: app_commands.Range[int, -MAX_CREDITS, MAX_CREDITS],
    who: Who | None = None,
    days: app_commands.Range[int, 1, 366] | None = None,
    reason: Reason | None = None,
) -> None:
    desk = await opened(interaction)
    subject = _subject(who, desk.guild_id)
    now = desk.services.clock()
    ends_at = now + timedelta(days=days) if days else None
    try:
        async with desk.changing() as record:
            await grants.give(
                record.tx,
                guild_id=desk.guild_id,
                subject=subject,
                credits=credits,
                actor_id=desk.actor_id,
                reason=reason or "",
                now=now,
                ends_at=ends_at,
                host=desk.services.settings.host_credits,
            )
    except ValueError as error:
        raise BadAmount(str(error)) from error
    await desk.tell(texts.granted(subject, credits, ends_at))


@quota.command(name="reset", description="Give back what was used today, or this week or month")
@app_commands.describe(who="A member or role; nobody for everyone", reason="Why; it is recorded")
async def reset(interaction: discord.Interaction[Any], who: Who | None = None, reason: Reason | None = None) -> None:
    desk = await opened(interaction)
    subject = _subject(who, desk.guild_id)
    async with desk.changing() as record:
        rate = await _allowance(record.tx, desk, who)
        await grants.forgive(
            record.tx,
            guild_id=desk.guild_id,
            subject=subject,
            allowance=rate,
            actor_id=desk.actor_id,
            now=desk.services.clock(),
            reason=reason or "",
            host=desk.services.settings.host_credits,
        )
    await desk.tell(texts.was_reset(subject, rate))


FEATURE = Feature(
    commands=(quota,),
    help=(
        "**/quota** (admins) shows, sets, grants and resets credits for a member, a role or everyone, undoes changes, "
        "and exports and imports them.",
    ),
)
