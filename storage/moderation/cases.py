"""Owns the moderators' cases, of reported pictures and of those that the safety check withheld: one for each job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.database import Row, Transaction
from storage.timestamps import from_sql, to_sql


class Kind(StrEnum):
    """What a case comes from."""

    REPORT = "report"
    """Somebody reported the job's pictures."""
    CHECK = "check"
    """The safety check withheld some of them."""


class Verdict(StrEnum):
    """What moderators made of a case."""

    KEPT = "kept"
    """The pictures stay; those that were withheld are shown."""
    REMOVED = "removed"
    """The pictures and their messages are gone; of a check's case, those that were withheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A job before the moderators: its message in their channel, None before it is posted, and what came of it."""

    job_id: str
    kind: Kind
    channel_id: int | None
    message_id: int | None
    verdict: Verdict | None


def _case(row: Row) -> Case:
    return Case(
        job_id=row["job_id"],
        kind=Kind(row["kind"]),
        channel_id=row["channel_id"],
        message_id=row["message_id"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
    )


async def report(tx: Transaction, job_id: str, reporter_id: int, *, reason: str = "", now: datetime) -> bool:
    """Record a report and open the job's case; False if the same person reported the job before."""
    row = await tx.fetch_one(
        "INSERT OR IGNORE INTO reports (job_id, reporter_id, at, reason) VALUES (?, ?, ?, ?) RETURNING job_id",
        (job_id, reporter_id, to_sql(now), reason),
    )
    await open_case(tx, job_id, Kind.REPORT, now=now)
    return row is not None


async def open_case(tx: Transaction, job_id: str, kind: Kind, *, now: datetime) -> None:
    """Open a case of this kind, unless the job has one."""
    await tx.execute(
        "INSERT OR IGNORE INTO cases (job_id, kind, opened_at) VALUES (?, ?, ?)",
        (job_id, kind.value, to_sql(now)),
    )


async def unposted(tx: Transaction) -> list[str]:
    """The jobs whose withheld pictures have not come before moderators yet, though their results are delivered."""
    rows = await tx.fetch_all(
        "SELECT job_id FROM cases JOIN jobs ON id = job_id"
        " WHERE kind = 'check' AND message_id IS NULL AND verdict IS NULL AND state = 'delivered' ORDER BY number"
    )
    return [row["job_id"] for row in rows]


async def unshown(tx: Transaction) -> list[str]:
    """The reported jobs whose case is not in the moderators' channel yet."""
    rows = await tx.fetch_all(
        "SELECT job_id FROM cases WHERE kind = 'report' AND message_id IS NULL AND verdict IS NULL"
        " AND EXISTS (SELECT 1 FROM reports WHERE reports.job_id = cases.job_id) ORDER BY opened_at"
    )
    return [row["job_id"] for row in rows]


async def withdraw(tx: Transaction, job_id: str, reporter_id: int) -> None:
    """A report reached no moderator: it can be made again."""
    await tx.execute("DELETE FROM reports WHERE job_id = ? AND reporter_id = ?", (job_id, reporter_id))


async def reporters(tx: Transaction, job_id: str) -> list[int]:
    """Who reported a job, the earliest first."""
    rows = await tx.fetch_all("SELECT reporter_id FROM reports WHERE job_id = ? ORDER BY at", (job_id,))
    return [row["reporter_id"] for row in rows]


async def said(tx: Transaction, job_id: str, *, by: int | None = None) -> list[str]:
    """What each person said who reported a job, the earliest first, or "" for nothing; of one person if named."""
    rows = await tx.fetch_all(
        "SELECT reason FROM reports WHERE job_id = ?1 AND reporter_id = ifnull(?2, reporter_id) ORDER BY at",
        (job_id, by),
    )
    return [row["reason"] for row in rows]


async def made_by(
    tx: Transaction, reporter_id: int, *, guild_id: int, since: datetime, now: datetime
) -> list[datetime]:
    """When somebody reported pictures of a guild after a moment, the earliest first."""
    rows = await tx.fetch_all(
        "SELECT at FROM reports JOIN jobs ON id = job_id"
        " WHERE reporter_id = ? AND guild_id = ? AND at > ? AND at <= ? ORDER BY at",
        (reporter_id, guild_id, to_sql(since), to_sql(now)),
    )
    return [from_sql(row["at"]) for row in rows]


async def case(tx: Transaction, job_id: str, kind: Kind = Kind.REPORT) -> Case | None:
    """The case of a job."""
    row = await tx.fetch_one("SELECT * FROM cases WHERE job_id = ? AND kind = ?", (job_id, kind.value))
    return None if row is None else _case(row)


async def standing(tx: Transaction, job_ids: Sequence[str]) -> list[Case]:
    """The cases of these jobs that stand in a moderators' channel."""
    rows = await tx.fetch_all(
        "SELECT * FROM cases WHERE job_id IN (SELECT value FROM json_each(?)) AND message_id IS NOT NULL",
        (json.dumps(list(job_ids)),),
    )
    return [_case(row) for row in rows]


NAMING = """
SELECT * FROM cases
WHERE message_id IS NOT NULL AND (
    judge_id = :user_id
    OR kind = 'report' AND job_id IN (
        SELECT job_id FROM reports WHERE reporter_id = :user_id OR instr(reason, '<@' || :user_id || '>') > 0
    )
) ORDER BY message_id
"""


async def naming(tx: Transaction, user_id: int) -> list[Case]:
    """The cases in moderators' channels that a person reported or decided, or that a reason mentions them in."""
    return [_case(row) for row in await tx.fetch_all(NAMING, {"user_id": user_id})]


async def posted(tx: Transaction, job_id: str, kind: Kind = Kind.REPORT, *, channel_id: int, message_id: int) -> bool:
    """Note the message of a case; False if there is no such case any more."""
    row = await tx.fetch_one(
        "UPDATE cases SET channel_id = ?, message_id = ? WHERE job_id = ? AND kind = ? RETURNING job_id",
        (channel_id, message_id, job_id, kind.value),
    )
    return row is not None


async def close(
    tx: Transaction,
    job_id: str,
    verdict: Verdict,
    kind: Kind = Kind.REPORT,
    *,
    judge_id: int | None,
    now: datetime,
) -> bool:
    """Decide a case; False if that was done before. No judge is one that could be brought before nobody."""
    row = await tx.fetch_one(
        "UPDATE cases SET verdict = ?, judge_id = ?, closed_at = ?"
        " WHERE job_id = ? AND kind = ? AND verdict IS NULL RETURNING job_id",
        (verdict.value, judge_id, to_sql(now), job_id, kind.value),
    )
    return row is not None


async def delete(tx: Transaction, case: Case) -> None:
    """Forget a case whose message was taken out of the moderators' channel, as its job is about to be forgotten."""
    await tx.execute("DELETE FROM cases WHERE job_id = ? AND kind = ?", (case.job_id, case.kind.value))
