"""Who may ask for what, where: `decide` is the one place that says so, and it is pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from bot.errors import (
    Banned,
    ClosedChannel,
    KeptForRoles,
    NoNewJobs,
    OverLimit,
    QueueFull,
    Refusal,
    ServerOnly,
    TimedOut,
    TooSoon,
)
from bot.jobs.orders import Most, Order
from bot.jobs.seams import Requester
from storage.database import Transaction
from storage.guilds import bans, pauses, permissions
from storage.guilds import settings as guild_settings
from storage.guilds.bans import Ban
from storage.guilds.changes import EVERYWHERE
from storage.guilds.pauses import Halt, Pause
from storage.guilds.permissions import EVERYONE, Limit, Rules, Thing
from storage.moderation import strikes

Doing = Literal["imagine", "vary", "reroll", "upscale", "mail", "describe"]
"""What admins can keep for roles: jobs by their action, U, ✉️, and /describe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for. `places` are the channel and what it stands in: a thread's channel, a category.

    `size` is the longer side in pixels.
    """

    places: Collection[int]
    role_ids: Collection[int]
    action: str
    model: str
    size: int
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of the person at this moment: their waiting jobs anywhere and in this server, and the moment of
    their latest job here."""

    ban: Ban | None = None
    pauses: Sequence[Pause] = field(default=())
    waiting: int = 0
    waiting_here: int = 0
    latest: datetime | None = None


def decide(
    rules: Rules, wish: Wish, standing: Standing, *, most_waiting: int, now: datetime
) -> Refusal | None:
    """Why the wish is refused, or None. `most_waiting` is the host's limit over all servers."""
    if standing.ban is not None:
        return Banned(reason=standing.ban.reason, everywhere=standing.ban.guild_id == EVERYWHERE)
    for pause in standing.pauses:
        if pause.halt is Halt.DRAINING:
            return NoNewJobs(reason=pause.reason, everywhere=pause.guild_id == EVERYWHERE)
    return (
        _closed(rules, wish.places)
        or _kept_for_others(rules, wish)
        or _over_a_limit(rules, wish, standing, most_waiting=most_waiting, now=now)
    )


def _closed(rules: Rules, places: Collection[int]) -> Refusal | None:
    if rules.channels is None or not rules.channels.isdisjoint(places):
        return None
    return ClosedChannel(tuple(sorted(rules.channels)))


def _kept_for_others(rules: Rules, wish: Wish) -> Refusal | None:
    return _kept(rules, (Thing.ACTION, wish.action), wish.role_ids) or _kept(
        rules, (Thing.MODEL, wish.model), wish.role_ids
    )


def _kept(rules: Rules, thing: tuple[Thing, str], role_ids: Collection[int]) -> Refusal | None:
    roles = rules.roles.get(thing)
    if roles is None or not roles.isdisjoint(role_ids):
        return None
    return KeptForRoles(thing[1], tuple(sorted(roles)))


def _over_a_limit(
    rules: Rules, wish: Wish, standing: Standing, *, most_waiting: int, now: datetime
) -> Refusal | None:
    for limit, wanted in ((Limit.SIZE, wish.size), (Limit.PICTURES, wish.pictures)):
        most = amount(rules, limit, wish.role_ids)
        if most is not None and wanted > most:
            more = [role for role, own in rules.limits[limit].items() if role != EVERYONE and own >= wanted]
            return OverLimit(limit.value, wanted=wanted, most=most, roles=tuple(sorted(more)))
    if standing.waiting >= most_waiting:
        return QueueFull(most_waiting)
    here = amount(rules, Limit.WAITING, wish.role_ids)
    if here is not None and standing.waiting_here >= here:
        return QueueFull(here)
    cooldown = amount(rules, Limit.COOLDOWN, wish.role_ids) or 0
    if cooldown and standing.latest is not None:
        again = standing.latest + timedelta(seconds=cooldown)
        if standing.latest <= now < again:  # a clock that was put back says nothing of how long ago that was
            return TooSoon(again)
    return None


def amount(rules: Rules, limit: Limit, role_ids: Collection[int]) -> int | None:
    """A person's limit: the most generous of their roles' amounts, then everyone's; None for no limit."""
    amounts = rules.limits.get(limit, {})
    own = [amounts[role] for role in role_ids if role in amounts]
    if own:
        return min(own) if limit is Limit.COOLDOWN else max(own)
    return amounts.get(EVERYONE)


async def most(tx: Transaction, who: Requester) -> Most:
    """The most that a person may ask for in their server."""
    rules = await permissions.rules(tx, who.guild_id)
    return Most(
        pictures=amount(rules, Limit.PICTURES, who.role_ids), size=amount(rules, Limit.SIZE, who.role_ids)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The terms on which a wish is let in: how many of the person's jobs may be drawn at once in this server, None for
    no limit, and whether drawing is paused."""

    most_running: int | None
    paused: bool


async def admit(
    tx: Transaction, order: Order, who: Requester, *, most_waiting: int, now: datetime
) -> Admission:
    """Let an order in, or raise the refusal of `decide`."""
    rules = await permissions.rules(tx, who.guild_id)
    halts = await pauses.pauses(tx, who.guild_id)
    jobs = await permissions.jobs_of(
        tx, guild_id=who.guild_id, user_id=who.user_id, interaction_id=who.interaction_id
    )
    standing = Standing(
        ban=await bans.of_person(tx, guild_id=who.guild_id, user_id=who.user_id),
        pauses=halts,
        waiting=jobs.waiting,
        waiting_here=jobs.waiting_here,
        latest=jobs.latest,
    )
    wish = Wish(
        places=(who.channel_id, *who.within),
        role_ids=who.role_ids,
        action=order.action,
        model=order.request.model,
        size=max(order.request.width, order.request.height),
        pictures=len(order.request.seeds),
    )
    refusal = decide(rules, wish, standing, most_waiting=most_waiting, now=now)
    if refusal is not None:
        raise refusal
    return Admission(
        most_running=amount(rules, Limit.RUNNING, who.role_ids),
        paused=any(pause.halt is Halt.PAUSED for pause in halts),
    )


async def only_allowed(tx: Transaction, who: Requester, doing: Doing, *, posts: bool) -> None:
    """Raises KeptForRoles for what is no job and may not be done, and ClosedChannel where its result would be posted."""
    rules = await permissions.rules(tx, who.guild_id)
    closed = _closed(rules, (who.channel_id, *who.within)) if posts else None
    refusal = closed or _kept(rules, (Thing.ACTION, doing), who.role_ids)
    if refusal is not None:
        raise refusal


async def only_welcome(tx: Transaction, *, guild_id: int, user_id: int) -> None:
    """Raises Banned for people who may not use the bot here."""
    ban = await bans.of_person(tx, guild_id=guild_id, user_id=user_id)
    if ban is not None:
        raise Banned(reason=ban.reason, everywhere=ban.guild_id == EVERYWHERE)


async def only_admitted(
    tx: Transaction, *, guild_id: int | None, user_id: int, now: datetime, longest: timedelta
) -> None:
    """Raises Banned or TimedOut for who may ask for nothing in the guild. No timeout lasts longer than `longest`.

    Without a guild, in direct messages, a timeout or ban anywhere counts: else they would be a way around it. Whoever is
    banned in one guild is sent to the others, with ServerOnly.
    """
    if guild_id is not None:
        await only_welcome(tx, guild_id=guild_id, user_id=user_id)
    elif (ban := await bans.anywhere(tx, user_id)) is not None:
        if ban.guild_id == EVERYWHERE:
            raise Banned(reason=ban.reason, everywhere=True)
        raise ServerOnly
    until = await strikes.timed_out_until(tx, guild_id=guild_id, user_id=user_id, now=now, longest=longest)
    if until is not None:
        appeal = None if guild_id is None else (await guild_settings.settings(tx, guild_id)).appeal
        raise TimedOut(until, appeal=appeal)
