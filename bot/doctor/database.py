"""What `./easel doctor` finds of the database, its backups and the list of erasures.

It only reads, so a bot may run, and nothing is migrated.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.settings.settings import Settings
from bot.texts.findings import Finding, broken, note, ok
from storage import timestamps
from storage.backups.verification import database_state, erasures_damage
from storage.files import snapshots

_RESTORE = (
    "Stop Easel and bring a backup back: ./easel restore FOLDER, with one of the folders in {}. It moves aside what is "
    "there. Without a backup, ask for help before you move or delete anything."
)


_ERASURES = (
    "Until then nobody's data can be deleted. Mend that line, or delete it if it isn't the first: a restore of an older "
    "backup may then bring back whom it meant."
)


def look(settings: Settings, *, now: datetime | None = None) -> Iterator[Finding]:
    """Whether the database and the list of erasures are sound, and how old the newest backup is."""
    path = settings.data / "easel.db"
    if (settings.data / snapshots.HALF_RESTORED).exists():
        yield broken("Database: a restore was cut short", "Do it again: ./easel restore FOLDER.")
        return
    if not path.exists():
        yield ok("Database: none yet; the first start makes it")
        return
    found = database_state(settings.data)
    if found.damage:
        yield broken(f"Database: {path} is damaged: {found.damage}", _RESTORE.format(settings.backups))
    elif found.version > found.newest:
        yield broken(
            f"Database: a newer Easel wrote it (version {found.version}, and this Easel knows {found.newest})",
            f"Run that Easel. Or: {_RESTORE.format(settings.backups)}",
        )
    elif 0 < found.version < found.newest:
        yield note(
            f"Database: sound; the next start migrates it from version {found.version} to {found.newest}",
            f"It is copied into {settings.data / snapshots.FOLDER} before that.",
        )
    else:
        yield ok(f"Database: {path} is sound ({path.stat().st_size / 10**6:.1f} MB)")
    if why := erasures_damage(settings.data):
        yield broken(f"Erasures: {why}", _ERASURES)
    yield from _backups(settings, now or timestamps.now())


def _backups(settings: Settings, now: datetime) -> Iterator[Finding]:
    kinds = [each for kind in ("easel", "daily") for each in snapshots.whole(settings.backups, kind)]
    if not kinds:
        yield note(
            f"Backups: none in {settings.backups}",
            "./easel backup takes one. With EASEL_BACKUP_DAILY Easel takes one each day.",
        )
        return
    past = [each for each in kinds if each[0] <= now]
    if past:
        taken_at, folder = max(past)
        yield ok(f"Backups: the newest is of {taken_at:%Y-%m-%d %H:%M} UTC: {folder}")
    if len(past) < len(kinds):
        yield note(
            f"Backups: by their names, {len(kinds) - len(past)} are of a time to come: {max(kinds)[1]}",
            "This machine's date is wrong, or was when they were taken. Take a new one: ./easel backup",
        )
