"""Owns `easel.lock`: the operating system's word that one process has a data folder open.

The lock goes with the process, however it ends, so a killed bot never leaves a folder locked.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self

from storage.errors import DatabaseUnreadable, DataFolderBusy

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        # flock, not lockf: POSIX record locks would let the same process in twice.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """A taken lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Make the folder if need be and lock it without waiting.

        Raises `DataFolderBusy` when it is taken, `DatabaseUnreadable` when the folder can't be written to.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder / "easel.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DatabaseUnreadable(f"The data folder {folder} can't be written to: {error}.") from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise DataFolderBusy(
                f"Another Easel is already running on the data folder {folder}. "
                "Stop it first, or give this one a folder of its own."
            ) from error
        return cls(descriptor)

    def release(self) -> None:
        """Give the folder back."""
        os.close(self._descriptor)
