"""What must be true at the end of a soak: one `Promise` each, with what breaks it. Uses nothing of the bot's own SQL."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import statistics
from collections import Counter
from contextlib import closing
from pathlib import Path

from bot.texts import refusals
from tests.crash.audit import ENDED, balances, ledger_exact, none_lost, posted_once, sound
from tests.crash.journal import Line
from tests.soak.promise import Promise
from tests.soak.state import Soak
from tests.soak.wishes import (
    answered,
    cancelled_as_asked,
    deleted_as_asked,
    drawn_once,
    early,
    granted_once,
    mailed_once,
    singles_once,
)

MOST_MORE_BLOCKS = 0.06
"""By how much Python's allocated blocks may grow from the second fifth of the jobs to the last, at their least."""
MOST_GROWTH = 0.20
"""The same for the process, whose size follows its busiest moments: it never gives back what they took."""
JUDGED_FROM = 1_500
"""Fewer jobs than this say nothing about memory: the first hundreds start threads, and fill caches."""

_LOUD = ("error", "critical")
_WRONG = refusals.UNEXPECTED.split(".")[0]


def look(soak: Soak) -> list[Promise]:
    """Examine a soak that is over and whose data folder nobody has open."""
    with closing(sqlite3.connect(soak.data / "easel.db")) as database:
        database.row_factory = sqlite3.Row
        broken_file = sound(database)
        jobs = {row["id"]: row for row in database.execute("SELECT * FROM jobs")}
        ledger = database.execute("SELECT * FROM ledger ORDER BY number").fetchall()
        pictures = database.execute("SELECT * FROM images").fetchall()
    lines = soak.town.record.lines
    deleted = {wish.job_id for wish in soak.people.wishes if wish.verb == "x" and wish.interaction is None}
    states = Counter(job["state"] for job in jobs.values())
    posts = sum(job["state"] == "delivered" for job in jobs.values())
    told = [line for line in lines if line["kind"] == "told"]
    return [
        Promise(name="no job lost", figure=f"{len(jobs)} accepted", broken=none_lost(jobs, _told_once(lines))),
        Promise(name="no job stuck", figure=_words(states), broken=_stuck(jobs)),
        Promise(
            name="each result posted once",
            figure=f"{posts} results",
            broken=[
                one
                for one in posted_once(jobs, lines, final=True)
                if not (one.split()[0] in deleted and "names another message" in one)
            ],
        ),
        drawn_once(soak, jobs),
        singles_once(soak, jobs),
        mailed_once(soak, jobs),
        cancelled_as_asked(soak, jobs),
        deleted_as_asked(soak, jobs),
        Promise(name="each failure told once", figure=f"{states['failed']} failures", broken=_failures(soak, jobs)),
        Promise(name="no progress message left over", figure="", broken=_left_over(soak, jobs)),
        answered(soak, jobs),
        Promise(
            name="nobody told that something went wrong",
            figure=f"{len(told)} private answers, {_gave_up(lines)} that Discord failed",
            broken=[f"{line['user']}: {line['text']}" for line in told if line["text"].startswith(_WRONG)],
        ),
        Promise(
            name="ledger exact",
            figure=f"{len(ledger)} lines",
            broken=ledger_exact(jobs, ledger) + balances(jobs, ledger),
        ),
        granted_once(soak, ledger),
        Promise(
            name="pictures as recorded",
            figure=f"{len(pictures)} files",
            broken=broken_file + _pictures(soak.data, pictures),
        ),
        _log(soak),
        Promise(name="ends at SIGTERM, with no task left", figure=f"{soak.lives} lives", broken=soak.endings),
        _memory(soak),
        Promise(
            name="nothing asked that Discord does not have",
            figure=f"{sum(soak.rest.taken.values())} requests",
            broken=[f"{count} × {what}" for what, count in soak.rest.odd.items()],
        ),
        Promise(
            name="all went on, and the backup is whole",
            figure=f"{early(soak, jobs)} reactions came before their result was on record",
            broken=soak.broken,
        ),
    ]


def _gave_up(lines: list[Line]) -> int:
    """How many were told in words, in private or by letter, that Discord did not answer."""
    words = refusals.DISCORD_FAILED
    return sum(words in (line.get("text", ""), line.get("content", "")) for line in lines)


def _told_once(lines: list[Line]) -> list[Line]:
    """The lines without private words that were said again because an answer was lost, which does no harm."""
    seen, kept = set(), []
    for line in lines:
        if line["kind"] == "told":
            if line["interaction"] in seen:
                continue
            seen.add(line["interaction"])
        kept.append(line)
    return kept


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _stuck(jobs: dict[str, sqlite3.Row]) -> list[str]:
    broken = [f"{job['id']} is still {job['state']}" for job in jobs.values() if job["state"] not in ENDED]
    return broken + [
        f"{job['id']} is {job['state']}, and its owner was not told"
        for job in jobs.values()
        if job["state"] in ("failed", "cancelled") and not job["notified"]
    ]


def _failures(soak: Soak, jobs: dict[str, sqlite3.Row]) -> list[str]:
    notices = Counter(soak.town.nonces.values())
    return [
        f"the failure of {job['id']} was told {notices[job['nonce']]} times"
        for job in jobs.values()
        if job["state"] == "failed" and notices[job["nonce"]] != 1
    ]


def _left_over(soak: Soak, jobs: dict[str, sqlite3.Row]) -> list[str]:
    """Progress messages that stand although their job has ended, except the words that it was cancelled."""
    town, broken = soak.town, []
    for channel_id, message_id, job_id in town.opened:
        message = town.messages[channel_id].get(message_id)
        state = jobs[job_id]["state"] if job_id in jobs else "no job"
        if message is not None and (message.components or state != "cancelled"):
            broken.append(f"{job_id} is {state}, and its message still says: {message.content}")
    return broken


def _pictures(data: Path, pictures: list[sqlite3.Row]) -> list[str]:
    broken = []
    for row in pictures:
        name = f"{row['image_index']}.png" if row["image_index"] else "grid.jpg"
        file = data / "images" / row["job_id"][:2] / row["job_id"] / name
        if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != row["sha256"]:
            broken.append(f"picture {row['image_index']} of {row['job_id']} is not what was recorded")
    homes = Counter(row["job_id"] for row in pictures)
    files = Counter(file.parent.name for file in (data / "images").glob("*/*/*") if file.is_file())
    return broken + [f"{count} files of {job} have no row" for job, count in (files - homes).items()]


def _log(soak: Soak) -> Promise:
    """What Discord does wrong is a warning: an error is ours."""
    loud: Counter[str] = Counter()
    lines = soak.log.read_text(errors="replace").splitlines()
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            loud[f"said: {line[:200]}"] += 1
            continue
        if entry["level"] in _LOUD:
            cause = str(entry.get("exception", "")).strip().splitlines()[-1:]
            loud[" · ".join([entry["message"][:100], *filter(None, [entry.get("what")]), *cause])] += 1
    return Promise(
        name="no errors in the log",
        figure=f"{len(lines)} lines",
        broken=[f"{count} × {what}" for what, count in loud.most_common()],
    )


def _memory(soak: Soak) -> Promise:
    """The process, and what Python holds in it, in each fifth of the jobs: from the second on they stay as they are."""
    first = soak.memory[0][0] if soak.memory else 0
    jobs = soak.accepted - first
    fifths = [
        [(rss, blocks) for count, rss, blocks in soak.memory if n * jobs <= 5 * (count - first) < (n + 1) * jobs]
        for n in range(5)
    ]
    if not all(fifths):
        return Promise(name="memory flat", figure="not measured")
    sizes = [statistics.median(rss for rss, _ in fifth) for fifth in fifths]
    blocks = [min(blocks for _, blocks in fifth) for fifth in fifths]
    growth, more = sizes[-1] / sizes[1] - 1, blocks[-1] / blocks[1] - 1
    broken = [] if growth <= MOST_GROWTH else [f"the process grew by {growth:.0%}"]
    broken += [] if more <= MOST_MORE_BLOCKS else [f"Python holds {more:.0%} more"]
    megabytes = ", ".join(f"{size / 2**20:.1f}" for size in sizes)
    return Promise(
        name="memory flat",
        figure=f"{megabytes} MiB; blocks of Python's {more:+.1%}",
        broken=broken if jobs >= JUDGED_FROM else [],
    )
