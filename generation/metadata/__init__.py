"""Reads what other tools write into their pictures: one module each, from the texts of a file to `Parameters`. Pure.

`sd-parsers` on PyPI does the same for five tools, but opens the picture with Pillow, knows nothing of SwarmUI, and reads
neither a ComfyUI graph without its workflow nor InvokeAI's metadata without a scheduler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generation import parameters
from generation.metadata import comfyui, fooocus, invokeai, novelai, swarmui
from generation.metadata.fields import looks_like_json
from generation.parameters import MAX_TEXT, Parameters

_WEB_UI = ("parameters", "UserComment")
"""Where AUTOMATIC1111's web UI writes, and most tools after it: a PNG's chunk, and the tag in EXIF."""

_LONGEST_NOTE = 40
"""Characters of a comment that may be a note of a camera, or a phone's "Screenshot"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: the texts that only it writes, and the reader, which gives None for what isn't the tool's, or is damaged."""

    name: str
    texts: frozenset[str]
    read: Callable[[Mapping[str, str]], Parameters | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file's texts say. `unreadable` means that there are parameters in them, and not in a form known here.

    `tool` is the name of the tool that wrote them, or empty.
    """

    parameters: Parameters | None = None
    unreadable: bool = False
    tool: str = ""


def _web_ui(texts: Mapping[str, str]) -> Parameters | None:
    """The web UI's text, if it has facts: then it is sure to be that."""
    found = _as_written(texts)
    return found if found is not None and found.facts else None


def _as_written(texts: Mapping[str, str]) -> Parameters | None:
    text = next((texts[name] for name in _WEB_UI if texts.get(name, "").strip()), "")
    if not text.strip() or len(text) > MAX_TEXT or looks_like_json(text):
        return None
    return parameters.parse(text)


TOOLS = (
    Tool(name="SwarmUI", texts=frozenset(), read=swarmui.read),
    Tool(name="Fooocus", texts=frozenset({"fooocus_scheme"}), read=fooocus.read),
    Tool(name="", texts=frozenset({"parameters"}), read=_web_ui),
    Tool(name="InvokeAI", texts=invokeai.TEXTS, read=invokeai.read),
    Tool(name="NovelAI", texts=frozenset(), read=novelai.read),
    Tool(name="ComfyUI", texts=comfyui.TEXTS, read=comfyui.read),
)
"""In the order in which they are asked: some pictures carry several forms, and the plainest is the surest."""


def read(texts: Mapping[str, str], left_out: frozenset[str] = frozenset()) -> Reading:
    """The parameters in a file's texts; `left_out` names texts that were too large to be read. Never raises."""
    for tool in TOOLS:
        found = tool.read(texts)
        if found is not None and (found.prompt or found.negative or found.facts):
            return Reading(parameters=found, tool=tool.name)
    plain = _as_written({"parameters": texts.get("parameters", "")})
    if plain is not None:  # a text without facts is a prompt, except in EXIF, where cameras write comments
        return Reading(parameters=plain)
    return _unread(texts, left_out)


def _unread(texts: Mapping[str, str], left_out: frozenset[str]) -> Reading:
    """Nothing was read: whether there is something all the same."""
    names = left_out | {name for name, text in texts.items() if text.strip()}
    for tool in TOOLS:
        if names & tool.texts:
            return Reading(unreadable=True, tool=tool.name)
    unknown = left_out or any(looks_like_json(text) for text in texts.values())
    noted = len(texts.get("UserComment", "").strip()) > _LONGEST_NOTE
    return Reading(unreadable=bool(unknown) or noted)
