from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, world


@pytest.fixture
async def easel(tmp_path: Path) -> AsyncIterator[World]:
    """The bot in a simulated Discord, with a generator that draws at once."""
    async with world(tmp_path / "data") as made:
        yield made
