"""Owns erasures: on record until they are done, and what is kept so that nobody gains by one.

A person who is erased and comes back starts anew, but not with credits that were spent already, gifts that were
taken, or bans that were passed. Such rows are kept under a veil (`pseudonyms.py`). What was spent is kept until its day,
week or month is over.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage import pseudonyms
from storage.credits.account import FORGIVEN, KEPT
from storage.database import Transaction
from storage.privacy import personal_data
from storage.timestamps import day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Somebody who asked to be erased; with `posts`, Easel's messages for them go from Discord too."""

    user_id: int
    posts: bool


async def ask(tx: Transaction, erasure: Erasure) -> None:
    """Put an erasure on record. Asking again can only widen it."""
    await tx.execute(
        "INSERT INTO erasures VALUES (?, ?) ON CONFLICT DO UPDATE SET posts = max(posts, excluded.posts)",
        (erasure.user_id, int(erasure.posts)),
    )


async def pending(tx: Transaction) -> list[Erasure]:
    """The erasures that are not done yet."""
    rows = await tx.fetch_all("SELECT * FROM erasures")
    return [Erasure(user_id=row["user_id"], posts=bool(row["posts"])) for row in rows]


async def done(tx: Transaction, user_id: int) -> None:
    """Delete the record of the erasure, which goes last."""
    await tx.execute("DELETE FROM erasures WHERE user_id = ?", (user_id,))


# ------------------------------------------------------------------------------------------------------------- jobs

# Whoever varied a picture carries on its words; they go with the person who wrote them.
GROWN = """
WITH RECURSIVE grown (id, words) AS (
    SELECT id, prompt FROM jobs WHERE user_id = :user_id
    UNION
    SELECT jobs.id, grown.words FROM jobs JOIN grown ON jobs.parent_id = grown.id
    WHERE instr(jobs.prompt, grown.words) > 0
)
"""

ACTIVE = f"{GROWN} SELECT id FROM jobs WHERE id IN (SELECT id FROM grown) AND state IN ('queued', 'running')"

# Children have higher numbers than their parents: the other way round they would be lost sight of.
ENDED = f"""
{GROWN} SELECT id FROM jobs
WHERE id IN (SELECT id FROM grown) AND state NOT IN ('queued', 'running')
ORDER BY number DESC LIMIT :limit
"""


async def active_jobs(tx: Transaction, user_id: int) -> list[str]:
    """The ids of the jobs with a person's words that wait or run."""
    return [row["id"] for row in await tx.fetch_all(ACTIVE, {"user_id": user_id})]


async def ended_jobs(tx: Transaction, user_id: int, *, limit: int) -> list[str]:
    """The ids of the latest jobs with a person's words that are over."""
    rows = await tx.fetch_all(ENDED, {"user_id": user_id, "limit": limit})
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A message of ours in a channel."""

    channel_id: int
    message_id: int


POSTS = f"""
{GROWN}, theirs AS (SELECT * FROM jobs WHERE id IN (SELECT id FROM grown))
SELECT DISTINCT channel_id, message_id FROM (
    SELECT channel_id, messages.message_id FROM theirs JOIN messages ON messages.job_id = theirs.id
    UNION SELECT channel_id, result_message_id FROM theirs
    UNION SELECT channel_id, progress_message_id FROM theirs
    UNION SELECT cases.channel_id, cases.message_id FROM theirs JOIN cases ON cases.job_id = theirs.id
) WHERE message_id > :after ORDER BY message_id LIMIT :limit
"""


async def posts(tx: Transaction, user_id: int, *, after: int, limit: int) -> Sequence[Standing]:
    """The messages that show jobs with a person's words, by id from the one `after`.

    Those before moderators are among them, and so are other people's variations.
    """
    rows = await tx.fetch_all(POSTS, {"user_id": user_id, "after": after, "limit": limit})
    return [Standing(channel_id=row["channel_id"], message_id=row["message_id"]) for row in rows]


# ------------------------------------------------------------------------------------------------------------ veils


async def erase(tx: Transaction, user_id: int, *, now: datetime) -> None:
    """Take a person out of the database. Their jobs must be gone already; `ask` must have come before."""
    veil = await pseudonyms.make(tx, user_id)
    await _carry(tx, user_id, day_of(now))
    tombstone = -1 - secrets.randbits(62)
    await personal_data.erase(tx, user_id, tombstone=tombstone, veil=veil)
    if await personal_data.is_veiled(tx, veil):
        await pseudonyms.keep(tx, veil)


# The first day that an allowance of the server may still count, whatever the server's time zone.
_FIRST = """
:day - 1 - (
    SELECT coalesce(max(CASE WHEN rate LIKE '%/month' THEN 31 WHEN rate LIKE '%/week' THEN 7 ELSE 0 END), 0)
    FROM allowances WHERE allowances.guild_id = {table}.guild_id
)
"""

CARRY = f"""
INSERT INTO carried
SELECT guild_id, user_id, day, sum({KEPT}) FROM ledger AS reserved
WHERE user_id = :user_id AND kind = 'reserve' AND allowance <> 0 AND day >= {_FIRST.format(table="reserved")}
    AND NOT {FORGIVEN}
GROUP BY guild_id, day
ON CONFLICT DO UPDATE SET used = used + excluded.used
"""

DROP_FORGIVEN = """
DELETE FROM carried WHERE user_id = :user_id AND EXISTS (
    SELECT 1 FROM ledger AS later
    WHERE later.guild_id = carried.guild_id AND later.user_id = carried.user_id AND later.kind = 'reset'
        AND later.day <= carried.day
        AND NOT EXISTS (SELECT 1 FROM ledger AS undone WHERE undone.corrects = later.number)
)
"""


async def _carry(tx: Transaction, user_id: int, day: int) -> None:
    await tx.execute(DROP_FORGIVEN, {"user_id": user_id})
    await tx.execute(CARRY, {"user_id": user_id, "day": day})


async def bring_back(tx: Transaction, user_id: int) -> bool:
    """Give what was kept under an erased person's pseudonym back to them: they use the bot. Returns whether there was any."""
    veil = await pseudonyms.lift(tx, user_id)
    if veil is not None:
        await personal_data.unveil(tx, user_id, veil=veil)
    return veil is not None


async def forget_carried(tx: Transaction, *, now: datetime) -> None:
    """What was spent in periods that are over matters to nobody."""
    await tx.execute(f"DELETE FROM carried WHERE day < {_FIRST.format(table='carried')}", {"day": day_of(now)})
