"""Reads one stranger's file, in a process of its own: what it says of itself, and who signed it.

`bot.pictures.inspection` starts it. The file comes in, and two lines of JSON go out: the description, then the verdict on the
Content Credentials. What goes wrong, here or in native code, ends this process, and not the bot.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.pictures import verifier
from generation.containers import BadSource
from generation.parameters import Parameters
from generation.read_metadata import Description, describe

MEMORY, CPU_SECONDS, SECONDS = 2**30, 10, 15
"""Bytes, seconds of a processor, and seconds on the clock: a file of 32 MiB takes a fraction of each."""


def described(given: dict[str, Any]) -> Description:
    """The description in a line that this process wrote. Raises BadSource for a file that it refused."""
    if "refused" in given:
        raise BadSource(given["refused"])
    found = given.pop("parameters")
    return Description(**given, parameters=found and Parameters(**found))


def main(arguments: list[str]) -> None:
    """The argument "check" asks for the verdict, too, and one behind it is the file of trusted issuers."""
    _limit()
    data = sys.stdin.buffer.read()
    try:
        found = describe(data)
    except BadSource as error:
        _say({"refused": str(error)})
        return
    _say(asdict(found))
    if found.signed and arguments:
        verdict = verifier.check(data, verifier.certificates(Path(arguments[1])) if arguments[1:] else "")
        _say(asdict(verdict) if verdict else None)


def _say(value: Any) -> None:
    print(json.dumps(value), flush=True)


def _limit() -> None:
    """Hold this process to its limits. Windows has none of them; there the clock of `bot.pictures.inspection` is one."""
    if sys.platform == "win32":
        return
    import resource

    signal.alarm(SECONDS)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS takes no limit of memory
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main(sys.argv[1:])
