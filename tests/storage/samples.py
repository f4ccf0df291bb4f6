"""Jobs, moments and small steps that the storage tests share."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from generation.contract import Sampling, TextToImage
from storage.credits import undo
from storage.database import Transaction
from storage.files import job_ids
from storage.guilds.changes import Change
from storage.jobs import lifecycle
from storage.jobs import queue as job_queue
from storage.jobs.job import Job, NewJob

REQUEST = TextToImage(
    sampling=Sampling(model="easel", prompt="", negative="", width=256, height=256, steps=20, guidance=4.0, seeds=(1,))
)
NOON = datetime(2026, 3, 14, 12, 0, 0, 123_000, tzinfo=UTC)
GUILD = 700_000_000_000_000_001
ALICE, BOB, CAROL = (800_000_000_000_000_001 + number for number in range(3))
ADMIN = 900_000_000_000_000_001

_ids = random.Random(20260314)


def new_job(**changes: Any) -> NewJob:
    """A job of Alice's for four pictures; every call makes another id."""
    values: dict[str, Any] = {
        "id": job_ids.new_id(_ids),
        "interaction_id": _ids.getrandbits(62),
        "guild_id": GUILD,
        "channel_id": 600_000_000_000_000_001,
        "user_id": ALICE,
        "action": "imagine",
        "prompt": "a fox — “naïve” 🦊",
        "request": REQUEST,
        "model": "toy",
        "images": 4,
        "price": 4,
    }
    return NewJob(**values | changes)


async def queue(tx: Transaction, **changes: Any) -> Job:
    """Insert such a job."""
    return await lifecycle.insert(tx, new_job(**changes), now=NOON)


async def run(tx: Transaction, **changes: Any) -> Job:
    """Insert such a job where none waits, and claim it."""
    job = await queue(tx, **changes)
    claimed = await job_queue.claim(tx, now=NOON)
    assert claimed is not None
    assert claimed.id == job.id
    return claimed


async def undo_last(
    tx: Transaction, *, guild_id: int = GUILD, actor_id: int = ADMIN, now: datetime = NOON
) -> tuple[Change, int] | None:
    """Take back the last change of credits: that change, and the credits that were spent before."""
    found = await undo.standing(tx, guild_id, only_credits=True)
    if not found:
        return None
    change, _ = found[0]
    return change, await undo.undo(tx, change, actor_id=actor_id, now=now)
