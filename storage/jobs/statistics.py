"""Questions about what was drawn over days: how much, by whom, with what, and how long people waited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage.database import Transaction
from storage.timestamps import to_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The jobs accepted from `start` until the next span: how they ended, seconds of drawing, and seconds of waiting.

    `wait` is the median, `long_wait` what 95 of 100 stay below; None if nothing was begun.
    """

    start: datetime
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    open: int = 0
    seconds: float = 0.0
    wait: float | None = None
    long_wait: float | None = None

    @property
    def jobs(self) -> int:
        """All that were accepted."""
        return self.done + self.failed + self.cancelled + self.open


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a person (by id) or a model (by key) took: jobs, and seconds of drawing."""

    who: str
    jobs: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Spans in order, without gaps, and the people and models that took the most drawing, the busiest first."""

    spans: tuple[Span, ...]
    people: tuple[Share, ...]
    models: tuple[Share, ...]


_CHOSEN = "created_at >= :since AND created_at < :until AND guild_id = coalesce(:guild_id, guild_id)"

SPANS = f"""
WITH chosen AS (
    SELECT (created_at - :since) / :step AS span, state, seconds, (started_at - created_at) / 1000.0 AS wait
    FROM jobs WHERE {_CHOSEN}
), ranked AS (
    SELECT span, wait, row_number() OVER (PARTITION BY span ORDER BY wait) AS place,
        count(*) OVER (PARTITION BY span) AS number
    FROM chosen WHERE wait IS NOT NULL
), waits AS (
    SELECT span, avg(wait) FILTER (WHERE place IN ((number + 1) / 2, (number + 2) / 2)) AS wait,
        max(wait) FILTER (WHERE place = (number * 95 + 99) / 100) AS long_wait
    FROM ranked GROUP BY span
)
SELECT chosen.span, count(*) FILTER (WHERE state IN ('finished', 'delivered')) AS done,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE state IN ('queued', 'running')) AS open,
    total(seconds) AS seconds, waits.wait, waits.long_wait
FROM chosen LEFT JOIN waits ON waits.span = chosen.span
GROUP BY chosen.span
"""

SHARES = """
SELECT {column} AS who, count(*) AS jobs, total(seconds) AS seconds FROM jobs
WHERE {chosen} GROUP BY {column} ORDER BY seconds DESC, jobs DESC, who LIMIT :limit
"""


async def statistics(
    tx: Transaction, *, guild_id: int | None, since: datetime, step: timedelta, spans: int, limit: int
) -> Statistics:
    """What was asked for from `since` on in so many spans of `step`, in a guild or, for None, in all.

    `limit` is how many people and models are named.
    """
    values = {
        "guild_id": guild_id,
        "since": to_sql(since),
        "until": to_sql(since + spans * step),
        "step": step // timedelta(milliseconds=1),
        "limit": limit,
    }
    found = {row["span"]: row for row in await tx.fetch_all(SPANS, values)}
    names = ("done", "failed", "cancelled", "open", "seconds", "wait", "long_wait")
    return Statistics(
        spans=tuple(
            Span(start=since + n * step, **{name: found[n][name] for name in names if n in found}) for n in range(spans)
        ),
        people=await _shares(tx, "user_id", values),
        models=await _shares(tx, "model", values),
    )


async def _shares(tx: Transaction, column: str, values: Mapping[str, Any]) -> tuple[Share, ...]:
    rows = await tx.fetch_all(SHARES.format(column=column, chosen=_CHOSEN), values)
    return tuple(Share(who=str(row["who"]), jobs=row["jobs"], seconds=row["seconds"]) for row in rows)


async def failures(tx: Transaction, *, guild_id: int, since: datetime) -> dict[str, int]:
    """How many of a guild's jobs that were accepted since then have failed, by `FailureReason`."""
    rows = await tx.fetch_all(
        "SELECT failure, count(*) AS jobs FROM jobs WHERE guild_id = ? AND created_at >= ? AND state = 'failed'"
        " GROUP BY failure ORDER BY jobs DESC, failure",
        (guild_id, to_sql(since)),
    )
    return {row["failure"]: row["jobs"] for row in rows}
