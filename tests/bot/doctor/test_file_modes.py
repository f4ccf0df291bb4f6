"""What the running bot writes is for its own user alone, and `doctor` says where something is not."""

from __future__ import annotations

import os
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.doctor.files import looks
from bot.settings.settings import Settings
from storage.files import quarantine
from storage.jobs import images
from storage.privacy import clock_check
from tests.world import world

NOW = datetime(2026, 3, 1, tzinfo=UTC)

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
    advised = {one.advice for one in looks(settings, env_file, now=NOW)}
    for path, mode in ((env_file, "600"), (key, "600"), (data / "easel.db", "600"), (data, "700")):
        assert f"chmod {mode} {path}" in advised
        path.chmod(int(mode, 8))
    assert [one.advice for one in looks(settings, env_file, now=NOW)] == [""]


def test_doctor_tells_of_pictures_in_quarantine(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, keep_quarantine_days=30)
    images.write(tmp_path, "a2m2p9qrst4vwx", {"1.png": b"one"})
    assert not any("Quarantine" in one.what for one in looks(settings, tmp_path / ".env", now=NOW))
    quarantine.sweep(tmp_path, set(), today=date(2026, 3, 1))
    (advice,) = [one.advice for one in looks(settings, tmp_path / ".env", now=NOW) if "of 1 job that" in one.what]
    assert "after 30 days" in advice


@pytest.mark.parametrize(("days", "told"), [(0, False), (7, False), (8, True), (-8, True)])
def test_doctor_tells_of_a_clock_that_is_far_off(tmp_path: Path, days: int, told: bool) -> None:
    settings = Settings(data=tmp_path)
    clock_check.write(tmp_path, NOW)
    found = [one.what for one in looks(settings, tmp_path / ".env", now=NOW + timedelta(days=days))]
    assert any("nothing old is deleted" in what for what in found) is told
