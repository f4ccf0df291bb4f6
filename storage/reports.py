"""Owns reports of pictures, and the moderators' cases that come of them: one for each job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.clock import to_sql
from storage.database import Transaction


class Verdict(StrEnum):
    """What moderators made of a case."""

    KEPT = "kept"
    """The pictures stay."""
    REMOVED = "removed"
    """The pictures and their messages are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A reported job: its message in the moderators' channel, None before it is posted, and what came of it."""

    job_id: str
    channel_id: int | None
    message_id: int | None
    verdict: Verdict | None


async def report(tx: Transaction, job_id: str, reporter_id: int, *, now: datetime) -> bool:
    """Record a report and open the job's case; False where the same person reported the job before."""
    row = await tx.fetch_one(
        "INSERT OR IGNORE INTO reports (job_id, reporter_id, at) VALUES (?, ?, ?) RETURNING job_id",
        (job_id, reporter_id, to_sql(now)),
    )
    await tx.execute(
        "INSERT OR IGNORE INTO cases (job_id, kind, opened_at) VALUES (?, 'report', ?)", (job_id, to_sql(now))
    )
    return row is not None


async def withdraw(tx: Transaction, job_id: str, reporter_id: int) -> None:
    """A report reached no moderator: it can be made again."""
    await tx.execute("DELETE FROM reports WHERE job_id = ? AND reporter_id = ?", (job_id, reporter_id))


async def reporters(tx: Transaction, job_id: str) -> list[int]:
    """Who reported a job, the earliest first."""
    rows = await tx.fetch_all("SELECT reporter_id FROM reports WHERE job_id = ? ORDER BY at", (job_id,))
    return [row["reporter_id"] for row in rows]


async def case(tx: Transaction, job_id: str) -> Case | None:
    """The case of a job."""
    row = await tx.fetch_one("SELECT * FROM cases WHERE job_id = ? AND kind = 'report'", (job_id,))
    if row is None:
        return None
    return Case(
        job_id=job_id,
        channel_id=row["channel_id"],
        message_id=row["message_id"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
    )


async def posted(tx: Transaction, job_id: str, *, channel_id: int, message_id: int) -> None:
    """A case stands in the moderators' channel as this message."""
    await tx.execute(
        "UPDATE cases SET channel_id = ?, message_id = ? WHERE job_id = ? AND kind = 'report'",
        (channel_id, message_id, job_id),
    )


async def close(tx: Transaction, job_id: str, verdict: Verdict, *, judge_id: int, now: datetime) -> bool:
    """Decide a case; False where that was done before."""
    row = await tx.fetch_one(
        "UPDATE cases SET verdict = ?, judge_id = ?, closed_at = ?"
        " WHERE job_id = ? AND kind = 'report' AND verdict IS NULL RETURNING job_id",
        (verdict.value, judge_id, to_sql(now), job_id),
    )
    return row is not None
