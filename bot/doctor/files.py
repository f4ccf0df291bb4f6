"""What `./easel doctor` sees of Easel's files: who may read them, what waits in quarantine, and the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bot.health.clock import ADVICE
from bot.settings.settings import Settings
from bot.texts import findings
from bot.texts.findings import Finding
from storage.files import private_files, quarantine
from storage.privacy import clock_check


def looks(settings: Settings, env_file: Path, *, now: datetime) -> Iterator[Finding]:
    """Everything that was looked at."""
    yield from _modes(settings, env_file)
    yield from _quarantine(settings)
    yield from _clock(settings, now)


def _modes(settings: Settings, env_file: Path) -> Iterator[Finding]:
    """Whether others on this machine can read the token, the keys, people's prompts and pictures."""
    secrets = [path for path in (env_file, settings.c2pa_key) if path is not None and path.exists()]
    kept = [path for path in (settings.data, settings.data / "easel.db") if path.exists()]
    exposed = list(private_files.open_to_others([*secrets, *kept]))
    for path, mode in exposed:
        private = "700" if path.is_dir() else "600"
        yield findings.note(f"Others on this machine may open {path} (mode {mode:o})", f"chmod {private} {path}")
    if not exposed and (secrets or kept):
        yield findings.ok("Files: only this user can open the data folder, .env and the keys")


def _quarantine(settings: Settings) -> Iterator[Finding]:
    """Pictures that the database doesn't know, which a host may want back before they go."""
    if jobs := quarantine.waiting(settings.data):
        days = settings.keep_quarantine_days
        until = f"They are removed after {days} days." if days else "They stay until you remove them."
        held = f"{jobs} job" if jobs == 1 else f"{jobs} jobs"
        yield findings.note(
            f"Quarantine: {settings.data / 'quarantine'} holds pictures of {held} that the database doesn't know",
            f"{until} If an older database was put back, put the newer one in its place, and them back into images.",
        )


def _clock(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Whether the date is far from when Easel last ran, so that nothing old is deleted."""
    last = clock_check.read(settings.data)
    if last is not None and not clock_check.believed(now, last=last, discord=None, steady=timedelta()):
        yield findings.note(
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, and Easel last believed it on {last:%Y-%m-%d}: "
            "nothing old is deleted",
            ADVICE,
        )
