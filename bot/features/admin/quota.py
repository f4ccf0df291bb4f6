"""`/quota show|set|grant|reset|undo`: how many credits people get."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import discord
from discord import app_commands

from bot.errors import BadAmount
from bot.features.admin._group import opened
from bot.features.admin._quota_group import Per, Who, allowance_of, changing, quota, subject_of
from bot.features.admin._undoing import Last, undo_last
from bot.interactions.feature import Feature
from bot.texts import quota as text_quota
from bot.texts import undo as text_undo
from storage.credits import account as credit_account
from storage.credits import allowances, grants, ledger, terms
from storage.credits import changes as credit_changes
from storage.credits import host as credit_host
from storage.credits import undo as credits_undo
from storage.credits.balance import balance_of, rate_of
from storage.credits.calendar import MAX_CREDITS, Period, Rate
from storage.credits.host import Host
from storage.database import Transaction
from storage.privacy import erasures

_CHANGES = 5
_PAGE = 10
"""Lines of a member's history that are shown at once."""

Reason = app_commands.Range[str, 1, 200]


@quota.command(
    name="show", description="A member's credits and history, or the server's quotas and latest changes"
)
@app_commands.describe(who="A member; nobody for the whole server", page="Of a member's history, from 1")
async def show(
    interaction: discord.Interaction[Any],
    who: discord.Member | discord.User | None = None,
    page: app_commands.Range[int, 1, 100_000] = 1,
) -> None:
    desk = await opened(interaction)
    host = desk.services.settings.host_credits
    # Gifts are theirs once they use Easel: to look at a member writes nothing about them.
    async with desk.services.database.supposing() as tx:
        if who is None:
            rules = await allowances.allowances(tx, desk.guild_id)
            changes = await credit_changes.changes(tx, desk.guild_id, limit=_CHANGES)
            here = await terms.terms(tx, desk.guild_id)
            month = await credit_host.budget(tx, host, guild_id=desk.guild_id, now=desk.services.clock())
            words = text_quota.server(rules, changes, here, default=host.usual, month=month)
        else:
            place = {"guild_id": desk.guild_id, "user_id": who.id}
            await erasures.bring_back(tx, who.id)
            balance = await _balance(tx, who, **place, host=host, now=desk.services.clock())
            pages = max(1, -(-await ledger.count(tx, **place) // _PAGE))
            number = min(page, pages)
            lines = await ledger.history(tx, **place, limit=_PAGE, skip=(number - 1) * _PAGE)
            words = text_quota.account(who.id, balance, lines, number=number, pages=pages)
    await desk.tell(words)


async def _balance(
    tx: Transaction,
    who: discord.Member | discord.User,
    *,
    guild_id: int,
    user_id: int,
    host: Host,
    now: datetime,
) -> credit_account.Balance:
    """The balance of a member, or of somebody who left: gifts to everyone are not for them."""
    account = {"guild_id": guild_id, "user_id": user_id}
    if isinstance(who, discord.Member):
        roles = [role.id for role in who.roles]
        return await balance_of(tx, **account, role_ids=roles, joined_at=who.joined_at, host=host, now=now)
    rate = await rate_of(tx, **account, role_ids=[], host=host)
    return await credit_account.balance(tx, **account, allowance=rate, now=now)


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
    subject = subject_of(who, desk.guild_id)
    rate = None if credits is None else Rate(credits, Period(per))
    async with changing(desk) as tx:
        desk.services.settings.host_credits.check_rate(rate)
        await allowances.set_allowance(
            tx,
            guild_id=desk.guild_id,
            subject=subject,
            rate=rate,
            actor_id=desk.actor_id,
            now=desk.services.clock(),
            reason=reason or "",
        )
    await desk.tell(text_quota.was_set(subject, rate))


@quota.command(
    name="grant", description="Give bonus credits, which stay until they are used, or a boost, which ends"
)
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
    subject = subject_of(who, desk.guild_id)
    now = desk.services.clock()
    ends_at = now + timedelta(days=days) if days else None
    try:
        async with changing(desk) as tx:
            await grants.give(
                tx,
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
    await desk.tell(text_quota.granted(subject, credits, ends_at))


@quota.command(name="reset", description="Give back what was used today, or this week or month")
@app_commands.describe(who="A member or role; nobody for everyone", reason="Why; it is recorded")
async def reset(
    interaction: discord.Interaction[Any], who: Who | None = None, reason: Reason | None = None
) -> None:
    desk = await opened(interaction)
    subject = subject_of(who, desk.guild_id)
    async with changing(desk) as tx:
        rate = await allowance_of(tx, desk, who)
        await grants.forgive(
            tx,
            guild_id=desk.guild_id,
            subject=subject,
            allowance=rate,
            actor_id=desk.actor_id,
            now=desk.services.clock(),
            reason=reason or "",
            host=desk.services.settings.host_credits,
        )
    await desk.tell(text_quota.was_reset(subject, rate))


@quota.command(
    name="undo",
    description="Take back the last change of credits; again for the one before",
)
@app_commands.describe(others="Also where another admin made that change")
async def undo(interaction: discord.Interaction[Any], others: bool = False) -> None:
    desk = await opened(interaction)
    async with desk.services.database.reading() as tx:
        last = await credit_changes.last_to_undo(tx, desk.guild_id)

    async def take() -> str | None:
        async with changing(desk) as tx:
            if await credit_changes.last_to_undo(tx, desk.guild_id) != last:
                return None
            done = await credits_undo.undo(
                tx, guild_id=desk.guild_id, actor_id=desk.actor_id, now=desk.services.clock()
            )
        return text_quota.not_taken_back(done)

    found = None
    if last is not None:
        words, now = text_quota.change(last), text_undo.quota(last)
        found = Last(actor_id=last.actor_id, at=last.at, words=words, now=now)
    await undo_last(desk, found, take, command="quota undo", others=others)


FEATURE = Feature(
    commands=(quota,),
    help=(
        "**/quota** (admins) shows, sets, grants and resets credits for a member, a role or everyone, undoes changes, "
        "and exports and imports them.",
    ),
)
