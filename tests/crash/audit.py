"""What must be true of a killed bot's data folder, and of Discord's memory of it. Uses nothing of the bot's own SQL."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bot.texts import member
from bot.texts import results as result_texts
from tests.crash.journal import Line, announced, results, standing, waiting

ENDED = {"delivered": "settle", "failed": "refund", "cancelled": "refund"}
"""The states in which a job stays, and how its price ends with each."""

ACCEPTED = result_texts.receipt(price=1, left=1, ahead=0, seconds=None, notes=()).split(".")[0]
CANCELLED = member.cancelled("a boat", 1).split("*")[0]
"""How the private answers to an accepted `/imagine` and to `/cancel` begin."""

_NOTICE = re.compile(r"\n(?:The|This|Something) .* came back\.")
"""The second line of a failure's notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found: `broken` promises in words, and `figures`."""

    broken: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)


def look(data: Path, lines: list[Line], *, final: bool) -> Report:
    """Examine a data folder that nobody has open. `final`: nothing is owed any more, so all jobs must have ended."""
    with closing(sqlite3.connect(data / "easel.db")) as database:
        database.row_factory = sqlite3.Row
        broken = sound(database)
        jobs = {row["id"]: row for row in database.execute("SELECT * FROM jobs")}
        ledger = database.execute("SELECT * FROM ledger ORDER BY number").fetchall()
        pictures = database.execute("SELECT * FROM images").fetchall()
    broken += none_lost(jobs, lines) + ledger_exact(jobs, ledger) + posted_once(jobs, lines, final=final)
    if final:
        broken += [f"{job['id']} is still {job['state']}" for job in jobs.values() if job["state"] not in ENDED]
        broken += balances(jobs, ledger) + _pictures_whole(data, jobs, pictures, lines)
    return Report(broken=broken, figures=_figures(jobs, lines) | {"stray files": _stray(data, pictures)})


def sound(database: sqlite3.Connection) -> list[str]:
    """What SQLite itself finds wrong."""
    broken = []
    for pragma, well in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
        found = [tuple(row) for row in database.execute(f"PRAGMA {pragma}")]
        if found != well:
            broken.append(f"{pragma}: {found[:3]}")
    return broken


def none_lost(jobs: dict[str, sqlite3.Row], lines: list[Line]) -> list[str]:
    """Everything that a person was told stands in the database."""
    interactions = {job["interaction_id"] for job in jobs.values()}
    told = [line for line in lines if line["kind"] == "told"]
    accepted = {line["interaction"] for line in told if line["text"].startswith(ACCEPTED)}
    broken = [f"the job of interaction {one} was accepted and is lost" for one in accepted - interactions]
    broken += [f"{job} was announced and is lost" for job in announced(lines) - set(jobs)]
    stopped = Counter(line["user"] for line in told if line["text"].startswith(CANCELLED))
    kept = Counter(job["cancelled_by"] for job in jobs.values() if job["state"] == "cancelled")
    broken += [
        f"{count} cancellations were told to {user}, {kept[user]} kept"
        for user, count in stopped.items()
        if count > kept[user]
    ]
    return broken


def ledger_exact(jobs: dict[str, sqlite3.Row], ledger: list[sqlite3.Row]) -> list[str]:
    """One reservation for each job, of its price; one outcome for each that has ended, the right one; no other lines."""
    broken = []
    of_job: dict[str, list[sqlite3.Row]] = {job: [] for job in jobs}
    for line in ledger:
        if line["job_id"] is None:
            continue
        if line["job_id"] not in jobs:
            broken.append(f"a ledger line is about {line['job_id']}, which is no job")
            continue
        of_job[line["job_id"]].append(line)
    for job_id, its in of_job.items():
        job, price = jobs[job_id], jobs[job_id]["price"]
        sums = [(line["kind"], line["allowance"] + line["boost"] + line["bonus"]) for line in its]
        outcome = {"settle": [("settle", 0)], "refund": [("refund", price)]}.get(ENDED.get(job["state"], ""), [])
        if sums != [("reserve", -price), *outcome]:
            broken.append(f"{job_id} is {job['state']} at {price}, and its ledger says {sums}")
        if outcome == [("refund", price)] and any(
            its[0][pool] != -its[1][pool] for pool in ("allowance", "boost", "bonus")
        ):
            broken.append(f"the refund of {job_id} went to other pools than it came from")
    return broken


def posted_once(jobs: dict[str, sqlite3.Row], lines: list[Line], *, final: bool) -> list[str]:
    """A delivered job was posted once, by the message that it names; no other job was posted, unless it is finished."""
    posts: dict[str, list[int]] = {}
    for job_id, line in results(lines):
        posts.setdefault(job_id, []).append(line["id"])
    broken = [f"{job} was posted {len(ids)} times" for job, ids in posts.items() if len(ids) > 1]
    for job_id, ids in posts.items():
        state = jobs[job_id]["state"] if job_id in jobs else "no job"
        if state != "delivered" and (final or state != "finished"):
            broken.append(f"{job_id} was posted and is {state}")
        elif state == "delivered" and jobs[job_id]["result_message_id"] not in ids:
            broken.append(f"{job_id} names another message than the one that shows it")
    for job in jobs.values():
        if job["state"] == "delivered" and job["id"] not in posts:
            broken.append(f"{job['id']} is delivered and was never posted")
    return broken


def balances(jobs: dict[str, sqlite3.Row], ledger: list[sqlite3.Row]) -> list[str]:
    """Each member has spent the prices of their delivered jobs, and nothing else."""
    spent: Counter[int] = Counter()
    for job in jobs.values():
        spent[job["user_id"]] += job["price"] if job["state"] == "delivered" else 0
    moved: Counter[int] = Counter()
    for line in ledger:
        moved[line["user_id"]] -= line["allowance"] + line["boost"] + line["bonus"] if line["job_id"] else 0
    return [
        f"{user} is charged {moved[user]} for jobs of {spent[user]}" for user in moved if moved[user] != spent[user]
    ]


def _pictures_whole(
    data: Path, jobs: dict[str, sqlite3.Row], pictures: list[sqlite3.Row], lines: list[Line]
) -> list[str]:
    """The files of delivered jobs are there as recorded; what Discord shows is what was recorded."""
    broken = []
    recorded: dict[str, dict[int, str]] = {}
    for row in pictures:
        recorded.setdefault(row["job_id"], {})[row["image_index"]] = row["sha256"]
    for job in jobs.values():
        its = recorded.get(job["id"], {})
        wanted = set(range(job["images"] + 1)) if job["state"] == "delivered" else set()
        if set(its) != wanted:
            broken.append(f"{job['id']} is {job['state']} and has pictures {sorted(its)}")
        for index, sha256 in its.items():
            name = f"{index}.png" if index else "grid.jpg"
            file = data / "images" / job["id"][:2] / job["id"] / name
            if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
                broken.append(f"picture {index} of {job['id']} is not what was recorded")
    for job_id, line in results(lines):
        if recorded.get(job_id, {}).get(0) not in line["files"].values():
            broken.append(f"Discord shows another grid of {job_id} than the recorded one")
    return broken


def _stray(data: Path, pictures: list[sqlite3.Row]) -> int:
    """How many files among the pictures no row speaks of."""
    homes = Counter(row["job_id"] for row in pictures)
    files = Counter(file.parent.name for file in (data / "images").glob("*/*/*") if file.is_file())
    return sum((files - homes).values())


def _figures(jobs: dict[str, sqlite3.Row], lines: list[Line]) -> dict[str, int]:
    states = Counter(job["state"] for job in jobs.values())
    told = [line["text"] for line in lines if line["kind"] == "told"]
    posts = Counter(job_id for job_id, _ in results(lines))
    unheard = [job for job in posts if job in jobs and jobs[job]["state"] == "finished"]
    return {
        "wishes": sum(line["kind"] == "wish" for line in lines),
        "accepted": len(jobs),
        "told so in private": sum(text.startswith(ACCEPTED) for text in told),
        "told so in public": len(announced(lines)),
        **{state: states[state] for state in ("queued", "running", "finished", *ENDED)},
        "drawn again": sum(job["attempt"] > 1 for job in jobs.values()),
        "posted": sum(posts.values()),
        "posted twice": sum(count > 1 for count in posts.values()),
        "posted, not yet recorded": len(unheard),
        "failure notices": sum(
            line["kind"] == "message" and _NOTICE.search(line["content"]) is not None for line in lines
        ),
        "progress messages left": sum(
            (job := waiting(line)) is not None and job in jobs and jobs[job]["state"] in ENDED
            for line in standing(lines).values()
        ),
    }


def nothing() -> Report:
    """The report of a bot that was killed before there was anything to look at."""
    return Report(figures=_figures({}, []))
