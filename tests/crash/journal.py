"""What Discord has taken, line by line: the one memory besides the data folder that outlives a kill.

A line is written by one `write` to a file opened with O_APPEND, before the bot hears that its request was taken. So a
kill leaves a line whole, or torn at the file's end, which then counts as not taken.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Line = dict[str, Any]

_RESULT = re.compile(r"_([a-z0-9]{14})\.(?:jpg|png)\Z")
_CANCEL_BUTTON = re.compile(r"easel:x:([a-z0-9]{14}):0\Z")


class Journal:
    """The open journal of one life, which begins with `lines`. Opening it cuts off a torn last line."""

    def __init__(self, path: Path) -> None:
        self.lines = read(path)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        whole = path.read_bytes().rfind(b"\n") + 1
        os.ftruncate(self._descriptor, whole)

    def write(self, kind: str, **values: Any) -> None:
        data = json.dumps({"kind": kind, **values}, ensure_ascii=False).encode() + b"\n"
        if os.write(self._descriptor, data) != len(data):
            raise OSError("a line of the journal was written in part")


def read(path: Path, since: int = 0) -> list[Line]:
    """The whole lines from byte `since` on; none where there is no file yet."""
    return [json.loads(line) for line in _whole(path, since).splitlines()]


def count(path: Path, since: int) -> int:
    """How many whole lines there are from byte `since` on."""
    return _whole(path, since).count(b"\n")


def end(path: Path) -> int:
    """The byte after the last whole line: where the next life's first line will be."""
    return len(_whole(path, 0))


def _whole(path: Path, since: int) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(since)
        data = file.read()
    return data[: data.rfind(b"\n") + 1]


def standing(lines: list[Line]) -> dict[int, Line]:
    """The public messages that have not been deleted, by id, each as it was edited last."""
    messages: dict[int, Line] = {}
    for line in lines:
        if line["kind"] == "message" or (line["kind"] == "edit" and line["id"] in messages):
            messages[line["id"]] = line
        elif line["kind"] == "gone":
            messages.pop(line["id"], None)
    return messages


def results(lines: list[Line]) -> Iterator[tuple[str, Line]]:
    """Every posting of a grid: the job's id and the message. Previews and single pictures are none."""
    for line in lines:
        if line["kind"] == "message":
            for name in line["files"]:
                if found := _RESULT.search(name):
                    yield found[1], line


def waiting(message: Line) -> str | None:
    """The id of the job whose progress a message shows."""
    for row in message["components"]:
        for button in row.get("components", ()):
            if found := _CANCEL_BUTTON.match(button.get("custom_id", "")):
                return found[1]
    return None


def announced(lines: list[Line]) -> set[str]:
    """The jobs that were told to be accepted by a progress message."""
    return {job for line in lines if line["kind"] == "message" and (job := waiting(line))}
