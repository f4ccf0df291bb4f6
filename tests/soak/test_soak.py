"""A short soak: nothing is lost and nothing comes twice, whatever Discord and the network do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.soak import audit
from tests.soak.faults import Kind
from tests.soak.run import run
from tests.soak.state import Plan, make

JOBS = int(os.environ.get("EASEL_SOAK_JOBS", "25"))
FAULTS = 0.1
"""How likely a request meets one."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process can answer")
async def test_soaked_in_faults_the_bot_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    plan = Plan(
        folder=tmp_path,
        jobs=JOBS,
        seed=int(os.environ.get("EASEL_SOAK_SEED", "1")),
        faults=FAULTS,
        drops=4,
        pace=14,
        patience=150,
        restarts=1,
        without=frozenset({Kind.LONG_HANG}),
    )
    soak = make(plan)
    await run(soak)
    broken = [promise for promise in audit.look(soak) if promise.broken]
    assert broken == [], "\n".join(str(promise) for promise in broken)
    assert soak.accepted >= JOBS
