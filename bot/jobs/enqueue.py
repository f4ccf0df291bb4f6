"""Takes an order into the queue: the job and the credits set aside for it, both or neither."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime

from bot.errors import OverCeiling, OverQuota
from bot.jobs import policy as policies
from bot.jobs.orders import Order
from bot.jobs.permissions import admit
from bot.jobs.policy import GuildPolicy
from bot.jobs.requester import Accepted, Requester
from bot.settings.settings import Settings
from storage.credits import account, ceilings
from storage.credits.balance import balance_of
from storage.database import Transaction
from storage.files import job_ids
from storage.guilds import permissions
from storage.jobs import lifecycle, queue, role_weights, timings
from storage.jobs.job import Job, NewJob
from storage.jobs.scheduling import Workers
from storage.privacy import erasures, users


async def enqueue(
    tx: Transaction,
    order: Order,
    who: Requester,
    policy: GuildPolicy,
    *,
    settings: Settings,
    workers: Workers,
    now: datetime,
    random: random.Random,
) -> Accepted:
    """Queue an order and set its price aside, in the caller's transaction.

    Raises QueueFull, OverQuota, OverCeiling, or `jobs.DuplicateInteraction` when the same interaction was accepted before.
    """
    if await erasures.bring_back(tx, who.user_id):  # they were erased while they asked for this
        place = {"guild_id": who.guild_id, "user_id": who.user_id}
        policy = await policies.load(tx, **place, settings=settings, now=now)
    admission = await admit(tx, order, who, policy, most_waiting=settings.max_waiting, now=now)
    cost = await timings.expect(tx, timings.shape_of(order.request))
    weight = await role_weights.weight_of(tx, guild_id=who.guild_id, role_ids=who.role_ids)
    new = replace(_new_job(order, who, random), cost=cost, weight=weight)
    job = await lifecycle.insert(tx, new, now=now)
    if admission.most_running is not None:
        await permissions.limit_running(tx, job.id, admission.most_running)
    await users.remember(tx, who.user_id, now)
    left = await _pay(tx, job, who, settings=settings, now=now)
    outlook = await queue.outlook(tx, job.id, now=now, workers=workers)
    return Accepted(job=job, ahead=outlook.ahead, seconds=outlook.seconds, left=left, paused=admission.paused)


def _new_job(order: Order, who: Requester, random: random.Random) -> NewJob:
    return NewJob(
        id=job_ids.new_id(random),
        interaction_id=who.interaction_id,
        guild_id=who.guild_id,
        channel_id=who.channel_id,
        user_id=who.user_id,
        action=order.action,
        prompt=order.prompt,
        request=order.request,
        model=order.request.sampling.model,
        images=len(order.request.sampling.seeds),
        price=order.price,
        adult=order.adult,
        parent_id=order.parent_id,
        parent_index=order.parent_index,
    )


async def _pay(tx: Transaction, job: Job, who: Requester, *, settings: Settings, now: datetime) -> int:
    """Set the price aside; the credits that are left then. Raises OverQuota or OverCeiling."""
    balance = await balance_of(
        tx,
        guild_id=who.guild_id,
        user_id=who.user_id,
        role_ids=who.role_ids,
        joined_at=who.joined_at,
        host=settings.host_credits,
        now=now,
    )
    try:
        await account.reserve(
            tx,
            guild_id=who.guild_id,
            user_id=who.user_id,
            job_id=job.id,
            price=job.price,
            allowance=balance.rate,
            now=now,
            bot_ceiling=settings.daily_ceiling,
        )
    except account.QuotaExceeded as error:
        raise OverQuota(
            price=job.price,
            left=balance.left,
            rate=balance.rate,
            resets_at=balance.resets_at,
        ) from error
    except ceilings.CeilingReached as error:
        raise OverCeiling(whose=error.whose, price=job.price, left=error.left, resets_at=error.resets_at) from error
    return balance.left - job.price
