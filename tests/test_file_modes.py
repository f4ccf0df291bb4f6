"""What the running bot writes is for its own user alone, and `doctor` says where something is not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bot.doctor_files import looks
from bot.settings import Settings
from tests.world import world

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")


async def test_nothing_that_the_bot_writes_is_open_to_others(tmp_path: Path) -> None:
    folder, before = tmp_path / "data", os.umask(0)
    try:
        async with world(folder) as easel:
            await easel.imagine(easel.ben)
            await easel.env.advance_time(20)
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    finally:
        os.umask(before)
    assert {"heartbeat", "easel.db", "easel.db-wal", "1.png", "grid.jpg"} < set(found)
    assert [f"{name} {mode:o}" for name, mode in found.items() if mode & 0o077] == []


def test_doctor_names_what_others_may_open_and_how_to_close_it(tmp_path: Path) -> None:
    env_file, key, data = tmp_path / ".env", tmp_path / "key.pem", tmp_path / "data"
    data.mkdir()
    for path in (env_file, key, data / "easel.db"):
        path.touch()
        path.chmod(0o644)
    data.chmod(0o755)
    settings = Settings(data=data, c2pa_key=key)
    found = dict(looks(settings, env_file))
    for path, mode in ((env_file, "600"), (key, "600"), (data / "easel.db", "600"), (data, "700")):
        assert f"chmod {mode} {path}" in found.values()
        path.chmod(int(mode, 8))
    assert [advice for _, advice in looks(settings, env_file)] == [""]
