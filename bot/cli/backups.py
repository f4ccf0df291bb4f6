"""The commands `backup`, `restore` and `verify`: what may be typed, and what is said about them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from bot.settings.settings import Settings
from storage import timestamps
from storage.backups import backup, restoring, verification
from storage.backups.backup import Progress

BY_COMMAND = "easel"
"""The kind of backup that a command takes: never deleted by Easel itself."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], load: Callable[[], Settings]) -> None:
    """Add the three commands. `load` reads the settings. They raise StorageError for what can't be done."""
    taking = commands.add_parser("backup", help="back up the database and the pictures, while Easel runs or not")
    taking.add_argument("--to", type=Path, metavar="FOLDER", help="where to (default: EASEL_BACKUP_FOLDER)")
    taking.set_defaults(command=lambda typed: _back_up(load(), typed.to))
    bringing = commands.add_parser("restore", help="bring a backup back; what is there is moved aside")
    bringing.add_argument("folder", type=Path, metavar="FOLDER", help="the backup")
    bringing.set_defaults(command=lambda typed: _restore(load(), typed.folder))
    looking = commands.add_parser("verify", help="look whether the data or a backup is whole; nothing is changed")
    looking.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="a backup (default: EASEL_DATA)")
    looking.add_argument("--quick", action="store_true", help="compare pictures by their sizes only")
    looking.set_defaults(command=lambda typed: _verify(load(), typed.folder, quick=typed.quick))


def _back_up(settings: Settings, to: Path | None) -> int:
    into = (to or settings.backups).absolute()
    with _shown() as progress:
        taken = backup.take(settings.data, into, kind=BY_COMMAND, now=timestamps.now(), progress=progress)
    count = len(taken.manifest.pictures or ())
    if taken.manifest.absent:
        print(
            f"{len(taken.manifest.absent)} pictures are gone or damaged: ./easel verify names them.",
            file=sys.stderr,
        )
    print(f"The database and {count} pictures ({taken.bytes / 10**6:.1f} MB), for ./easel restore:")
    print(taken.folder)
    return 0


def _restore(settings: Settings, folder: Path) -> int:
    with _shown() as progress:
        done = restoring.restore(folder.absolute(), settings.data, now=timestamps.now(), progress=progress)
    print(f"Restored into {settings.data}: the backup of {_moment(done.backup.manifest.taken_at)}.")
    if done.aside is not None:
        print(f"What was there is in {done.aside}; delete that once you don't need it.")
    if done.erased:
        print(f"{done.erased} people deleted their data since. The next start deletes it again.")
    return 0


def _verify(settings: Settings, folder: Path | None, *, quick: bool) -> int:
    console = Console(highlight=False)
    with _shown() as progress:
        report = asyncio.run(
            verification.verify(
                (folder or settings.data).absolute(),
                now=timestamps.now(),
                read_pictures=not quick,
                progress=progress,
            )
        )
    for sign, lines in (
        ("[green]✓[/]", report.well),
        ("[yellow]·[/]", report.notes),
        ("[red]✗[/]", report.broken),
    ):
        for line in lines:
            console.print(sign, end=" ")
            console.print(line, markup=False, soft_wrap=True)
    console.print("\nWhole." if report.whole else f"\nNot whole: {len(report.broken)} faults.")
    return int(not report.whole)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def _shown() -> Iterator[Progress]:
    """A bar on stderr, where that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def progress(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of)

        yield progress
