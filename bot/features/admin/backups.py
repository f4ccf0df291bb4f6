"""Daily backups, if the host wants them, and the deletion of old ones. The newest one's time says when the next is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from bot.health.clock import may_delete
from bot.interactions.feature import Feature
from bot.services import Services
from storage.backups import backup, restoring
from storage.errors import StorageError
from storage.files import snapshots

KIND = "daily"

_EVERY = 600.0
"""Seconds between two looks whether a backup is due."""
_AFTER_A_FAILURE = 3600.0
_DAY = timedelta(days=1)
_LONGEST_KEPT = timedelta(days=30)
"""How long the copies from before migrations are kept at most: they hold what people may have deleted since."""

_log = structlog.get_logger(__name__)


async def keep(services: Services) -> None:
    """Take backups when they are due and delete the oldest, for as long as the bot lives."""
    while True:
        try:
            believed = await _believes_the_clock(services)
            if believed:
                await asyncio.to_thread(_drop_old, services)
            if services.settings.backup_daily and await asyncio.to_thread(_due, services):
                await asyncio.to_thread(_take, services, believed=believed)
        except (StorageError, OSError):
            _log.exception("no backup could be taken; trying again later", again_in=_AFTER_A_FAILURE)
            await asyncio.sleep(_AFTER_A_FAILURE)
        await asyncio.sleep(_EVERY)


async def _believes_the_clock(services: Services) -> bool:
    """Whether anything may be deleted for its age. If that is unknown, a backup is taken all the same."""
    try:
        return await may_delete(services.database, services.clock_watch, now=services.clock())
    except (StorageError, OSError):
        _log.exception("nobody knows whether the clock is right, so no old backup is deleted")
        return False


def _due(services: Services) -> bool:
    """Whether no backup is of the last day. One from the future, by a clock that was wrong, doesn't count."""
    now = services.clock()
    taken = [taken_at for taken_at, _ in snapshots.whole(services.settings.backups, KIND)]
    return not any(timedelta() <= now - taken_at < _DAY for taken_at in taken)


def _take(services: Services, *, believed: bool) -> None:
    """Take one, and delete the oldest if the clock is believed."""
    settings = services.settings
    taken = backup.take(services.database.folder, settings.backups, kind=KIND, now=services.clock())
    _log.info(
        "backup taken",
        folder=str(taken.folder),
        pictures=len(taken.manifest.pictures or ()),
        absent=len(taken.manifest.absent),
    )
    if believed:
        _drop(
            partial(
                snapshots.drop_oldest,
                settings.backups,
                KIND,
                keep=settings.backup_daily,
                now=services.clock(),
                spare=taken.folder,
            )
        )


def _drop_old(services: Services) -> None:
    data, now = services.database.folder, services.clock()
    copies = data / snapshots.FOLDER
    _drop(partial(snapshots.drop_before, copies, "before-", now - _LONGEST_KEPT))
    for into in {copies, services.settings.backups}:
        _drop(partial(snapshots.drop_half_done, into, before=now - _DAY))
    try:
        if restoring.clear_away(data):
            _log.info("what a restore left that was cut short was deleted")
    except OSError:
        _log.exception("what a restore left could not be deleted; trying again later")


def _drop(old: Callable[[], Sequence[Path]]) -> None:
    """Delete backups. One that can't be deleted keeps no other from being taken or deleted."""
    try:
        for folder in old():
            _log.info("an old backup was deleted", folder=str(folder))
    except OSError:
        _log.exception("an old backup could not be deleted; trying again later")


FEATURE = Feature(background=keep)
