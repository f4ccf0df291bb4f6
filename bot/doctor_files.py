"""What `./easel doctor` sees of Easel's files: who may read them.

Each look is what was seen, and what to do about it, or nothing where all is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.settings import Settings
from storage import private_files


def looks(settings: Settings, env_file: Path) -> Iterator[tuple[str, str]]:
    """Everything that was looked at, as words and advice; no advice where there is nothing to do."""
    yield from _modes(settings, env_file)


def _modes(settings: Settings, env_file: Path) -> Iterator[tuple[str, str]]:
    """Whether others on this machine can read the token, the keys, people's prompts and pictures."""
    secrets = [path for path in (env_file, settings.c2pa_key) if path is not None and path.exists()]
    kept = [path for path in (settings.data, settings.data / "easel.db") if path.exists()]
    exposed = list(private_files.open_to_others([*secrets, *kept]))
    for path, mode in exposed:
        private = "700" if path.is_dir() else "600"
        yield f"Others on this machine may open {path} (mode {mode:o})", f"chmod {private} {path}"
    if not exposed and (secrets or kept):
        yield "Files: only this user can open the data folder, .env and the keys", ""
