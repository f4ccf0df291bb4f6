"""A process that is killed at any moment loses nothing it said, and leaves every credit accounted for."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from storage.database import Database, Transaction

ROUNDS = int(os.environ.get("EASEL_CRASH_ROUNDS", "10"))
ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("crash_child.py")

UNACCOUNTED = """
SELECT jobs.id, jobs.state FROM jobs
LEFT JOIN ledger AS reserved ON reserved.job_id = jobs.id AND reserved.kind = 'reserve'
LEFT JOIN ledger AS outcome ON outcome.job_id = jobs.id AND outcome.kind IN ('settle', 'refund')
WHERE reserved.allowance + reserved.boost + reserved.bonus IS NOT -jobs.price
    OR outcome.kind IS NOT CASE jobs.state
        WHEN 'delivered' THEN 'settle' WHEN 'failed' THEN 'refund' WHEN 'cancelled' THEN 'refund' END
    OR (outcome.kind = 'refund' AND outcome.allowance + outcome.boost + outcome.bonus IS NOT jobs.price)
"""


def run_and_kill(folder: Path, seed: int, lines: int) -> dict[str, str]:
    """Let the child say so many lines and kill it; the last state that it said of each job."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(CHILD), str(folder), str(seed)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        said += child.stdout.readlines()
    assert all(said), "the child ended by itself"
    return dict(line.split() for line in said if line.endswith("\n"))


async def check(tx: Transaction, said: dict[str, str]) -> None:
    for pragma in ("integrity_check", "foreign_key_check"):
        found = [tuple(row) for row in await tx.fetch_all(f"PRAGMA {pragma}")]
        assert found in ([], [("ok",)])
    states = {row["id"]: row["state"] for row in await tx.fetch_all("SELECT id, state FROM jobs")}
    assert set(said) <= set(states), "a job that was acknowledged is lost"
    unsaid = [job_id for job_id, state in states.items() if said.get(job_id) != state]
    assert len(unsaid) <= 1, "more than the one step in progress was not acknowledged"
    said.update(states)
    assert [tuple(row) for row in await tx.fetch_all(UNACCOUNTED)] == []
    orphans = await tx.fetch_all("SELECT job_id FROM ledger WHERE job_id NOT IN (SELECT id FROM jobs)")
    assert orphans == []


async def test_killed_at_any_moment_nothing_is_lost_and_the_ledger_is_exact(tmp_path: Path) -> None:
    source = random.Random(7)
    said: dict[str, str] = {}
    for seed in range(ROUNDS):
        said |= run_and_kill(tmp_path, seed, lines=source.randint(1, 120))
        database = await Database.open(tmp_path)
        async with database.reading() as tx:
            await check(tx, said)
        await database.close()
    assert len(said) > ROUNDS
