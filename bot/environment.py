"""What a child process that reads strangers' files is told of this one: no secret, by a list of what it may know."""

from __future__ import annotations

import os

_NEEDED = frozenset({"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"})
_NEEDED_ON_WINDOWS = frozenset({"SYSTEMROOT", "TEMP", "TMP"})


def without_secrets() -> dict[str, str]:
    """The variables that Python and its libraries need to start. Tokens have many names; these are all that pass."""
    return {name: value for name, value in os.environ.items() if name.upper() in _NEEDED | _NEEDED_ON_WINDOWS}
