"""Whether people got what they asked for, each thing once: the part of the audit that goes by their wishes."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from storage.timestamps import from_sql
from tests.crash.journal import Line
from tests.soak.people import Wish
from tests.soak.promise import Promise
from tests.soak.state import Soak

_SINGLE = re.compile(r"_([a-z0-9]{14})_([1-9])\.(?:png|jpg)\Z")
_OWNER = re.compile(r"<@([0-9]+)>\Z")

Jobs = dict[str, sqlite3.Row]


def drawn_once(soak: Soak, jobs: Jobs) -> Promise:
    """Each V and 🔄 made one job, or was refused in words."""
    told = _told(soak)
    made = Counter(job["interaction_id"] for job in jobs.values())
    broken = []
    presses = [wish for wish in soak.people.wishes if wish.verb in ("v", "r") and wish.interaction is not None]
    for wish in presses:
        if _acknowledged(soak, wish) and made[wish.interaction] + told[wish.interaction] == 0:
            broken.append(f"{_named(wish)} made no job, without a word")
    reacted = [wish for wish in soak.people.wishes if wish.verb in ("v", "r") and wish.interaction is None]
    by_reaction = Counter(_drawing(job) for job in jobs.values() if job["interaction_id"] is None)
    broken += _compared(soak, jobs, reacted, _drawn_as, by_reaction, "drawn")
    return Promise(name="each V and 🔄 drawn once", figure=f"{len(presses) + len(reacted)} wishes", broken=broken)


def _drawn_as(wish: Wish) -> tuple[Any, ...]:
    """A reroll of variations has their picture as its parent, so that only its person tells it."""
    return (wish.who.id, "vary", wish.job_id, wish.index) if wish.verb == "v" else (wish.who.id, "reroll")


def _drawing(job: sqlite3.Row) -> tuple[Any, ...]:
    if job["action"] == "vary":
        return (job["user_id"], "vary", job["parent_id"], job["parent_index"])
    return (job["user_id"], job["action"])


def singles_once(soak: Soak, jobs: Jobs) -> Promise:
    """Each U posted its picture once, or was refused in words."""
    posted: Counter[tuple[Any, ...]] = Counter()
    for line in _messages(soak):
        owner = _OWNER.search(line["content"].split("\n")[0])
        for name in line["files"]:
            if (found := _SINGLE.search(name)) and owner and line["channel"] in soak.town.results:
                posted[found[1], int(found[2]), int(owner[1])] += 1
    wishes = [wish for wish in soak.people.wishes if wish.verb == "u"]
    broken = _compared(soak, jobs, wishes, lambda one: (one.job_id, one.index, one.who.id), posted, "posted")
    return Promise(name="each U posted once", figure=f"{len(wishes)} wishes", broken=broken)


def mailed_once(soak: Soak, jobs: Jobs) -> Promise:
    """Each ✉️ brought every picture once, or some of them and words that say so."""
    owners = {channel: user for user, channel in soak.town.dm_channels.items()}
    sent: Counter[tuple[Any, ...]] = Counter()
    for line in _messages(soak):
        for name in line["files"]:
            if (found := _SINGLE.search(name)) and line["channel"] in owners:
                sent[found[1], int(found[2]), owners[line["channel"]]] += 1
    broken, letters = [], _letters(soak)
    wishes = [wish for wish in soak.people.wishes if wish.verb == "mail" and _heard(soak, jobs, wish)]
    for wish in wishes:
        numbers = [sent[wish.job_id, index, wish.who.id] for index in range(1, jobs[wish.job_id]["images"] + 1)]
        if max(numbers) > 1 or (min(numbers) < 1 and not letters[wish.who.id]):
            broken.append(f"{_named(wish)} brought its pictures {numbers} times")
    return Promise(name="each ✉️ sent once", figure=f"{len(wishes)} wishes", broken=broken)


def cancelled_as_asked(soak: Soak, jobs: Jobs) -> Promise:
    """Nobody's jobs were cancelled more often than somebody asked for it."""
    asked = Counter(wish.who.id for wish in soak.people.wishes if wish.verb in ("x", "cancel"))
    done = Counter(job["cancelled_by"] for job in jobs.values() if job["state"] == "cancelled")
    return Promise(
        name="cancelled no more than asked",
        figure=f"{done.total()} of {asked.total()}",
        broken=[f"{user} asked {asked[user]} times, and cancelled {done[user]} jobs" for user in done - asked],
    )


def deleted_as_asked(soak: Soak, jobs: Jobs) -> Promise:
    """Each ❌ under a result took it away."""
    wishes = [
        wish
        for wish in soak.people.wishes
        if wish.verb == "x" and wish.interaction is None and _heard(soak, jobs, wish)
    ]
    return Promise(
        name="each ❌ deleted the result",
        figure=f"{len(wishes)} wishes",
        broken=[
            f"{_named(wish)} left the result standing"
            for wish in wishes
            if wish.message_id in soak.town.messages[wish.who.channel_id]
        ],
    )


def answered(soak: Soak, jobs: Jobs) -> Promise:
    """Whatever was acknowledged got its words; where a button only cancels, the job is cancelled or there are words."""
    told, broken = _told(soak), []
    wishes = [wish for wish in soak.people.wishes if wish.interaction is not None]
    late = 0
    for wish in wishes:
        assert wish.interaction is not None
        if not _acknowledged(soak, wish):
            late += 1
        elif soak.town.interactions[wish.interaction].loading:
            broken.append(f"{_named(wish)} is thinking for ever")
        elif wish.verb in ("imagine", "cancel", "quota", "info", "queue") and not told[wish.interaction]:
            broken.append(f"{_named(wish)} got no words")
        elif wish.verb == "x" and not told[wish.interaction] and jobs[wish.job_id]["state"] != "cancelled":
            broken.append(f"{_named(wish)} did nothing, without a word")
    return Promise(
        name="each acknowledged wish answered",
        figure=f"{len(wishes)} wishes, {late} not acknowledged in time",
        broken=broken,
    )


def granted_once(soak: Soak, ledger: Iterable[sqlite3.Row]) -> Promise:
    """Each grant stands in the ledger once; one that was not acknowledged, once at most."""
    lines = Counter(line["bonus"] for line in ledger if line["kind"] == "grant")
    wishes = [wish for wish in soak.people.wishes if wish.verb == "quota"]
    broken = [
        f"{_named(wish)} of {wish.amount} credits stands {lines[wish.amount]} times"
        for wish in wishes
        if lines[wish.amount] > 1 or (lines[wish.amount] == 0 and _acknowledged(soak, wish))
    ]
    return Promise(name="each grant once", figure=f"{len(wishes)} wishes", broken=broken)


def _compared(
    soak: Soak,
    jobs: Jobs,
    wishes: list[Wish],
    kind: Callable[[Wish], tuple[Any, ...]],
    done: Counter[tuple[Any, ...]],
    word: str,
) -> list[str]:
    """What was done more often than asked, or less often without a word."""
    asked = Counter(kind(wish) for wish in wishes)
    told, letters = _told(soak), _letters(soak)
    sure: Counter[tuple[Any, ...]] = Counter()
    for wish in wishes:
        if wish.interaction is not None:
            sure[kind(wish)] += _acknowledged(soak, wish) and not told[wish.interaction]
        else:
            sure[kind(wish)] += _heard(soak, jobs, wish) and not letters[wish.who.id]

    def about(one: tuple[Any, ...]) -> str:
        return "; ".join(_named(wish) for wish in wishes if kind(wish) == one)

    broken = [
        f"{about(one)}: asked {asked[one]} times, and {word} {count} times"
        for one, count in done.items()
        if count > asked[one] > 0
    ]
    return broken + [
        f"{about(one)}: {word} {done[one]} times and not {count}, without a word"
        for one, count in sure.items()
        if done[one] < count
    ]


def _told(soak: Soak) -> Counter[int | None]:
    """How often each interaction was answered with words that only its person sees."""
    return Counter(line["interaction"] for line in soak.town.record.lines if line["kind"] == "told")


def _letters(soak: Soak) -> Counter[int]:
    """How many direct messages without a picture each person got: a reaction is refused so."""
    owners = {channel: user for user, channel in soak.town.dm_channels.items()}
    return Counter(
        owners[line["channel"]] for line in _messages(soak) if line["channel"] in owners and not line["files"]
    )


def _messages(soak: Soak) -> list[Line]:
    return [line for line in soak.town.record.lines if line["kind"] == "message"]


def _acknowledged(soak: Soak, wish: Wish) -> bool:
    assert wish.interaction is not None
    return soak.town.interactions[wish.interaction].responded


def _heard(soak: Soak, jobs: Jobs, wish: Wish) -> bool:
    """Whether the bot had to know what a reaction was about: its event was not lost, and the post was on record by then."""
    delivered = jobs[wish.job_id]["delivered_at"]
    return wish.key not in soak.gateway.lost and delivered is not None and from_sql(delivered) <= wish.at


def early(soak: Soak, jobs: Jobs) -> int:
    """How many reactions came before the bot knew that its post stands, and may go unheard."""
    reactions = [wish for wish in soak.people.wishes if wish.interaction is None]
    return sum(wish.key not in soak.gateway.lost and not _heard(soak, jobs, wish) for wish in reactions)


def _named(wish: Wish) -> str:
    about = f" of {wish.job_id}" + (f" #{wish.index}" if wish.index else "") if wish.job_id else ""
    kind = "reaction" if wish.interaction is None else "interaction"
    return f"{kind} {wish.key} at {wish.at:%H:%M:%S}, {wish.verb}{about}"
