"""Owns whether the clock can be believed, before anything is deleted for its age.

A machine may start with a date that is years off, and what was deleted then is gone. The moment at which the clock was
last believed is kept in `<data>/clock`. A clock that is more than `FAR` from it is not believed, until it is near the
Discord time of the newest order, or has gone as fast as the machine's monotonic clock for `STEADY`. So a bot that was
off for long goes on by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.database import Transaction
from storage.files import private_files
from storage.timestamps import from_sql

FAR = timedelta(days=7)
STEADY = timedelta(days=1)
_DRIFT = timedelta(hours=1)
"""How far the two clocks may come apart before the watch begins anew: a step, or a machine that slept."""

_FILE = "clock"
_DISCORD_EPOCH = 1_420_070_400_000
"""Milliseconds of 2015, from which the ids of Discord's events count.

https://docs.discord.com/developers/reference#snowflakes
"""


class Watch:
    """How long this process has seen the clock go as fast as the machine's monotonic one."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since: tuple[datetime, float] | None = None
        self.doubted = False
        """Whether somebody was told that the clock is not believed."""

    def steady(self, now: datetime) -> timedelta:
        """For how long that has been so. Looking is what watches: look every hour."""
        ticks = self._monotonic()
        if self._since is not None:
            gone = timedelta(seconds=ticks - self._since[1])
            if abs(now - self._since[0] - gone) <= _DRIFT:
                return gone
        self._since = now, ticks
        return timedelta()


def believed(now: datetime, *, last: datetime | None, discord: datetime | None, steady: timedelta) -> bool:
    """Whether `now` may be true: `last` is when the clock was believed, `discord` the time of the newest order."""
    if last is None or any(moment is not None and abs(now - moment) <= FAR for moment in (last, discord)):
        return True
    contradicted = discord is not None and discord > last  # Discord's time went on, and is another
    return steady >= STEADY and not contradicted


async def newest(tx: Transaction) -> tuple[datetime | None, datetime | None]:
    """When the newest job or visit was by our clock, and the newest order by Discord's."""
    row = await tx.fetch_one(
        "SELECT max(coalesce((SELECT created_at FROM jobs ORDER BY number DESC LIMIT 1), 0),"
        " coalesce((SELECT max(last_seen) FROM users), 0)) AS ours,"
        " (SELECT max(interaction_id) FROM jobs) AS theirs"
    )
    assert row is not None
    theirs = row["theirs"] and from_sql((row["theirs"] >> 22) + _DISCORD_EPOCH)
    return from_sql(row["ours"]) if row["ours"] else None, theirs or None


def read(folder: Path) -> datetime | None:
    """When the clock was last believed; None if that is not known. Blocks."""
    try:
        moment = datetime.fromisoformat((folder / _FILE).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def write(folder: Path, now: datetime) -> None:
    """Note that the clock is believed. Raises OSError. Blocks."""
    private_files.write(folder / _FILE, f"{now.isoformat()}\n".encode())
