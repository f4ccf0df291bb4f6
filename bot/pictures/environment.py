"""What a child process that reads strangers' files is told of this one: no secret, by a list of what it may know."""

from __future__ import annotations

import os

NEEDED = frozenset(
    {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP"}
)
"""All that passes; tokens have too many names to list. The last three are Windows'."""


def without_secrets() -> dict[str, str]:
    """The variables that Python and its libraries need to start."""
    return {name: value for name, value in os.environ.items() if name.upper() in NEEDED}
