"""Starts the bot, kills its whole process tree at a random moment, looks at what is left, and starts it again."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import audit, journal
from tests.crash.audit import Report

ROOT = Path(__file__).parents[2]

EARLY, RECOVERING = 0.2, 0.2
"""Which part of the kills comes at a time after the start, drawn from 0 to when the bot is usually up, and which part
so soon after it has opened its database; the others come once so many lines more are in the journal."""
RECOVERY_SECONDS = 0.4
MOST_LINES = 150
LATER_SECONDS = 0.03
"""A kill comes up to so much after the line that it waited for, so that it does not always follow a line."""
BOT_ONLY, BOT_ONLY_REAL = 0.2, 0.5
"""Which part of the kills, and of those with the built-in model, takes the bot's process alone: its worker has to end
by itself."""

_USUAL_START = 1.5
_POLL_SECONDS = 0.001
_PATIENCE_SECONDS = 120.0
_LOUD = ("error", "critical")
_MARK = "EASEL_CRASH_LIFE"


class Stuck(AssertionError):
    """The bot did not do what was waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One round: what was killed, when in the life, and what was found."""

    seconds: float
    phase: str
    bot_only: bool
    real: bool
    report: Report


@dataclass(slots=True, kw_only=True)
class Siege:
    """What came of all rounds. `broken` must be empty."""

    kills: list[Kill] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def phases(self) -> Counter[str]:
        return Counter(kill.phase for kill in self.kills)

    def met(self, figure: str) -> int:
        """At how many kills the figure was not 0."""
        return sum(kill.report.figures[figure] > 0 for kill in self.kills)


def lay(
    folder: Path, *, rounds: int, real: int, seed: int, say: Callable[[int, Kill], None] = lambda *_: None
) -> Siege:
    """Kill the bot on this folder `rounds` times, `real` of them while it draws with the built-in model, then let it rest.

    Raises Stuck when a life does not get going, or does not come to rest.
    """
    source = random.Random(seed)
    siege = Siege()
    usual = [_USUAL_START]
    reals = {round(rounds * (n + 1) / (real + 1)) for n in range(real)}
    for number in range(rounds):
        kill = _round(folder, source, usual, real=number in reals)
        siege.kills.append(kill)
        siege.broken += [one for one in kill.report.broken if one not in siege.broken]
        say(number, kill)
    _rest(folder)
    end = audit.look(folder / "data", journal.read(folder / "discord.jsonl"), final=True)
    siege.broken += [one for one in end.broken if one not in siege.broken] + _loud(folder)
    siege.figures = end.figures
    return siege


def _round(folder: Path, source: random.Random, usual: list[float], *, real: bool) -> Kill:
    path = folder / "discord.jsonl"
    before = journal.end(path)
    bot_only = source.random() < (BOT_ONLY_REAL if real else BOT_ONLY)
    with _life(folder, source.getrandbits(32), "busy", real=real) as (child, mark):
        begun = time.monotonic()
        if real:
            _until(child, lambda: _drawn(path, before), "picture of the built-in model")
        dice = 1.0 if real else source.random()
        if dice < EARLY:
            moment = begun + source.uniform(0, statistics.median(usual[-9:]))
        elif dice < EARLY + RECOVERING:
            _until(child, lambda: journal.count(path, before) > 0, "database")
            moment = time.monotonic() + source.uniform(0, RECOVERY_SECONDS)
        else:
            _until(child, lambda: _is_up(path, before), "start")
            usual.append(time.monotonic() - begun)
            awaited = journal.count(path, before) + source.randrange(MOST_LINES)
            _until(child, lambda: journal.count(path, before) >= awaited, "use")
            moment = time.monotonic() + source.uniform(0, LATER_SECONDS)
        _until(child, lambda: time.monotonic() >= moment, "moment")
        if bot_only:
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
        lived = time.monotonic() - begun
        child.wait()
        orphans = _orphans(mark)
    lines = journal.read(path)
    return Kill(
        seconds=lived,
        phase=_phase(journal.read(path, before)),
        bot_only=bot_only,
        real=real,
        report=_look_at_a_copy(folder, lines, orphans),
    )


def _rest(folder: Path) -> None:
    """One more life without wishes, until nothing is owed."""
    with _life(folder, 0, "calm", real=False) as (child, mark):
        try:
            status = child.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise Stuck(f"the bot did not come to rest\n{_last_words(folder)}") from None
        if status != 0 or _orphans(mark):
            raise Stuck(f"the last life ended with status {status}\n{_last_words(folder)}")


@contextmanager
def _life(folder: Path, seed: int, mood: str, *, real: bool) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The bot in a session of its own, and the mark that all its processes bear; nothing of it is left afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex
    command = [
        sys.executable,
        "-m",
        "tests.crash.life",
        str(folder),
        str(seed),
        mood,
        *(["real"] if real else []),
    ]
    with (folder / "log.jsonl").open("ab") as log:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {_MARK: mark},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield child, mark
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        assert child.stdin is not None
        child.stdin.close()


def _until(child: subprocess.Popen[bytes], done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not done():
        if child.poll() is not None:
            raise Stuck(f"the bot ended by itself, with status {child.returncode}, before its {what}")
        if time.monotonic() > deadline:
            raise Stuck(f"the bot did not come to its {what}")
        time.sleep(_POLL_SECONDS)


def _is_up(path: Path, before: int) -> bool:
    return any(line["kind"] == "up" for line in journal.read(path, before))


def _drawn(path: Path, before: int) -> bool:
    return any(True for _ in journal.results(journal.read(path, before)))


def _phase(lines: list[journal.Line]) -> str:
    kinds = {line["kind"] for line in lines}
    return "working" if "up" in kinds else "recovering" if "life" in kinds else "starting"


def _orphans(mark: str) -> list[int]:
    """The processes of a life that outlive it, after they had a moment to end. Empty where there is no /proc."""
    deadline = time.monotonic() + 30
    while (alive := _marked(mark)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS * 10)
    return alive


def _marked(mark: str) -> list[int]:
    word = f"{_MARK}={mark}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            # A dead process that nobody has buried yet has an empty environment.
            if word in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def _look_at_a_copy(folder: Path, lines: list[journal.Line], orphans: list[int]) -> Report:
    """Examine what a kill left without touching it: the next start has to find the write-ahead log as it is."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for name in ("easel.db", "easel.db-wal"):
        if (folder / "data" / name).exists():
            shutil.copy(folder / "data" / name, copy)
    report = audit.look(copy, lines, final=False) if any(line["kind"] == "life" for line in lines) else audit.nothing()
    report.broken.extend(f"process {process} lives on" for process in orphans)
    return report


def _loud(folder: Path) -> list[str]:
    """What the bot logged as an error, and what its processes said that is no log line."""
    found = []
    for line in (folder / "log.jsonl").read_text(errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            found.append(f"said: {line}")
            continue
        if entry["level"] in _LOUD:
            found.append(f"logged: {json.dumps(entry)[:2000]}")
    return found


def _last_words(folder: Path) -> str:
    return "\n".join((folder / "log.jsonl").read_text(errors="replace").splitlines()[-20:])
