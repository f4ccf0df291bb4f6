"""What a picture was made from, as text in the form that most tools read: that of AUTOMATIC1111's web UI. Pure.

The prompt comes first, then a line that begins with `Negative prompt:`, then one of facts:
https://github.com/AUTOMATIC1111/stable-diffusion-webui/blob/master/modules/infotext_utils.py
Extensions of the web UI write more lines behind the facts, and Civitai writes the negative prompt into the same line.
A prompt that this form can't hold, such as one with a line `Negative prompt:` of its own, stands among the facts too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata

from generation.contract import Request

MAX_TEXT = 200_000
"""Characters of a text that is worth reading; whole books are refused before anything looks for facts in them."""

_NEGATIVE = re.compile(r"^[ \t]*Negative prompt:", re.MULTILINE)
_FACT = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_FEWEST_FACTS, _MOST_FACTS = 3, 200
_USUAL = frozenset({"Steps", "Seed", "Size", "Sampler", "CFG scale", "Model"})
_FIRST_FACT = re.compile(r"(?:^|(?<=\s))Steps: ?[0-9]+ *(?:,|$)")
_EXACT = {"prompt": "Exact prompt", "negative": "Exact negative prompt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A prompt, a negative prompt, and facts by their names in the web UI, such as "Seed" and "Size"."""

    prompt: str
    negative: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@cache
def creator() -> str:
    """This program's name and version."""
    return f"Easel {metadata.version('easel')}"


def of_request(request: Request, index: int | None = None) -> Parameters:
    """What image `index` was made from, or their grid. The words of a private request are left out."""
    facts = {
        "Steps": str(request.sampling.steps),
        "CFG scale": number(request.sampling.guidance),
        "Seed": str(request.sampling.seeds[index or 0]),
        "Size": f"{request.sampling.width}x{request.sampling.height}",
        "Model": request.sampling.model,
    }
    if (strength := getattr(request, "strength", None)) is not None:
        facts["Denoising strength"] = number(strength)
    facts["Batch size"] = str(len(request.sampling.seeds))
    if index is not None:
        facts["Batch pos"] = str(index)
    facts["Version"] = creator()
    if request.sampling.private:
        return Parameters(prompt="", facts=facts)
    return Parameters(prompt=request.sampling.prompt, negative=request.sampling.negative, facts=facts)


def to_text(parameters: Parameters) -> str:
    """The text from which `parse` reads the same parameters again."""
    text = _plain(parameters, {})
    read = parse(text)
    if (read.prompt, read.negative) == (parameters.prompt, parameters.negative):
        return text
    exact = {_EXACT["prompt"]: parameters.prompt, _EXACT["negative"]: parameters.negative}
    return _plain(parameters, exact)


def _plain(parameters: Parameters, more: Mapping[str, str]) -> str:
    lines = [parameters.prompt] if parameters.prompt else []
    if parameters.negative:
        lines.append(f"Negative prompt: {parameters.negative}")
    facts = {**parameters.facts, **more}
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in facts.items()))
    return "\n".join(lines).encode("utf-8", "replace").decode()  # half a surrogate pair fits into no file


def parse(text: str) -> Parameters:
    """The parameters in a text of ours or of another tool; a text without facts is a prompt."""
    body, facts = _split(text.replace("\r\n", "\n").rstrip())
    parts = _NEGATIVE.split(body, maxsplit=1)
    return Parameters(
        prompt=facts.pop(_EXACT["prompt"], parts[0].strip()),
        negative=facts.pop(_EXACT["negative"], parts[1].strip() if len(parts) > 1 else ""),
        facts=facts,
    )


def _split(text: str) -> tuple[str, dict[str, str]]:
    """The prompts and the facts. Facts begin at `Steps: ` in the last line that has enough of them, else with the last line."""
    end = len(text)
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end]
        first = _FIRST_FACT.search(line)
        if first and len(facts := dict(_facts(line[first.start() :]))) >= _FEWEST_FACTS:
            return text[: start + first.start()], facts
        end = start - 1
    body, _, last = text.rpartition("\n")
    facts = dict(_facts(last))
    known = len(facts) >= _FEWEST_FACTS and not _USUAL.isdisjoint(facts)
    return (body, facts) if known else (text, {})


def _facts(line: str) -> Iterator[tuple[str, str]]:
    """Facts one after the other, in time linear in the line: what is none is skipped up to the next comma."""
    position = 0
    for _ in range(_MOST_FACTS):
        if found := _FACT.match(line, position):
            yield found[1], _unquoted(found[2])
            position = found.end()
        else:
            position = line.find(",", position) + 1
            if position == 0:
                return


def _quoted(value: str) -> str:
    if value and value == value.strip() and not re.search(r'[,:"\n]', value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _unquoted(value: str) -> str:
    if value.startswith('"'):
        try:
            return str(json.loads(value))
        except ValueError:
            pass  # another tool's text that only looks quoted
    return value.strip()


def number(value: float) -> str:
    """A number as it is written into a file: as short as it reads back the same."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
