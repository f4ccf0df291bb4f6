"""No job is lost, none is charged or posted twice, however often and whenever the bot is killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.crash.siege import lay

KILLS = int(os.environ.get("EASEL_KILLS", "6"))
REAL = 3 if KILLS >= 50 else 0
"""How many kills meet the built-in model, whose start takes seconds."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to kill")
def test_killed_at_random_moments_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    siege = lay(tmp_path, rounds=KILLS, real=REAL, seed=1)
    assert siege.broken == []
    assert siege.figures["delivered"] > 0
