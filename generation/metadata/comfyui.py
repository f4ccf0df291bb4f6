"""ComfyUI: the graph that was run, as JSON in `prompt`: https://docs.comfy.org/development/core-concepts/workflow

A graph has no prompt of its own. It is found by following the inputs of what samples: `positive` leads to the text,
`latent_image` to the size, `model` to the file. `workflow` is what the editor shows; its values have no names.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from generation.metadata.fields import fact, facts, loads, model, size, table, words
from generation.parameters import Parameters

TEXTS = frozenset({"prompt", "workflow"})

_MOST_NODES, _MOST_SAMPLERS = 2_000, 20
"""Nodes that one search looks at, and samplers among which the first is sought: people's graphs have some hundreds."""
_TEXT = ("text", "text_g", "t5xxl", "clip_l", "prompt", "string", "value")
_LITERALS = ("value", "int", "float", "seed", "number")
"""Inputs of nodes that only hold a value for others."""
_WEIGHTS = ("ckpt_name", "unet_name", "model_name")
_PARTS = frozenset({"noise", "guider", "sigmas", "sampler"})
"""Inputs of a sampler that lead to nodes with its settings, where these are nodes of their own."""
_LATENT = frozenset({"latent_image", "latent", "samples"})
_EMPTIES = "ConditioningZeroOut"
_TAGS = ("Make", "Model", "ImageDescription")
"""Where a WebP has what a PNG has in its chunks, as `prompt:{…}`."""


def read(texts: Mapping[str, str]) -> Parameters | None:
    """What the graph's sampler was given; of several samplers, the one that began the picture."""
    graph = _Graph(table(loads(_json(texts))))
    samplers = list(islice(graph.samplers(), _MOST_SAMPLERS))
    first = next((key for key in samplers if not graph.continues(key, samplers)), None)
    return None if first is None else _parameters(graph, first)


def _json(texts: Mapping[str, str]) -> str:
    if "prompt" in texts:
        return texts["prompt"]
    tagged = (texts.get(tag, "") for tag in _TAGS)
    return next((text.removeprefix("prompt:") for text in tagged if text.startswith("prompt:")), "")


def _parameters(graph: _Graph, sampler: str) -> Parameters:
    parts = list(graph.behind([sampler], only=_PARTS))
    prompt = [*graph.links(parts, "positive"), *graph.links(parts, "conditioning")]
    guidance = graph.value(parts, "cfg") or graph.value(graph.behind(prompt), "guidance")
    return Parameters(
        prompt=graph.text(prompt, "positive"),
        negative=graph.text(graph.links(parts, "negative"), "negative"),
        facts=facts(
            (
                ("Steps", graph.value(parts, "steps")),
                ("Sampler", graph.value(parts, "sampler_name")),
                ("CFG scale", guidance),
                ("Seed", graph.value(parts, "seed") or graph.value(parts, "noise_seed")),
                ("Size", graph.size(sampler)),
                ("Model", graph.weights(graph.links(parts, "model"))),
            )
        ),
    )


class _Graph:
    """Nodes by their keys. Their inputs are values, or links: the key of a node and the number of its output."""

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self._inputs = {key: table(table(node).get("inputs")) for key, node in nodes.items()}
        self._kinds = {key: words(table(node).get("class_type")) for key, node in nodes.items()}

    def samplers(self) -> Iterator[str]:
        """The nodes that draw: they have something to draw, and steps or something to draw over."""
        for key, inputs in self._inputs.items():
            if ("positive" in inputs or "guider" in inputs) and not inputs.keys().isdisjoint(
                {"steps", "sigmas", *_LATENT}
            ):
                yield key

    def continues(self, sampler: str, others: Collection[str]) -> bool:
        """Whether a sampler draws over what another one drew."""
        begun = self.behind(link for name in _LATENT for link in self.links([sampler], name))
        return any(key != sampler and key in others for key in begun)

    def links(self, keys: Iterable[str], name: str) -> list[str]:
        """The nodes to which the inputs of that name lead."""
        found = (self._link(self._inputs[key].get(name)) for key in keys)
        return [key for key in found if key is not None]

    def behind(self, keys: Iterable[str], *, only: Collection[str] | None = None) -> Iterator[str]:
        """These nodes and all to which their inputs lead, the nearest first; `only` by inputs of these names."""
        waiting = deque(keys)
        seen = set(waiting)
        for _ in range(_MOST_NODES):
            if not waiting:
                return
            key = waiting.popleft()
            yield key
            for name, value in self._inputs[key].items():
                link = self._link(value) if only is None or name in only else None
                if link is not None and link not in seen:
                    seen.add(link)
                    waiting.append(link)

    def text(self, keys: Iterable[str], role: str) -> str:
        """The text nearest to these nodes. A node with a positive and a negative input passes on that of the `role`."""
        waiting = deque(keys)
        seen = set(waiting)
        while waiting and len(seen) < _MOST_NODES:
            key = waiting.popleft()
            inputs = self._inputs[key]
            if self._kinds[key] == _EMPTIES:
                return ""
            own = next((inputs[name] for name in _TEXT if isinstance(inputs.get(name), str)), None)
            if own is not None:
                return words(own)
            for value in [inputs[role]] if role in inputs else list(inputs.values()):
                link = self._link(value)
                if link is not None and link not in seen:
                    seen.add(link)
                    waiting.append(link)
        return ""

    def value(self, keys: Iterable[str], name: str) -> str:
        """The first value of that name, also where another node holds it."""
        for key in keys:
            given = self._inputs[key].get(name)
            link = self._link(given)
            holder = self._inputs[link] if link is not None else {}
            held = (fact(holder.get(one)) for one in (name, *_LITERALS))
            if found := fact(given) or next(filter(None, held), ""):
                return found
        return ""

    def size(self, sampler: str) -> str:
        """The size of what a sampler draws over, which is empty at first."""
        begun = [link for name in _LATENT for link in self.links([sampler], name)]
        for key in self.behind(begun):
            if found := size(self.value([key], "width"), self.value([key], "height")):
                return found
        return ""

    def weights(self, keys: Iterable[str]) -> str:
        """The name of the model's file."""
        for key in self.behind(keys):
            for name in _WEIGHTS:
                if found := model(self._inputs[key].get(name)):
                    return found
        return ""

    def _link(self, value: Any) -> str | None:
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
            key = str(value[0]) if not isinstance(value[0], bool) else ""
            return key if key in self._inputs else None
        return None
