"""A backup in the middle of a soak, while the bot runs: it is taken, restored elsewhere and verified there."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.soak.process import ROOT
from tests.soak.state import Soak


async def backed_up(soak: Soak) -> list[str]:
    """What is broken in a backup that is taken now, and in what it is restored to."""
    into, restored = soak.plan.folder / "backups", soak.plan.folder / "restored"
    status, words = await _easel(soak.data, "backup", "--to", str(into))
    if status != 0:
        return [f"the backup failed: {words}"]
    (taken,) = (folder for folder in into.iterdir() if folder.is_dir())
    broken = await verified(taken)
    status, words = await _easel(restored, "restore", str(taken))
    if status != 0:
        return [*broken, f"the backup could not be restored: {words}"]
    return broken + await verified(restored)


async def verified(folder: Path) -> list[str]:
    """What `easel verify` finds broken in a backup or a data folder that no bot has open."""
    status, words = await _easel(folder, "verify", str(folder))
    return [] if status == 0 else [f"{folder.name} is not whole: {words}"]


async def _easel(data: Path, *command: str) -> tuple[int, str]:
    """The status and the words of a command of Easel's on a data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EASEL_", "DISCORD_"))}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *command,
        cwd=ROOT,
        env=kept | {"EASEL_DATA": str(data)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, said.decode(errors="replace")
