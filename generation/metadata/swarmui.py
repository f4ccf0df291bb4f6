"""SwarmUI: JSON in place of the web UI's text.

https://github.com/mcmonkeyprojects/SwarmUI/blob/master/docs/Image%20Metadata%20Format.md
"""

from __future__ import annotations

from collections.abc import Mapping

from generation.metadata.fields import fact, facts, loads, model, size, table, words
from generation.parameters import Parameters


def read(texts: Mapping[str, str]) -> Parameters | None:
    """The parameters under `sui_image_params`."""
    for name in ("parameters", "UserComment"):
        given = table(table(loads(texts.get(name, ""))).get("sui_image_params"))
        if given:
            return Parameters(
                prompt=words(given.get("prompt")),
                negative=words(given.get("negativeprompt")),
                facts=facts(
                    (
                        ("Steps", fact(given.get("steps"))),
                        ("Sampler", fact(given.get("sampler"))),
                        ("CFG scale", fact(given.get("cfgscale"))),
                        ("Seed", fact(given.get("seed"))),
                        ("Size", size(given.get("width"), given.get("height"))),
                        ("Model", model(given.get("model"))),
                    )
                ),
            )
    return None
