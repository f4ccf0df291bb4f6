"""Whether an order is let in: `decide` says so, and is pure. What is no order asks `policy.py` directly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import NoNewJobs, OverLimit, QueueFull, Refusal, TooSoon
from bot.jobs.orders import Order
from bot.jobs.policy import GuildPolicy, banned
from bot.jobs.requester import Requester
from storage.database import Transaction
from storage.guilds import permissions
from storage.guilds.changes import EVERYWHERE
from storage.guilds.pauses import Halt
from storage.guilds.permissions import EVERYONE, JobsOf, Limit, Thing


def decide(
    policy: GuildPolicy, order: Order, who: Requester, jobs: JobsOf, *, most_waiting: int, now: datetime
) -> Refusal | None:
    """Why an order is refused, or None. `most_waiting` is the host's limit over all servers."""
    if policy.ban is not None:
        return banned(policy.ban)
    for pause in policy.pauses:
        if pause.halt is Halt.DRAINING:
            return NoNewJobs(reason=pause.reason, everywhere=pause.guild_id == EVERYWHERE)
    return (
        policy.closed((who.channel_id, *who.within))
        or policy.kept((Thing.ACTION, order.action), who.role_ids)
        or policy.kept((Thing.MODEL, order.request.sampling.model), who.role_ids)
        or _too_large(policy, order, who)
        or _too_many(policy, who, jobs, most_waiting=most_waiting)
        or _too_soon(policy, who, jobs, now=now)
    )


def _too_large(policy: GuildPolicy, order: Order, who: Requester) -> Refusal | None:
    request = order.request
    longest, pictures = max(request.sampling.width, request.sampling.height), len(request.sampling.seeds)
    for limit, wanted in ((Limit.SIZE, longest), (Limit.PICTURES, pictures)):
        most = policy.amount(limit, who.role_ids)
        if most is not None and wanted > most:
            amounts = policy.rules.limits[limit].items()
            more = [role for role, own in amounts if role != EVERYONE and own >= wanted]
            return OverLimit(limit.value, wanted=wanted, most=most, roles=tuple(sorted(more)))
    return None


def _too_many(policy: GuildPolicy, who: Requester, jobs: JobsOf, *, most_waiting: int) -> Refusal | None:
    if jobs.waiting >= most_waiting:
        return QueueFull(most_waiting)
    here = policy.amount(Limit.WAITING, who.role_ids)
    return QueueFull(here) if here is not None and jobs.waiting_here >= here else None


def _too_soon(policy: GuildPolicy, who: Requester, jobs: JobsOf, *, now: datetime) -> Refusal | None:
    cooldown = policy.amount(Limit.COOLDOWN, who.role_ids)
    if not cooldown or jobs.latest is None:
        return None
    again = jobs.latest + timedelta(seconds=cooldown)
    # A clock that was put back says nothing of how long ago that was.
    return TooSoon(again) if jobs.latest <= now < again else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The terms on which an order is let in."""

    #: How many of the person's jobs may be drawn at once in this server; None for no limit.
    most_running: int | None
    #: Whether drawing is paused.
    paused: bool


async def admit(
    tx: Transaction, order: Order, who: Requester, policy: GuildPolicy, *, most_waiting: int, now: datetime
) -> Admission:
    """Let an order in, or raise the refusal of `decide`."""
    jobs = await permissions.jobs_of(tx, guild_id=who.guild_id, user_id=who.user_id, interaction_id=who.interaction_id)
    refusal = decide(policy, order, who, jobs, most_waiting=most_waiting, now=now)
    if refusal is not None:
        raise refusal
    return Admission(
        most_running=policy.amount(Limit.RUNNING, who.role_ids),
        paused=any(pause.halt is Halt.PAUSED for pause in policy.pauses),
    )
