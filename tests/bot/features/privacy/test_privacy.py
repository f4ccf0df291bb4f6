"""What people see of what is kept of them, and get a copy of."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bot.features.privacy import _archive as archive
from tests.bot.features.privacy.people import SECRET, a_full_life, copy_of
from tests.world import World, said, world


async def test_the_page_says_what_is_kept_and_for_how_long(tmp_path: Path) -> None:
    async with world(tmp_path, keep_pictures_days=30, keep_prompts_days=0) as easel:
        await easel.imagine(easel.ben, SECRET)
        page = await easel.told(easel.ben, "privacy show")
        assert "1 job with prompt, settings, channel and times: kept until you delete it" in page
        assert "5 pictures" in page
        assert "kept for 30 days" in page
        assert "0 jobs" in await easel.told(easel.cleo, "privacy show")
        assert len(page) < 2000


async def test_it_works_in_direct_messages_too(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET)
    result = await easel.ben.user.slash("privacy show")
    assert "1 job with" in said(result)


# ----------------------------------------------------------------------------------------------------------- export


async def test_a_copy_has_every_row_and_picture_of_the_person_and_nobody_elses(easel: World) -> None:
    await a_full_life(easel)
    await easel.imagine(easel.cleo, "what Cleo wrote")
    (copy,) = await copy_of(easel, easel.ben)
    jobs = json.loads(copy.read("jobs.json"))
    assert [job["prompt"] for job in jobs] == [SECRET, SECRET]
    assert jobs[0]["request"]["steps"] > 0
    assert json.loads(copy.read("ledger.json"))[0]["reason"] == f"won with {SECRET}"
    kept = easel.services.database.folder / "images"
    for job in jobs:
        for number in range(1, 5):
            picture = copy.read(f"pictures/{job['id']}_{number}.png")
            assert picture == (kept / job["id"][:2] / job["id"] / f"{number}.png").read_bytes()
    everything = b"".join(copy.read(name) for name in copy.namelist())
    for other in (easel.cleo, easel.admin):
        assert str(other.id).encode() not in everything
    assert b"what Cleo wrote" not in everything
    assert b"a boat" not in everything


async def test_a_copy_has_what_the_record_of_changes_says_of_the_person(easel: World) -> None:
    await easel.imagine(easel.ben)
    await easel.told(easel.admin, "admin member ban", who=easel.ben, reason="for the walrus")
    await easel.told(easel.admin, "admin member unban", who=easel.ben)
    await easel.told(easel.admin, "admin member ban", who=easel.cleo, reason="for the boat")
    (copy,) = await copy_of(easel, easel.ben)
    told = [(change["what"], change["new"]) for change in json.loads(copy.read("changes.json"))]
    assert told == [
        (f"ban of <@{easel.ben.id}>", "banned (for the walrus)"),
        (f"ban of <@{easel.ben.id}>", "lifted"),
    ]
    (copy,) = await copy_of(easel, easel.admin)
    told = [(change["what"], change["new"]) for change in json.loads(copy.read("changes.json"))]
    assert told[-1] == ("ban of <@…>", "banned (for the boat)"), "what an admin did, without anybody's id"
    assert "2 entries about what you did as an admin" in await easel.told(easel.ben, "privacy show")


async def test_a_copy_too_large_for_discord_comes_in_parts_that_fit(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await easel.imagine(easel.ben, SECRET)
    folder = easel.services.database.folder
    for path in folder.rglob("[1-4].png"):
        path.write_bytes(path.read_bytes() + bytes(6_000_000))
    copies = await copy_of(easel, easel.ben)
    assert len(copies) == 4
    names = [name for copy in copies for name in copy.namelist()]
    assert sum(name.startswith("pictures/") for name in names) == 4
    assert len(names) == len(set(names))
    monkeypatch.setattr("bot.features.privacy.privacy._PARTS", 1)
    first = await easel.told(easel.ben, "privacy export")
    assert "Part 1 of 4" in first
    assert "`/privacy export part:2` sends the following" in first
    assert "Part 2 of 4" in await easel.told(easel.ben, "privacy export", part=2)
    assert "There is no part 5: parts of your export go up to 4." in await easel.told(
        easel.ben, "privacy export", part=5
    )


async def test_a_picture_larger_than_a_part_comes_smaller(easel: World) -> None:
    await easel.imagine(easel.ben, SECRET + " --count 1")
    (path,) = easel.services.database.folder.rglob("1.png")
    path.write_bytes(path.read_bytes() + bytes(11_000_000))
    copies = await copy_of(easel, easel.ben)
    (name,) = [name for copy in copies for name in copy.namelist() if name.startswith("pictures/")]
    assert name.endswith("_smaller.jpg")


def test_rows_are_spread_over_files_of_which_each_fits_into_a_part(tmp_path: Path) -> None:
    source = random.Random(3)
    texts = ["".join(chr(source.randint(0x4E00, 0x9FFF)) for _ in range(1500)) for _ in range(1000)]
    rows = [
        {"number": number, "prompt": text, "request": {"negative": text[::-1]}} for number, text in enumerate(texts)
    ]
    found = archive.entries(tmp_path, {"jobs": rows, "images": []})
    assert [entry.name for entry in found] == ["jobs.json", "jobs-2.json", "jobs-3.json"]
    assert all(entry.size < 5 * 2**20 for entry in found)
    read = [row for entry in found for row in json.loads(entry.source)]  # type: ignore[arg-type]
    assert read == rows
