"""What Easel keeps is for its own user alone, from the first moment and after an upgrade."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Database
from storage.files import private_files
from storage.jobs import images

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
            await tx.put_value("key", "value")
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


STRANGERS = (
    "images/cat.jpg",
    "backups/phone.img",
    "restoring/chair.txt",
    "replaced-books/list.txt",
    "quarantine/me",
)


@pytest.fixture
def somebody_else_s(tmp_path: Path) -> Path:
    """A folder with a stranger's folders, named like ours."""
    tmp_path.chmod(0o755)
    for name in STRANGERS:
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text("somebody else's")
        path.chmod(0o644)
        path.parent.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("starts", [1, 2])
async def test_a_stranger_s_folders_named_like_ours_keep_their_modes(somebody_else_s: Path, starts: int) -> None:
    for _ in range(starts):
        found = await live(somebody_else_s)
    name = somebody_else_s.name
    for path in STRANGERS:
        assert found[f"{name}/{path}"] == 0o644
        assert found[f"{name}/{Path(path).parent}"] == 0o755
    assert found[name] == 0o755
    assert found[f"{name}/easel.db"] == 0o600


async def test_nothing_is_narrowed_where_no_easel_was_before(tmp_path: Path) -> None:
    for name in ("images", "backups"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    await (await Database.open(tmp_path)).close()
    assert [modes(tmp_path)[f"{tmp_path.name}/{name}"] for name in ("images", "backups")] == [0o755] * 2
