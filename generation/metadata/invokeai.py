"""InvokeAI, in the three forms that it has had: `invokeai_metadata`, `sd-metadata` and `Dream`.

https://github.com/invoke-ai/InvokeAI/blob/main/invokeai/app/invocations/metadata.py, and for the older two
https://github.com/invoke-ai/InvokeAI/blob/v2.3.5/ldm/invoke/args.py
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generation.metadata.fields import fact, facts, loads, model, size, table, words
from generation.parameters import Parameters

TEXTS = frozenset({"invokeai_metadata", "invokeai_graph", "invokeai_workflow", "sd-metadata", "Dream"})

_DREAM = re.compile(r'\s*"((?:\\.|[^"\\])*)"(.*)', re.DOTALL)
_OPTION = re.compile(r"(?:^|\s)-([A-Za-z]) ?(\S+)")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def read(texts: Mapping[str, str]) -> Parameters | None:
    """The parameters, of the newest form first."""
    now = table(loads(texts.get("invokeai_metadata", "")))
    if now:
        return _now(now)
    before = table(loads(texts.get("sd-metadata", "")))
    if before:
        return _before(before)
    return _dream(texts.get("Dream", ""))


def _now(given: Mapping[str, Any]) -> Parameters:
    named = table(given.get("model"))
    return Parameters(
        prompt=words(given.get("positive_prompt")),
        negative=words(given.get("negative_prompt")),
        facts=facts(
            (
                ("Steps", fact(given.get("steps"))),
                ("Sampler", fact(given.get("scheduler"))),
                ("CFG scale", fact(given.get("cfg_scale"))),
                ("Seed", fact(given.get("seed"))),
                ("Size", size(given.get("width"), given.get("height"))),
                ("Model", model(named.get("name") or named.get("model_name"))),
            )
        ),
    )


def _before(given: Mapping[str, Any]) -> Parameters:
    image = table(given.get("image"))
    prompts = image.get("prompt")
    listed = prompts if isinstance(prompts, list) else [{"prompt": prompts}]
    prompt, negative = _without_brackets(", ".join(filter(None, (words(table(p).get("prompt")) for p in listed))))
    return Parameters(
        prompt=prompt,
        negative=negative,
        facts=facts(
            (
                ("Steps", fact(image.get("steps"))),
                ("Sampler", fact(image.get("sampler"))),
                ("CFG scale", fact(image.get("cfg_scale"))),
                ("Seed", fact(image.get("seed"))),
                ("Size", size(image.get("width"), image.get("height"))),
                ("Model", model(given.get("model_weights"))),
            )
        ),
    )


def _dream(text: str) -> Parameters | None:
    """A command line: `"a fox [blurry]" -s 50 -S 123 -W 512 -H 768 -C 7.5 -A k_lms`."""
    found = _DREAM.match(text)
    if not found:
        return None
    prompt, negative = _without_brackets(found[1])
    given = dict(_OPTION.findall(found[2]))
    return Parameters(
        prompt=prompt,
        negative=negative,
        facts=facts(
            (
                ("Steps", fact(given.get("s"))),
                ("Sampler", fact(given.get("A"))),
                ("CFG scale", fact(given.get("C"))),
                ("Seed", fact(given.get("S"))),
                ("Size", size(given.get("W"), given.get("H"))),
            )
        ),
    )


def _without_brackets(prompt: str) -> tuple[str, str]:
    """The prompt, and the words in brackets, which were the negative prompt."""
    negative = ", ".join(filter(None, (part.strip() for part in _BRACKETS.findall(prompt))))
    return re.sub(r"\s{2,}", " ", _BRACKETS.sub("", prompt)).strip(), negative
