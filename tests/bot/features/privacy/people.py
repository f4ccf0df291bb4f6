"""What tests do as people who care for what is kept of them, and a search of the data folder for it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from storage.credits import allowances, grants
from storage.credits.calendar import Rate
from storage.guilds import bans
from storage.guilds.bans import Ban
from storage.guilds.changes import Subject
from storage.jobs import queries
from storage.jobs.job import Job
from storage.moderation import strikes
from tests.world import World, said

SECRET = "a purple walrus named Bartholomew"


def traces(folder: Path, person: int, *words: str) -> list[str]:
    """Where in the data folder a person's id or words stand, in whatever form SQLite and JSON write them."""
    wanted = {
        "the id as text": str(person).encode(),
        "the id as SQLite's integer": person.to_bytes(8, "big"),
        "the id as SQLite's row number": _varint(person),
        **{word: word.encode() for word in words},
    }
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [f"{what} in {path.name}" for path in files for what, form in wanted.items() if form in path.read_bytes()]


def pictures_in(folder: Path) -> list[Path]:
    return list(folder.rglob("[1-9].png"))


def _varint(number: int) -> bytes:
    """https://sqlite.org/fileformat2.html#varint, for more than 56 bits: eight groups of seven, and a whole byte."""
    high, last = divmod(number, 256)
    return bytes(0x80 | (high >> shift) & 0x7F for shift in range(49, -1, -7)) + bytes([last])


async def press(who: Any, result: Any, label: str) -> Any:
    """Click a button under an answer that only this person sees."""
    return await who.click(result.followups[-1] if result.followups else result.response, label=label)


async def delete(easel: World, who: Any, label: str = "Delete") -> str:
    return said(await press(who, await who.slash(easel.channel, "privacy delete"), label))


async def copy_of(easel: World, who: Any, **options: Any) -> list[zipfile.ZipFile]:
    result = await who.slash(easel.channel, "privacy export", **options)
    assert result.ephemeral
    files = [file for message in [result.response, *result.followups] if message for file in message.attachments]
    return [zipfile.ZipFile(io.BytesIO(await file.read())) for file in files]


async def a_full_life(easel: World) -> None:
    """Ben leaves a trace in every table that there is."""
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben, reason=f"won with {SECRET}")
    await easel.told(easel.admin, "quota grant", credits=5)
    await easel.told(easel.admin, "quota set", credits=30, who=easel.ben)
    await easel.imagine(easel.ben, SECRET)
    await easel.press(easel.ben, easel.results()[-1], "U1")
    await easel.press(easel.ben, easel.results()[-1], "V2")
    await easel.press(easel.cleo, easel.results()[0], "V1")
    await easel.imagine(easel.cleo, "a boat")
    await easel.press(easel.ben, easel.results()[-1], "U1")
    async with easel.services.database.transaction() as tx:
        await bans.ban(
            tx,
            Ban(
                guild_id=1,
                user_id=easel.ben.id,
                actor_id=easel.admin.id,
                reason=f"drew {SECRET}",
                at=easel.clock(),
            ),
        )
        await tx.execute(
            "INSERT INTO changes (guild_id, actor_id, what, old, new, at) VALUES (1, ?, ?, ?, ?, 0)",
            (easel.admin.id, f"ban of <@{easel.ben.id}>", SECRET, f"banned ({SECRET})"),
        )
        await strikes.count(
            tx, guild_id=1, user_id=easel.ben.id, interaction_id=5, since=easel.clock(), now=easel.clock()
        )
        await strikes.time_out(tx, guild_id=2, user_id=easel.ben.id, until=easel.clock())
        boat = (await tx.fetch_one("SELECT id FROM jobs WHERE prompt = 'a boat'") or [""])[0]
        await tx.execute("INSERT INTO reports (job_id, reporter_id, at) VALUES (?, ?, 0)", (boat, easel.ben.id))
        await tx.execute(
            "INSERT INTO cases (job_id, kind, judge_id, opened_at) VALUES (?, 'report', ?, 0)",
            (boat, easel.ben.id),
        )
        await tx.execute("INSERT INTO pauses VALUES (1, 'paused', ?, ?, 0)", (easel.ben.id, SECRET))
        await allowances.set_allowance(
            tx,
            guild_id=1,
            subject=Subject(kind="user", id=easel.cleo.id),
            rate=Rate(3),
            actor_id=easel.ben.id,
            now=easel.clock(),
        )
        await grants.give(
            tx,
            guild_id=1,
            subject=Subject(kind="user", id=easel.cleo.id),
            credits=3,
            actor_id=easel.ben.id,
            reason=SECRET,
            now=easel.clock(),
        )


async def jobs_of(easel: World) -> list[Job]:
    async with easel.services.database.reading() as tx:
        return await queries.recent(tx, guild_id=easel.guild.id, user_id=easel.ben.id, limit=9)


async def totals(easel: World) -> list[tuple[Any, ...]]:
    async with easel.services.database.reading() as tx:
        rows = await tx.fetch_all(
            "SELECT guild_id, host_day, sum(spent), sum(bonus), count(*) FROM ledger GROUP BY guild_id, host_day"
        )
        return [tuple(row) for row in rows]
