"""Owns how long drawing takes on this machine, learned from the jobs that were drawn.

Each shape of job (model, kind, size, steps, pictures) has a running average of its seconds. A shape that was never
drawn is judged by the most similar one of its model, and a model that was never drawn by `USUAL`. One measurement
counts for at most twice and at least half of the average, so that a machine that stalls once misleads nobody.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from generation.contract import Request
from storage.database import Transaction

USUAL = 0.1
"""Seconds for one step of one picture of a million pixels, until the model has been seen: only ratios between people
depend on it, as nobody is told an estimate before then."""

_MEMORY = 10
"""How many jobs an average remembers, about."""

_SIZES = 4
"""Classes of size for each doubling of the pixels."""

LEAST = 0.001
"""Seconds that the shortest job counts for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What decides how long a job takes: `steps` are those that run, `size` is a class of picture sizes."""

    model: str
    kind: str
    size: int
    steps: int
    images: int

    @property
    def work(self) -> float:
        """Million pixels times steps times pictures."""
        return 2 ** (self.size / _SIZES) * self.steps * self.images / 1e6


def shape_of(request: Request) -> Shape:
    """The shape of a request."""
    part = float(getattr(request, "strength", 1.0))
    return Shape(
        model=request.sampling.model,
        kind=type(request).__name__,
        size=round(_SIZES * math.log2(request.sampling.width * request.sampling.height)),
        steps=max(1, round(request.sampling.steps * part)),
        images=len(request.sampling.seeds),
    )


KNOWN = """
SELECT seconds FROM paces
WHERE model = ? AND kind = ? AND size = ? AND steps = ? AND images = ?
"""


async def expect(tx: Transaction, shape: Shape) -> float:
    """Seconds that drawing a job of this shape will take."""
    row = await tx.fetch_one(KNOWN, (shape.model, shape.kind, shape.size, shape.steps, shape.images))
    if row is not None:
        return float(row["seconds"])
    rows = await tx.fetch_all("SELECT * FROM paces WHERE model = ?", (shape.model,))
    seen = [
        (
            Shape(**{name: row[name] for name in ("model", "kind", "size", "steps", "images")}),
            float(row["seconds"]),
        )
        for row in rows
    ]
    if not seen:
        return max(LEAST, USUAL * shape.work)
    similar, seconds = min(seen, key=lambda one: _distance(shape, one[0]))
    return max(LEAST, seconds * shape.work / similar.work)


async def measured_jobs(tx: Transaction) -> dict[str, dict[str, int]]:
    """How many jobs were measured, by model and by kind of request."""
    rows = await tx.fetch_all("SELECT model, kind, sum(samples) AS jobs FROM paces GROUP BY model, kind")
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["model"], {})[row["kind"]] = int(row["jobs"])
    return found


def _distance(one: Shape, other: Shape) -> tuple[bool, float]:
    return one.kind != other.kind, abs(math.log(one.work / other.work))


_AVERAGE = f"""
    seconds = seconds + (min(max(excluded.seconds, seconds / 2), seconds * 2) - seconds)
        / min(samples + 1, {_MEMORY}),
    samples = samples + 1
"""

LEARN = f"INSERT INTO paces VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET {_AVERAGE} RETURNING samples"

LEARN_LOAD = f"""
INSERT INTO loads
SELECT model, max(((finished_at - started_at) / 1000.0) - seconds, {LEAST}), 1 FROM jobs
WHERE id = ? AND load > 0 AND seconds IS NOT NULL
ON CONFLICT DO UPDATE SET {_AVERAGE}
"""


async def learn(tx: Transaction, shape: Shape, *, seconds: float) -> None:
    """A job of this shape was drawn in so many seconds; the model's first corrects what waits for it."""
    seconds = max(LEAST, seconds)
    row = await tx.fetch_one(LEARN, (shape.model, shape.kind, shape.size, shape.steps, shape.images, seconds))
    assert row is not None
    if row["samples"] == 1 and await _shapes(tx, shape.model) == 1:
        right = seconds / max(LEAST, USUAL * shape.work)
        await tx.execute("UPDATE jobs SET cost = cost * ? WHERE state = 'queued' AND model = ?", (right, shape.model))


async def _shapes(tx: Transaction, model: str) -> int:
    row = await tx.fetch_one("SELECT count(*) FROM paces WHERE model = ?", (model,))
    return 0 if row is None else int(row[0])


async def learn_load(tx: Transaction, job_id: str) -> None:
    """A finished job had to wait for its model: what it took beyond its drawing was loading."""
    await tx.execute(LEARN_LOAD, (job_id,))
