"""What one setting is, and how its text is read: a reader raises ValueError for text that is not allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.words import Rule

TOKEN_SHAPE = re.compile(r"[\w-]{18,}\.[\w-]{5,8}\.[\w-]{25,}", re.ASCII)
"""A bot token: the bot's id, a timestamp and a signature, each in URL-safe base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One setting as the host meets it. `read` raises ValueError for text that is not `allowed`."""

    name: str
    help: str
    default: str
    allowed: str
    read: Callable[[str], Any]
    secret: bool = False


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return read


def days_kept(least: int) -> Callable[[str], int]:
    """A reader of the days for which something is kept: from `least` on, or 0 for ever."""

    def read(text: str) -> int:
        days = whole_number(0, 36_500)(text)
        if 0 < days < least:
            raise ValueError
        return days

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of these words, in any case."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    return read


def ids(text: str) -> frozenset[int]:
    """Discord ids with commas between them."""
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{15,20}", word) for word in words):
        raise ValueError
    return frozenset(int(word) for word in words)


def yes_or_no(text: str) -> bool:
    """Yes or no, and what else people write for it."""
    match text.lower():
        case "yes" | "true" | "on" | "1":
            return True
        case "no" | "false" | "off" | "0":
            return False
    raise ValueError


def path(text: str) -> Path:
    """A file or folder; `~` is the home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # "~somebody" who does not exist
        raise ValueError from error


def web_address(text: str) -> str:
    """An http or https address without a password in it, since it stands in the log."""
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or "@" in parts.netloc
        or len(text.split()) != 1
    ):
        raise ValueError
    return text


def labels(text: str) -> tuple[str, ...]:
    """Words with commas between them, at least one."""
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if not found:
        raise ValueError
    return found


def probability(text: str) -> float:
    """A number above 0, at most 1."""
    if not re.fullmatch(r"[01]?\.?[0-9]{0,6}", text) or not 0 < float(text) <= 1:
        raise ValueError
    return float(text)


def device(text: str) -> str:
    """What torch calls a device, or auto."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]{1,2})?", text.lower()):
        raise ValueError
    return text.lower()


def model_key(text: str) -> str:
    """One word."""
    if len(text.split()) != 1:
        raise ValueError
    return text


def words(text: str) -> tuple[str, ...] | Path:
    """Word rules with commas between them, or the path of a file that lists them."""
    if re.search(r"[/\\]|\.txt$", text):
        return path(text)
    return tuple(str(Rule.parse(each)) for each in text.split(",") if each.strip())


def token(text: str) -> str:
    """The token without what is often pasted along: spaces, quotes, and the `Bot ` of an HTTP header."""
    bare = text.strip().strip("\"'`").strip()
    bare = re.sub(r"^bot\s+", "", bare, flags=re.IGNORECASE)
    if not TOKEN_SHAPE.fullmatch(bare):
        raise ValueError
    return bare


def variable(
    name: str,
    help: str,
    read: Callable[[str], Any],
    *,
    default: str,
    allowed: str,
    secret: bool = False,
) -> dict[str, Variable]:
    """A variable as the metadata of a field of `Settings`."""
    return {
        "variable": Variable(name=name, help=help, read=read, default=default, allowed=allowed, secret=secret)
    }


def keep(days: int, name: str, help: str, *, least: int = 1) -> Any:
    """A field of `Settings` for the days that something is kept: `days` unless the host chose otherwise."""
    allowed = (
        "a whole number from 0 to 36500" if least == 1 else f"0, or a whole number from {least} to 36500"
    )
    words = f"{help} 0 keeps them for ever."
    read = days_kept(least)
    return field(default=days, metadata=variable(name, words, read, default=str(days), allowed=allowed))


def nearest(name: str, known: list[str]) -> str:
    """The known name that was probably meant: EASEL_PORT means EASEL_PLAYGROUND_PORT, though others share more letters."""
    last_word = name[name.rfind("_") :]
    same_end = [each for each in known if each.endswith(last_word)]
    return difflib.get_close_matches(name, same_end or known, n=1, cutoff=0)[0]
