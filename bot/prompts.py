"""Splits what a person typed into a prompt and flags. Pure; no word is ever thrown away silently."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.errors import BadPrompt
from generation.contract import MAX_SEED

MAX_PROMPT = 1500
"""Characters of a prompt: more than any text encoder here reads, few enough to quote in a Discord message."""

PRIVATE_PROMPT = "a private prompt"
"""What everybody reads in place of the words of a job with `--private`."""

_GIVEN = "yes"
"""What a bare flag is read from."""

_FLAG = re.compile(r"^(?:--|—|–)([^\W\d][\w-]*)(?:=(.*))?$", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A prompt and the flags that were given; None means that a flag was not."""

    prompt: str
    aspect: tuple[int, int] | None = None
    seed: int | None = None
    negative: str | None = None
    steps: int | None = None
    guidance: float | None = None
    model: str | None = None
    count: int | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class _Flag:
    """How one flag is read: the field that it fills, what people are told that it takes, and the reader.

    A flag that is `bare` takes nothing: the word behind it belongs to the prompt.
    """

    field: str
    takes: str
    read: Callable[[str], Any]
    bare: bool = False


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`; it raises ValueError for anything else."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return read


def read_aspect(text: str) -> tuple[int, int]:
    """`3:2` as (3, 2). Raises ValueError unless both are whole, 1 to 100, and the ratio is from 1:4 to 4:1."""
    match = re.fullmatch(r"([0-9]{1,3})[:x/]([0-9]{1,3})", text)
    if not match:
        raise ValueError(text)
    width, height = int(match[1]), int(match[2])
    if not (1 <= width <= 100 and 1 <= height <= 100 and width <= 4 * height and height <= 4 * width):
        raise ValueError(text)
    return width, height


def _read_guidance(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text) or not 0 <= float(text) <= 30:
        raise ValueError(text)
    return float(text)


def _read_nothing(text: str) -> bool:
    if text != _GIVEN:
        raise ValueError(text)
    return True


def _read_name(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


FLAGS: dict[str, _Flag] = {
    "ar": _Flag("aspect", "two whole numbers like `3:2`, from 1:4 to 4:1", read_aspect),
    "seed": _Flag("seed", f"a whole number from 0 to {MAX_SEED}", whole(0, MAX_SEED)),
    "no": _Flag("negative", "what to leave out, like `--no boat, people`", _read_name),
    "steps": _Flag("steps", "a whole number from 1 to 150", whole(1, 150)),
    "cfg": _Flag("guidance", "a number from 0 to 30", _read_guidance),
    "model": _Flag("model", "a model's name", _read_name),
    "count": _Flag("count", "a whole number from 1 to 4", whole(1, 4)),
    "private": _Flag("private", "no value", _read_nothing, bare=True),
}
_ALIASES = {"aspect": "ar", "negative": "no", "guidance": "cfg", "m": "model", "stealth": "private"}


def parse(text: str) -> Parsed:
    """The prompt and flags in `text`. Raises BadPrompt for an unknown, doubled, empty or out-of-range flag."""
    words = text.split()
    prompt: list[str] = []
    given: dict[str, Any] = {}
    position = 0
    while position < len(words):
        match = _FLAG.match(words[position])
        position += 1
        if not match:
            prompt.append(words[position - 1])
            continue
        name = _known(match[1].lower())
        if match[2] is not None:
            value = match[2]
        elif FLAGS[name].bare:
            value = _GIVEN
        elif name == "no":
            value, position = _until_next_flag(words, position)
        else:
            value = words[position] if position < len(words) else ""
            position += 1
        flag = FLAGS[name]
        if flag.field in given:
            raise BadPrompt(f"`--{name}` is there twice. Give it once.")
        given[flag.field] = _value(name, flag, value)
    return _checked(Parsed(prompt=" ".join(prompt), **given))


def is_flag(word: str) -> bool:
    """Whether a word of a prompt would be read as a flag."""
    return _FLAG.match(word) is not None


def _known(name: str) -> str:
    name = _ALIASES.get(name, name)
    if name in FLAGS:
        return name
    near = difflib.get_close_matches(name, [*FLAGS, *_ALIASES], n=1)
    hint = (
        f"Did you mean `--{near[0]}`?"
        if near
        else "The flags are " + ", ".join(f"`--{f}`" for f in FLAGS) + "."
    )
    shown = re.sub(r"[^\w-]", "", name)[:30]
    raise BadPrompt(f"There is no flag `--{shown}`. {hint}")


def _until_next_flag(words: list[str], start: int) -> tuple[str, int]:
    end = start
    while end < len(words) and not _FLAG.match(words[end]):
        end += 1
    return " ".join(words[start:end]), end


def _value(name: str, flag: _Flag, text: str) -> Any:
    if not text or _FLAG.match(text):
        raise BadPrompt(f"`--{name}` needs a value: {flag.takes}.")
    try:
        return flag.read(text)
    except ValueError:
        shown = re.sub(r"[`\s]+", " ", text)[:40]
        raise BadPrompt(f"`--{name}` takes {flag.takes}, not `{shown}`.") from None


def _checked(parsed: Parsed) -> Parsed:
    if not parsed.prompt:
        raise BadPrompt(
            "The prompt is empty. Say what to draw, like `/imagine prompt: a sunset over a mountain lake`."
        )
    for what, text in (("prompt", parsed.prompt), ("`--no` text", parsed.negative or "")):
        if len(text) > MAX_PROMPT:
            raise BadPrompt(
                f"The {what} has {len(text)} characters. The longest that can be read is {MAX_PROMPT}."
            )
    return parsed
