"""Takes values out of JSON that a stranger wrote: nothing raises, and what has another type than it should is left out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from generation import parameters

_LONGEST = 200
"""Characters of a fact."""
_JSON = re.compile(r'\s*[{\[]\s*["{\[\]}]')
_WEIGHTS = re.compile(r"\.(safetensors|ckpt|gguf|sft|pth?)$", re.IGNORECASE)


def looks_like_json(text: str) -> bool:
    """Whether a text begins as JSON does, and no prompt: `{a|b}` and `[a:b]` are syntax of prompts."""
    return _JSON.match(text) is not None


def loads(text: str) -> Any:
    """The value in a text of JSON; None if it is none, or too deep."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def table(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for another value."""
    return value if isinstance(value, dict) else {}


def words(value: Any) -> str:
    """A text; empty for another value."""
    return value.strip() if isinstance(value, str) else ""


def fact(value: Any) -> str:
    """A number or a short text as the facts show it; empty for another value."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 2**128 else ""
    if isinstance(value, float):
        return parameters.number(value) if math.isfinite(value) else ""
    return words(value)[:_LONGEST]


def size(width: Any, height: Any) -> str:
    """`512x768`; empty if a side is missing."""
    across, down = fact(width), fact(height)
    return f"{across}x{down}" if across and down else ""


def model(path: Any) -> str:
    """The name of a model's file, without its folder and ending."""
    return _WEIGHTS.sub("", re.split(r"[/\\]", words(path))[-1])[:_LONGEST]


def facts(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The facts that are there, under the web UI's names."""
    return {name: value for name, value in pairs if value}
