"""NovelAI: the prompt in `Description`, and the rest as JSON in `Comment`; in WebP both in one JSON.

https://github.com/NovelAI/novelai-image-metadata. Its second copy in the lowest bits of the pixels is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generation.metadata.fields import fact, facts, loads, size, table, words
from generation.parameters import Parameters


def read(texts: Mapping[str, str]) -> Parameters | None:
    """The parameters of a picture that says to be NovelAI's, or has NovelAI's names for things."""
    outer: Mapping[str, Any] = texts
    given = table(loads(texts.get("Comment", "")))
    if not given:
        outer = table(loads(texts.get("UserComment", "")))
        given = table(loads(words(outer.get("Comment"))))
    if not given or (words(outer.get("Software")) != "NovelAI" and "uc" not in given):
        return None
    return Parameters(
        prompt=words(given.get("prompt")) or words(outer.get("Description")),
        negative=words(given.get("uc")),
        facts=facts(
            (
                ("Steps", fact(given.get("steps"))),
                ("Sampler", fact(given.get("sampler"))),
                ("CFG scale", fact(given.get("scale"))),
                ("Seed", fact(given.get("seed"))),
                ("Size", size(given.get("width"), given.get("height"))),
                ("Model", fact(outer.get("Source"))),
            )
        ),
    )
