"""The flags of a prompt: what each takes, and which words are one or nearly one. Pure.

Two dashes of any kind, or one long one, begin a flag. One long dash also begins a word in many languages, so behind it
only names of flags are flags. What is nearly a flag (`--sed 7`, `-ar 3:2`, `-- ar 3:2`) is neither taken nor passed
over: it is pointed out.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from bot.texts.plain_text import DASHES, HYPHENS, is_visible
from generation.contract import MAX_SEED

GIVEN = "yes"
"""What a bare flag is read from."""

_LARGEST_TERM, _LONGEST = 100, 4


@dataclass(frozen=True, slots=True)
class Flag:
    """How one flag is read: the field that it fills, what people are told that it takes, and the reader.

    A flag that is `bare` takes nothing: the word behind it belongs to the prompt. A `numeric` one takes numbers only.
    """

    field: str
    takes: str
    read: Callable[[str], Any]
    numeric: bool = True
    bare: bool = False


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`; it raises ValueError for anything else."""

    def read(text: str) -> int:
        text = unicodedata.normalize("NFKC", text)
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return read


def read_aspect(text: str) -> tuple[int, int]:
    """`3:2` or `1920:1280` as (3, 2): the nearest ratio in whole numbers up to 100.

    Raises ValueError unless both are whole, 1 to 999,999, and the ratio is from 1:4 to 4:1.
    """
    match = re.fullmatch(r"([0-9]{1,6})[:x×/∶]([0-9]{1,6})", unicodedata.normalize("NFKC", text))
    if not match or 0 in (width := int(match[1]), height := int(match[2])):
        raise ValueError(text)
    ratio = Fraction(width, height)
    if not Fraction(1, _LONGEST) <= ratio <= _LONGEST:
        raise ValueError(text)
    flat = min(ratio, 1 / ratio).limit_denominator(_LARGEST_TERM)
    nearest = 1 / flat if ratio > 1 else flat
    return nearest.numerator, nearest.denominator


def _read_guidance(text: str) -> float:
    text = unicodedata.normalize("NFKC", text)
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text) or not 0 <= float(text) <= 30:
        raise ValueError(text)
    return float(text)


def _read_nothing(text: str) -> bool:
    if text != GIVEN:
        raise ValueError(text)
    return True


def _read_name(text: str) -> str:
    if not is_visible(text):
        raise ValueError(text)
    return text


FLAGS: dict[str, Flag] = {
    "ar": Flag("aspect", "two whole numbers like `3:2`, from 1:4 to 4:1", read_aspect),
    "seed": Flag("seed", f"a whole number from 0 to {MAX_SEED}", whole(0, MAX_SEED)),
    "no": Flag("negative", "what to leave out, like `--no boat, people`", _read_name, numeric=False),
    "steps": Flag("steps", "a whole number from 1 to 150", whole(1, 150)),
    "cfg": Flag("guidance", "a number from 0 to 30", _read_guidance),
    "model": Flag("model", "a model's name", _read_name, numeric=False),
    "count": Flag("count", "a whole number from 1 to 4", whole(1, 4)),
    "private": Flag("private", "no value", _read_nothing, numeric=False, bare=True),
}
_ALIASES = {"aspect": "ar", "negative": "no", "guidance": "cfg", "m": "model", "stealth": "private"}
_NAMES = (*FLAGS, *_ALIASES)

# fmt: off
_MIDJOURNEY = (
    "stylize", "s", "chaos", "c", "weird", "w", "quality", "q", "version", "v", "niji", "style", "raw", "tile",
    "stop", "repeat", "r", "fast", "relax", "turbo", "hd", "draft", "video", "iw", "sref", "sv", "sw", "cref",
    "cw", "oref", "ow", "profile", "p", "exp", "motion", "upbeta", "uplight", "hq",
)
# fmt: on
"""Flags that people bring along from there, and that nothing here does."""

_NEAR, _VERY_NEAR = 0.6, 0.8
"""How alike two names are, as difflib has it, to be taken for each other behind two dashes, and behind one."""

_HEAD = re.compile(rf"([{DASHES}]+)([^\W\d_].*)")
_NAME = re.compile(r"([^\W\d_][\w-]*)(?:[:=：＝](.*))?")
_GLUED = re.compile(rf"({'|'.join(name for name in _NAMES if FLAGS[_ALIASES.get(name, name)].numeric)})([0-9].*)")
"""A number directly behind the flag, as in `--ar16:9`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A flag among the words, `length` words long without its value, or the `problem` with what is nearly one.

    `name` is a key of FLAGS. `value` is the rest of the word behind `:` or `=`, None without these.
    """

    name: str = ""
    value: str | None = None
    length: int = 1
    problem: str = ""


def look(words: Sequence[str], at: int) -> Found | None:
    """The flag that begins at `words[at]`, or what is nearly one; None for a word of the prompt."""
    word = words[at]
    if all(character in DASHES for character in word):
        return _set_apart(words, at)
    head = _HEAD.fullmatch(word)
    if head is None:
        return None
    dashes, rest = head.groups()
    if len(dashes) > 1:
        return _behind_two(rest)
    following = words[at + 1] if at + 1 < len(words) else ""
    return _behind_hyphen(rest, following) if _is_hyphen(dashes) else _behind_one(rest, following)


def _set_apart(words: Sequence[str], at: int) -> Found | None:
    """A flag with a space inside its dashes (`- -ar`), or what is one but for a space behind them (`-- ar 3:2`)."""
    dashes, name, following = (*words[at : at + 3], "", "")[:3]
    head = _HEAD.fullmatch(name)
    if head is not None and _is_hyphen(dashes) and _is_hyphen(head[1]):
        found = _behind_one(head[2], following)
        return found and replace(found, length=2)
    name = _folded(name)
    if name not in _NAMES or _is_hyphen(dashes) or not _fits(name, following):
        return None
    if len(dashes) == 1 and not FLAGS[_ALIASES.get(name, name)].numeric:
        return None  # a dash between words, and no flag
    return Found(problem=f"`{dashes} {name}` has a space in it. Write `--{name}`.")


def _is_hyphen(dashes: str) -> bool:
    return len(dashes) == 1 and dashes in HYPHENS


def _behind_two(rest: str) -> Found | None:
    """A word behind two dashes is meant as a flag."""
    if (found := _flag(rest)) is not None:
        return found
    whole_word = _NAME.fullmatch(rest)
    name = _letters(rest)
    if name in _NAMES:
        return Found(problem=f"`--{_shown(rest)}` is nearly a flag. Write `--{name}`.")
    if whole_word is None and not _alike(name, _VERY_NEAR):
        return None
    return Found(problem=_unknown(_folded(whole_word[1]) if whole_word else name))


def _behind_one(rest: str, following: str) -> Found | None:
    """Behind one long dash a flag's name is a flag, and what is nearly one is if its value fits."""
    if (found := _flag(rest)) is not None:
        return found
    if (match := _NAME.fullmatch(rest)) is None:
        return None
    name, value = _folded(match[1]), match[2] or following
    if name in _MIDJOURNEY:
        return Found(problem=_unknown(name)) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) else None
    near = _alike(name, _VERY_NEAR)
    return Found(problem=_unknown(name)) if near and near[0] in _NAMES and _fits(near[0], value) else None


def _behind_hyphen(rest: str, following: str) -> Found | None:
    """One hyphen is one too few for a flag."""
    found = _flag(rest)
    if found is None or len(_letters(rest)) < 2:
        return None
    flag, value = FLAGS[found.name], found.value or following
    if not (
        flag.bare
        or (flag.numeric and _fits(found.name, value))
        or (not flag.numeric and value and not _HEAD.match(value))
    ):
        return None
    return Found(problem=f"`-{_shown(rest)}` has one dash. Write `--{_shown(rest)}` with two.")


def _flag(rest: str) -> Found | None:
    """The flag in a word without its dashes, if it is one exactly."""
    if glued := _GLUED.fullmatch(_folded(rest)):
        return Found(name=_ALIASES.get(glued[1], glued[1]), value=glued[2])
    match = _NAME.fullmatch(rest)
    name = _folded(match[1]) if match else ""
    if match is None or name not in _NAMES:
        return None
    return Found(name=_ALIASES.get(name, name), value=match[2])


def _fits(name: str, value: str) -> bool:
    """Whether nothing but that flag can be meant, judged by the word behind it."""
    flag = FLAGS[_ALIASES.get(name, name)]
    if flag.bare:
        return True
    try:
        return flag.numeric and flag.read(value) is not None
    except ValueError:
        return False


def _alike(name: str, cutoff: float) -> list[str]:
    """The flag, ours before Midjourney's, whose name is most like this one."""
    return difflib.get_close_matches(name, _NAMES, n=1, cutoff=cutoff) or difflib.get_close_matches(
        name, [one for one in _MIDJOURNEY if len(one) > 2], n=1, cutoff=_VERY_NEAR
    )


def _unknown(name: str) -> str:
    """What to say about a flag that there is not."""
    if name in _MIDJOURNEY:
        return f"`--{name}` is a flag of Midjourney's that Easel does not have. Leave it out."
    near = _alike(name, _NEAR)
    if near and near[0] in _MIDJOURNEY:
        return f"There is no flag `--{_shown(name)}`, and none like Midjourney's `--{near[0]}`. Leave it out."
    hint = (
        f"Did you mean `--{near[0]}`?" if near else "The flags are " + ", ".join(f"`--{flag}`" for flag in FLAGS) + "."
    )
    return f"There is no flag `--{_shown(name)}`. {hint}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _letters(rest: str) -> str:
    """The name at the beginning of a word without its dashes."""
    match = re.match(r"[^\W\d_][\w-]*", _folded(rest))
    return match[0] if match else ""


def _shown(text: str) -> str:
    return re.sub(r"[^\w:.,=-]", "", text)[:30]
