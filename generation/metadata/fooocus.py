"""Fooocus: JSON in place of the web UI's text, unless that form is chosen.

https://github.com/lllyasviel/Fooocus/blob/main/modules/meta_parser.py
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generation.metadata.fields import fact, facts, loads, model, table, words
from generation.parameters import Parameters

_OWN = ("base_model", "guidance_scale", "metadata_scheme", "fooocus_v2_expansion")
_RESOLUTION = re.compile(r"\(?\s*([0-9]{1,6})\s*,\s*([0-9]{1,6})\s*\)?")


def read(texts: Mapping[str, str]) -> Parameters | None:
    """The parameters in a JSON object with keys that only Fooocus has."""
    for name in ("parameters", "UserComment"):
        given = table(loads(texts.get(name, "")))
        if any(key in given for key in _OWN) and "prompt" in given:
            return Parameters(
                prompt=words(given["prompt"]),
                negative=words(given.get("negative_prompt")),
                facts=facts(
                    (
                        ("Steps", fact(given.get("steps"))),
                        ("Sampler", fact(given.get("sampler"))),
                        ("CFG scale", fact(given.get("guidance_scale"))),
                        ("Seed", fact(given.get("seed"))),
                        ("Size", _size(given.get("resolution"))),
                        ("Model", model(given.get("base_model"))),
                    )
                ),
            )
    return None


def _size(resolution: Any) -> str:
    """`(1152, 896)`, a pair written as text."""
    if isinstance(resolution, list):
        resolution = ", ".join(map(fact, resolution))
    found = _RESOLUTION.fullmatch(words(resolution))
    return f"{found[1]}x{found[2]}" if found else ""
