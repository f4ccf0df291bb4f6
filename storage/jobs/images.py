"""Owns the pictures: full-size files on disk, and a row for each that says what it is.

The files of a job lie in `<data>/images/<first two characters of its id>/<its id>/`: `grid.jpg`, and `1.png`,
`2.png`… in the order of the request's seeds. Index 0 means the grid. A file is there whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path

from storage.database import Transaction
from storage.files import picture_files, private_files, quarantine
from storage.files.job_ids import check_id


class Finding(StrEnum):
    """What the safety check made of a picture, and moderators after it."""

    SAFE = "safe"
    """Shown with its job: found safe, approved, not checked, or unsafe for adults, which the whole job is then."""
    WITHHELD = "withheld"
    """Found unsafe outside of an age-restricted channel: shown to nobody until moderators decide."""
    APPROVED = "approved"
    """Moderators let it pass; it is about to be posted."""
    REFUSED = "refused"
    """Shown to nobody any more. Its file is about to go; once it is gone, the row's `bytes` is 0."""


HIDDEN = frozenset({Finding.WITHHELD, Finding.APPROVED, Finding.REFUSED})
"""Pictures that nobody can have, yet or ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What is known of a picture: `bytes` is the size of its file, `seed` is None for the grid."""

    job_id: str
    index: int
    sha256: str
    bytes: int
    width: int
    height: int
    seed: int | None
    content_type: str
    finding: Finding = Finding.SAFE


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A file that is on disk for certain: where, its SHA-256 in hexadecimal, and its size in bytes."""

    path: Path
    sha256: str
    bytes: int


class ImageGone(Exception):
    """The picture's file is no longer there."""


def file_name(index: int) -> str:
    """The name of a picture's file. Raises ValueError outside 0..99."""
    name = "grid.jpg" if index == 0 else f"{index}.png"
    return _check_name(name)


def _check_name(name: str) -> str:
    if not picture_files.is_picture(name):
        raise ValueError(f"{name!r} is not the name of a picture's file")
    return name


def _home(folder: Path, job_id: str) -> Path:
    return folder / "images" / check_id(job_id)[:2] / job_id


def path(folder: Path, job_id: str, index: int) -> Path:
    """Where a picture's file is, or would be. Raises ValueError for an impossible id or index."""
    return _home(folder, job_id) / file_name(index)


def write(folder: Path, job_id: str, files: Mapping[str, bytes]) -> dict[str, WrittenFile]:
    """Put files (`1.png`…, `grid.jpg`) on disk and return when they would survive a power cut. Blocks: use a
    thread.

    Another attempt's files of the same names are replaced. Raises ValueError for an impossible id or name and
    OSError when the disk won't take them; what was there before is then still whole.
    """
    names = [_check_name(name) for name in files]
    home = _home(folder, job_id)
    grown = [parent for parent in (home.parent, home.parent.parent, folder) if not parent.exists()]
    private_files.make_folder(home)
    picture_files.remove_torn(home)
    with ThreadPoolExecutor(max(1, len(names))) as threads:  # they wait for the disk together, not in turn
        written = threads.map(lambda name: _write_file(home / name, files[name]), names)
        result = dict(zip(names, written, strict=True))
    for changed in (home, home.parent, *(parent.parent for parent in grown)):
        private_files.sync_folder(changed)
    return result


def _write_file(target: Path, data: bytes) -> WrittenFile:
    private_files.replace(target, data)
    return WrittenFile(path=target, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))


def read(folder: Path, job_id: str, index: int) -> bytes:
    """A picture's file. Raises `ImageGone` when it isn't there. Blocks: use a thread."""
    try:
        return path(folder, job_id, index).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageGone(f"picture {index} of job {job_id} is no longer there") from error


def remove(folder: Path, job_id: str) -> None:
    """Remove all files of a job, if any are there, in quarantine too. Others' files stay. Blocks: use a thread."""
    picture_files.remove_all(_home(folder, job_id))
    quarantine.remove(folder, job_id)


async def record(tx: Transaction, images: Sequence[Image]) -> None:
    """Keep the rows of these pictures, in place of all that their jobs had from an earlier attempt."""
    for job_id in {image.job_id for image in images}:
        await delete(tx, job_id)
    if not images:
        return
    rows = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(images))
    values = [value for image in images for value in astuple(image)]
    await tx.execute(
        "INSERT INTO images (job_id, image_index, sha256, bytes, width, height, seed, content_type,"
        " finding)"
        f" VALUES {rows}",
        values,
    )


async def rewrite(tx: Transaction, job_id: str, index: int, file: WrittenFile) -> bool:
    """A picture's file was replaced by another of the same size in pixels; False if nothing is kept of it."""
    row = await tx.fetch_one(
        "UPDATE images SET sha256 = ?, bytes = ? WHERE job_id = ? AND image_index = ? RETURNING job_id",
        (file.sha256, file.bytes, job_id, index),
    )
    return row is not None


async def of_job(tx: Transaction, job_id: str) -> list[Image]:
    """The pictures of a job by index; the grid, if it has one, is first."""
    rows = await tx.fetch_all("SELECT * FROM images WHERE job_id = ? ORDER BY image_index", (job_id,))
    return [
        Image(
            job_id=row["job_id"],
            index=row["image_index"],
            sha256=row["sha256"],
            bytes=row["bytes"],
            width=row["width"],
            height=row["height"],
            seed=row["seed"],
            content_type=row["content_type"],
            finding=Finding(row["finding"]),
        )
        for row in rows
    ]


async def judge(tx: Transaction, job_id: str, finding: Finding, *, of: Finding = Finding.WITHHELD) -> None:
    """All pictures of a job that were found to be `of` are now found to be `finding`."""
    await tx.execute(
        "UPDATE images SET finding = ? WHERE job_id = ? AND finding = ?",
        (finding.value, job_id, of.value),
    )


async def awaiting(tx: Transaction, finding: Finding) -> list[tuple[str, int]]:
    """The jobs and indexes of all pictures found so whose files are still there."""
    rows = await tx.fetch_all(
        "SELECT job_id, image_index FROM images WHERE finding = ? AND finding <> 'safe' AND bytes > 0"
        " ORDER BY job_id, image_index",
        (finding.value,),
    )
    return [(row["job_id"], row["image_index"]) for row in rows]


def remove_one(folder: Path, job_id: str, index: int) -> None:
    """Remove the file of one picture, if it is there. Blocks: use a thread."""
    path(folder, job_id, index).unlink(missing_ok=True)


async def mark_removed(tx: Transaction, job_id: str) -> None:
    """The files of a job's refused pictures are gone."""
    await tx.execute("UPDATE images SET bytes = 0 WHERE job_id = ? AND finding = 'refused'", (job_id,))


async def with_rows(tx: Transaction) -> set[str]:
    """The ids of all jobs whose pictures are kept."""
    return {row["job_id"] for row in await tx.fetch_all("SELECT DISTINCT job_id FROM images")}


async def delete(tx: Transaction, job_id: str) -> None:
    """Forget the rows of a job's pictures; `remove` removes the files."""
    await tx.execute("DELETE FROM images WHERE job_id = ?", (job_id,))
