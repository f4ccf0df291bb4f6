"""What becomes of pictures that the safety check found unsafe, decided before any of them is kept or shown."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image as Picture

from bot.errors import JobGone, PictureWithheld
from bot.pictures.signing import Seal
from bot.texts import results
from generation import pictures
from generation.contract import Finished
from storage.database import Database
from storage.guilds import settings as guild_settings
from storage.jobs import images
from storage.jobs.images import HIDDEN, Finding, Image
from storage.jobs.job import Job


def findings(unsafe: Collection[int], *, moderated: bool) -> dict[int, Finding]:
    """What unsafe pictures become, by number: WITHHELD, or REFUSED if no moderators could ever approve them.

    In an age-restricted channel they are shown, and their job is marked as for adults (`jobs/completion.py`).
    """
    return dict.fromkeys(unsafe, Finding.WITHHELD if moderated else Finding.REFUSED)


def ready(result: Finished, found: Mapping[int, Finding], seal: Seal) -> Finished:
    """The result as it is kept: hidden pictures covered in its grid, all files signed. Blocks: use a thread."""
    covered = [number for number, finding in found.items() if finding in HIDDEN]
    grid = _covered(result, covered) if covered else result.grid
    return replace(result, images=tuple(map(seal, result.images)), grid=seal(grid))


def _covered(result: Finished, hidden: Collection[int]) -> bytes:
    """The grid anew, of the pictures that may be shown."""
    tiles = []
    for number, data in enumerate(result.images, start=1):
        with Picture.open(io.BytesIO(data), formats=("PNG",)) as picture:
            tiles.append(pictures.cover(picture.size) if number in hidden else picture.convert("RGB"))
    return pictures.regrid(tiles, result.grid)


def uncovered(folder: Path, job: Job, seal: Seal) -> bytes:
    """A job's kept grid anew, of all its pictures, signed. Raises images.ImageGone. Blocks: use a thread."""
    tiles = []
    for number in range(1, job.images + 1):
        with Picture.open(io.BytesIO(images.read(folder, job.id, number)), formats=("PNG",)) as picture:
            tiles.append(picture.convert("RGB"))
    return seal(pictures.regrid(tiles, images.read(folder, job.id, 0)))


def hidden(rows: Sequence[Image]) -> list[int]:
    """The numbers of the pictures that nobody can have, yet or ever."""
    return [row.index for row in rows if row.finding in HIDDEN]


def only_shown(rows: Sequence[Image], index: int, *, appeal: str | None) -> None:
    """Raises JobGone or PictureWithheld for a picture that can't be had; 0 is the grid."""
    row = next((row for row in rows if row.index == index), None)
    if row is None:
        raise JobGone
    if row.finding in HIDDEN:
        raise PictureWithheld(appeal=appeal)


async def standing(database: Database, job: Job) -> tuple[list[int], list[str]]:
    """The numbers of the pictures whose buttons can't be pressed, and the line under the result, if any."""
    async with database.reading() as tx:
        rows = await images.of_job(tx, job.id)
        appeal = (await guild_settings.settings(tx, job.guild_id)).appeal
    covered = hidden(rows)
    if not covered:
        return [], []
    back, found = credits_for(job, len(covered)), {row.finding for row in rows}
    if Finding.APPROVED in found:
        return [], [results.let_pass(covered, back=back)]
    return covered, [results.withheld(covered, back=back, moderated=Finding.WITHHELD in found, appeal=appeal)]


def credits_for(job: Job, pictures: int) -> int:
    """What goes back for so many withheld pictures of a job: their share of its price, rounded up."""
    return -(-job.price * pictures // job.images)
