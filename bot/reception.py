"""Takes an order into the queue: the job and the credits set aside for it, both or neither."""

from __future__ import annotations

import random
from datetime import datetime

from bot.access import admit
from bot.balances import balance_of
from bot.errors import OverQuota
from bot.orders import Order
from bot.seams import Accepted, Requester
from bot.settings import Settings
from generation.contract import to_json
from storage import access, jobs, quotas, users
from storage.database import Transaction
from storage.jobs import Job


async def enrol(
    tx: Transaction, order: Order, who: Requester, *, settings: Settings, now: datetime, random: random.Random
) -> Accepted:
    """Queue an order and set its price aside, in the caller's transaction.

    Raises QueueFull, OverQuota, or `jobs.DuplicateInteraction` when the same interaction was accepted before.
    """
    admission = await admit(tx, order, who, most_waiting=settings.max_waiting, now=now)
    job = await jobs.insert(tx, _new_job(order, who, random), now=now)
    if admission.most_running is not None:
        await access.limit_running(tx, job.id, admission.most_running)
    await users.remember(tx, who.user_id, now)
    left = await _pay(tx, job, who, default=settings.daily_credits, now=now)
    ahead = await jobs.position(tx, job.id)
    each = await jobs.average_seconds(tx, job.model)
    seconds = each * ahead if each else None
    return Accepted(job=job, ahead=ahead, seconds=seconds, left=left, paused=admission.paused)


def _new_job(order: Order, who: Requester, random: random.Random) -> jobs.NewJob:
    return jobs.NewJob(
        id=jobs.new_id(random),
        interaction_id=who.interaction_id,
        guild_id=who.guild_id,
        channel_id=who.channel_id,
        user_id=who.user_id,
        action=order.action,
        prompt=order.prompt,
        request=to_json(order.request),
        model=order.request.model,
        images=len(order.request.seeds),
        price=order.price,
        parent_id=order.parent_id,
        parent_index=order.parent_index,
    )


async def _pay(tx: Transaction, job: Job, who: Requester, *, default: int, now: datetime) -> int:
    """Set the price aside; the credits that are left then. Raises OverQuota."""
    balance = await balance_of(
        tx,
        guild_id=who.guild_id,
        user_id=who.user_id,
        role_ids=who.role_ids,
        joined_at=who.joined_at,
        default=default,
        now=now,
    )
    try:
        await quotas.reserve(
            tx,
            guild_id=who.guild_id,
            user_id=who.user_id,
            job_id=job.id,
            price=job.price,
            allowance=balance.allowance,
            now=now,
        )
    except quotas.QuotaExceeded as error:
        raise OverQuota(
            price=job.price,
            left=balance.left,
            allowance=balance.allowance,
            resets_at=balance.resets_at,
        ) from error
    return balance.left - job.price
