"""What one setting is, and how its text is read: a reader raises ValueError for text that is not allowed."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.connection.snowflakes import ID
from bot.wordfilter.rules import Rule

TOKEN_SHAPE = re.compile(r"[\w-]{18,}\.[\w-]{5,8}\.[\w-]{25,}", re.ASCII)
"""A bot token: the bot's id, a timestamp and a signature, each in URL-safe base64."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a setting's text; `read` raises ValueError for what is not `allowed`."""

    read: Callable[[str], Any]
    allowed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One setting as the host meets it. `read` raises ValueError for text that is not `allowed`."""

    name: str
    help: str
    default: str
    allowed: str
    read: Callable[[str], Any]
    secret: bool = False


def whole_number(low: int, high: int) -> Reader:
    """A reader of whole numbers from `low` to `high`."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return Reader(read, f"a whole number from {low} to {high}")


def days_kept(least: int) -> Reader:
    """A reader of the days for which something is kept: from `least` on, or 0 for ever."""
    any_number = whole_number(0, 36_500)

    def read(text: str) -> int:
        days: int = any_number.read(text)
        if 0 < days < least:
            raise ValueError
        return days

    return any_number if least == 1 else Reader(read, f"0, or a whole number from {least} to 36500")


def one_of(*words: str) -> Reader:
    """A reader of one of these words, in any case."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    return Reader(read, f"{', '.join(words[:-1])} or {words[-1]}")


_SHORTEST_ID = 15
"""Digits of the oldest ids; what is shorter was mistyped."""


def _ids(text: str) -> frozenset[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(len(word) >= _SHORTEST_ID and re.fullmatch(ID, word) for word in words):
        raise ValueError
    return frozenset(int(word) for word in words)


def _server_weights(text: str) -> tuple[tuple[int, float], ...]:
    found: dict[int, float] = {}
    for pair in text.split(","):
        server, _, weight = (part.strip() for part in pair.partition("="))
        if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?", weight) or not 0.1 <= float(weight) <= 10:
            raise ValueError
        (guild_id,) = _ids(server)
        found[guild_id] = float(weight)
    return tuple(found.items())


def _yes_or_no(text: str) -> bool:
    match text.lower():
        case "yes" | "true" | "on" | "1":
            return True
        case "no" | "false" | "off" | "0":
            return False
    raise ValueError


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # "~somebody" who does not exist
        raise ValueError from error


def _web_address(text: str) -> str:
    """Refuse an address with a password in it, since the log shows it."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or len(text.split()) != 1:
        raise ValueError
    return text


def _ip_address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _labels(text: str) -> tuple[str, ...]:
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if not found:
        raise ValueError
    return found


def _probability(text: str) -> float:
    if not re.fullmatch(r"[01]?\.?[0-9]{0,6}", text) or not 0 < float(text) <= 1:
        raise ValueError
    return float(text)


def _device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]{1,2})?", text.lower()):
        raise ValueError
    return text.lower()


def _model_key(text: str) -> str:
    if len(text.split()) != 1:
        raise ValueError
    return text


def _words(text: str) -> tuple[str, ...] | Path:
    """Word rules with commas between them, or the path of a file that lists them."""
    if re.search(r"[/\\]|\.txt$", text):
        return _path(text)
    return tuple(str(Rule.parse(each)) for each in text.split(",") if each.strip())


def _token(text: str) -> str:
    """The token without what is often pasted along: spaces, quotes, and the `Bot ` of an HTTP header."""
    bare = text.strip().strip("\"'`").strip()
    bare = re.sub(r"^bot\s+", "", bare, flags=re.IGNORECASE)
    if not TOKEN_SHAPE.fullmatch(bare):
        raise ValueError
    return bare


IDS = Reader(_ids, "Discord ids, separated by commas")
SERVER_WEIGHTS = Reader(_server_weights, "ids of servers, each with = and a number from 0.1 to 10, separated by commas")
YES_OR_NO = Reader(_yes_or_no, "yes or no")
FOLDER = Reader(_path, "a folder")
FILE = Reader(_path, "a file")
WEB_ADDRESS = Reader(_web_address, "an address that begins with http:// or https://")
IP_ADDRESS = Reader(_ip_address, "an IP address, such as 127.0.0.1 or 0.0.0.0")
LABELS = Reader(_labels, "words with commas between them")
PROBABILITY = Reader(_probability, "a number above 0, at most 1")
DEVICE = Reader(_device, "auto, cpu, cuda, cuda:0 (or another number) or mps")
MODEL_KEY = Reader(_model_key, "the key of a model, one word")
WORDS = Reader(_words, "words with commas between them, or the path of a file")
TOKEN = Reader(
    _token,
    "a bot token (three parts joined by dots), from the Bot page of "
    "https://discord.com/developers/applications, not the client secret or the public key",
)


def setting(
    default: Any, name: str, reader: Reader, help: str, *, shown: str | None = None, secret: bool = False
) -> Any:
    """A field of `Settings`. `shown` is the default as a host would write it, where that isn't plain from the value."""
    text = _as_written(default) if shown is None else shown
    described = Variable(name=name, help=help, default=text, allowed=reader.allowed, read=reader.read, secret=secret)
    return field(default=default, repr=not secret, metadata={"variable": described})


def keep(days: int, name: str, help: str, *, least: int = 1) -> Any:
    """A field of `Settings` for the days that something is kept: `days` unless the host chose otherwise."""
    return setting(days, name, days_kept(least), f"{help} 0 keeps them for ever.")


def _as_written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | frozenset):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def nearest(name: str, known: list[str]) -> str:
    """What was probably meant: EASEL_PORT is one of the two ports, though others share more letters."""
    first, last_word = name.partition("_")[0], name[name.rfind("_") :]
    same_end = [each for each in known if each.endswith(last_word)]
    if same_end and name == first + last_word:
        return " or ".join(same_end)
    return difflib.get_close_matches(name, same_end or known, n=1, cutoff=0)[0]
