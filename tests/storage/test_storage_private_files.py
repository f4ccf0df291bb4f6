"""What Easel keeps is for its own user alone, from the first moment and after an upgrade."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import images, private_files, state
from storage.database import Database

JOB = "k7m2p9qrst4vwx"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    found = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder.parent)): stat.S_IMODE(path.lstat().st_mode) for path in found}


async def live(folder: Path) -> dict[str, int]:
    """Open a data folder, write a row and pictures, and look at the modes while the write-ahead log is there."""
    database = await Database.open(folder)
    try:
        async with database.transaction() as tx:
            await state.put(tx, "key", "value")
        images.write(folder, JOB, {"1.png": b"one", "grid.jpg": b"grid"})
        return modes(folder)
    finally:
        await database.close()


@pytest.mark.usefixtures("umask")
async def test_everything_is_private_from_the_start(tmp_path: Path) -> None:
    found = await live(tmp_path / "data")
    assert {"data/easel.db-wal", "data/easel.db-shm", "data/easel.lock", "data/images"} < set(found)
    for name, mode in found.items():
        assert mode & 0o077 == 0, f"{name}: {mode:o}"


async def test_an_older_installation_is_tightened_at_the_start(tmp_path: Path) -> None:
    await live(tmp_path / "data")
    for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    found = await live(tmp_path / "data")
    for name in ("data", "data/easel.db", "data/easel.db-wal", "data/easel.lock", "data/images"):
        assert found[name] & 0o077 == 0, f"{name}: {found[name]:o}"


def test_a_folder_with_files_of_others_keeps_its_mode_and_they_theirs(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ada")
    letter.chmod(0o644)
    tmp_path.chmod(0o755)
    outside = tmp_path / "elsewhere"
    outside.mkdir(mode=0o755)
    (tmp_path / "images").symlink_to(outside)
    private_files.make_file(tmp_path / "easel.db")
    (tmp_path / "easel.db").chmod(0o644)
    private_files.tighten(tmp_path)
    assert modes(tmp_path)[tmp_path.name] == 0o755
    assert stat.S_IMODE(letter.stat().st_mode) == 0o644
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755, "what a link leads to is not ours"
    assert stat.S_IMODE((tmp_path / "easel.db").stat().st_mode) == 0o600
