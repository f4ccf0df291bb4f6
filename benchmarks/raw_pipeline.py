"""diffusers' own pipeline in a process of its own: the baseline that the bot is compared with.

For each request on standard input, one line of JSON, it prints the seconds that the pipeline's call took.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from generation.contract import from_json


def main(folder: Path) -> None:
    """Load the model of this folder and answer requests until the input ends."""
    pipe = StableDiffusionPipeline.from_pretrained(
        folder,
        use_safetensors=True,
        safety_checker=None,
        feature_extractor=None,
        image_encoder=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    for line in sys.stdin:
        request = from_json(line)
        began = time.perf_counter()
        pipe(
            prompt=request.sampling.prompt,
            negative_prompt=request.sampling.negative or None,
            width=request.sampling.width,
            height=request.sampling.height,
            num_inference_steps=request.sampling.steps,
            guidance_scale=request.sampling.guidance,
            num_images_per_prompt=len(request.sampling.seeds),
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in request.sampling.seeds],
        )
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
