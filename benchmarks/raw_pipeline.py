"""The engine and diffusers' own pipeline in turn, in one process and on the same weights.

Two processes that compute the same differ by several percent for as long as they live, which is more than what is
measured. For each request on standard input, one line of JSON, it prints the seconds that diffusers took and those of the
engine, in which progress, previews, cancellation and files are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from generation.catalogue import Catalogue
from generation.contract import Finished, Request, from_json
from generation.engine import Engine
from generation.pipelines.base import blocks


def main(models: Path) -> None:
    """Load the default model of this file and answer requests until the input ends."""
    torch.set_grad_enabled(False)
    spec = Catalogue.load(models).default
    engine = Engine((spec,), torch.device("cpu"))
    parts = engine._residency.model(spec.key).pipe.components
    pipe = StableDiffusionPipeline(**parts, requires_safety_checker=False)
    pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    ways: list[Callable[[Request], float]] = [
        lambda request: _raw(pipe, request),
        lambda request: _ours(engine, request),
    ]
    for number, line in enumerate(sys.stdin):
        request, seconds = from_json(line), [0.0, 0.0]
        for which in (0, 1) if number % 2 else (1, 0):
            seconds[which] = ways[which](request)
        print(*seconds, flush=True)


def _ours(engine: Engine, request: Request) -> float:
    began = time.perf_counter()
    *_, last = engine.run(request)
    assert isinstance(last, Finished), last
    return time.perf_counter() - began


def _raw(pipe: StableDiffusionPipeline, request: Request) -> float:
    hooks = [(block, dict(block._forward_pre_hooks)) for block in blocks(pipe)]  # the engine's, which look up
    for block, _ in hooks:
        block._forward_pre_hooks.clear()
    sampling = request.sampling
    began = time.perf_counter()
    pipe(
        prompt=sampling.prompt,
        negative_prompt=sampling.negative or None,
        width=sampling.width,
        height=sampling.height,
        num_inference_steps=sampling.steps,
        guidance_scale=sampling.guidance,
        num_images_per_prompt=len(sampling.seeds),
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in sampling.seeds],
    )
    seconds = time.perf_counter() - began
    for block, kept in hooks:
        block._forward_pre_hooks.update(kept)
    return seconds


if __name__ == "__main__":
    main(Path(sys.argv[1]))
