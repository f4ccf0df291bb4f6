from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.world import World, world

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("thorough", max_examples=2_000, deadline=None)
settings.load_profile(os.environ.get("EASEL_HYPOTHESIS", "repeatable"))


@pytest.fixture
async def easel(tmp_path: Path) -> AsyncIterator[World]:
    """The bot in a simulated Discord, with a generator that draws at once."""
    async with world(tmp_path / "data") as made:
        yield made
