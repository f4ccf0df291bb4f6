"""Splits what a person typed into a prompt and flags. Pure; no word is ever thrown away silently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.errors import BadPrompt
from bot.jobs.flags import FLAGS, GIVEN, Found, look
from bot.texts.plain_text import DASHES, is_visible, plain

MAX_PROMPT = 1500
"""Characters of a prompt: more than any text encoder here reads, few enough to quote in a Discord message."""

PRIVATE_PROMPT = "a private prompt"
"""What everybody reads in place of the words of a job with `--private`."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What could be read of a prompt, and a full sentence for each thing that could not."""

    parsed: Parsed
    problems: tuple[str, ...] = ()


def parse(text: str) -> Parsed:
    """The prompt and flags in `text`. Raises BadPrompt, with all that is wrong at once."""
    reading = read(text)
    if reading.problems:
        raise BadPrompt(*reading.problems)
    return reading.parsed


def read(text: str) -> Reading:
    """The prompt and flags in `text`, and what is wrong: flags unknown, doubled, empty, out of range or misspelt."""
    words = plain(text).split()
    prompt: list[str] = []
    given: dict[str, Any] = {}
    problems: list[str] = []
    position = 0
    while position < len(words):
        found = look(words, position)
        position += found.length if found else 1
        if found is None:
            prompt.append(words[position - 1])
        elif found.problem:
            problems.append(found.problem)
        else:
            value, position = _value(found, words, position)
            problems.append(_take(found.name, value, given))
    parsed = Parsed(prompt=" ".join(prompt), **given)
    return Reading(parsed=parsed, problems=(*filter(None, problems), *_unusable(parsed)))


def flags_of(parsed: Parsed) -> str:
    """The flags that were given, as they are typed behind a prompt; `read` takes them back."""
    given = {name: getattr(parsed, flag.field) for name, flag in FLAGS.items()}
    last = given.pop("no")  # goes on up to the next flag
    words = [_typed(name, value) for name, value in (*given.items(), ("no", last)) if value not in (None, False)]
    return " ".join(words)


def _typed(name: str, value: Any) -> str:
    if FLAGS[name].bare:
        return f"--{name}"
    return f"--{name} {':'.join(map(str, value)) if isinstance(value, tuple) else value}"


def prose(text: str) -> str:
    """`text` on one line, with the dashes left out that would make a flag of a word, or nearly one."""
    words = plain(text).split()
    position = 0
    while position < len(words):
        if look(words, position) is None:
            position += 1
        elif bare := words[position].lstrip(DASHES):
            words[position] = bare
        else:
            del words[position]
    return " ".join(words)


def _value(found: Found, words: list[str], start: int) -> tuple[str, int]:
    """What a flag is given, and where the words go on."""
    if FLAGS[found.name].bare:
        return found.value or GIVEN, start
    if found.name == "no" and (found.value or ",").endswith(","):
        more, end = _until_next_flag(words, start)
        return f"{found.value or ''} {more}".strip(), end
    if found.value:
        return found.value, start
    if start == len(words) or look(words, start) is not None:
        return "", start
    return words[start], start + 1


def _until_next_flag(words: list[str], start: int) -> tuple[str, int]:
    end = start
    while end < len(words) and look(words, end) is None:
        end += 1
    return " ".join(words[start:end]), end


def _take(name: str, text: str, given: dict[str, Any]) -> str:
    """Put a flag's value among those given; what is wrong with it, or nothing."""
    flag = FLAGS[name]
    if flag.field in given:
        return f"`--{name}` is there twice. Give it once."
    if not text:
        return f"`--{name}` needs a value: {flag.takes}."
    try:
        given[flag.field] = flag.read(text)
    except ValueError:
        shown = re.sub(r"[`\s]+", " ", text)[:40]
        return f"`--{name}` takes {flag.takes}, not `{shown}`."
    return ""


def _unusable(parsed: Parsed) -> Iterator[str]:
    if not is_visible(parsed.prompt):
        yield "The prompt is empty. Say what to draw, like `/imagine prompt: a sunset over a mountain lake`."
    for what, text in (("prompt", parsed.prompt), ("`--no` text", parsed.negative or "")):
        if len(text) > MAX_PROMPT:
            yield f"The {what} has {len(text)} characters. The longest that can be read is {MAX_PROMPT}."
