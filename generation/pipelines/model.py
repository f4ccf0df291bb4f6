"""A loaded model of any family: its requests become calls of diffusers' own pipelines, one step at a time.

Each call has a pipeline and a scheduler of its own over the shared weights. The scheduler's `step` is where a call can be
paused and left, and what previews are made from.
"""

from __future__ import annotations

import functools
import inspect
import logging
import math
from collections.abc import Callable, Generator, Mapping
from typing import Any

import diffusers
import torch
from PIL import Image

from generation.builtin.vocabulary import as_told, in_known_words
from generation.calls import Call
from generation.catalogue import ModelSpec
from generation.families import Family, Way
from generation.pipelines import previews
from generation.pipelines.clean import clean_latents
from generation.pipelines.decoding import one_by_one
from generation.pipelines.latents import encode, spatial
from generation.pipelines.masked import keep_outside
from generation.pipelines.rolled import Rolled
from generation.pipelines.stepwise import Step, stepwise

log = logging.getLogger(__name__)

_ONE_STEP = 1 + 1e-6
"""Of so many steps, diffusers rounds at least one up: with none, it raises."""


class Model:
    """A loaded model. `pipe` is diffusers' pipeline."""

    def __init__(self, pipe: Any, spec: ModelSpec) -> None:
        self.pipe, self.spec = pipe, spec
        self._factors = previews.read(spec.folder) or self._fit()

    @property
    def family(self) -> Family:
        """What is declared of its kind."""
        return self.spec.family

    def draw(self, call: Call, seen: Callable[[torch.Tensor], None]) -> Generator[Step, None, None]:
        """Yield each step, and show each picture as soon as it is decoded, (3, height, width) in 0..1."""
        return stepwise(lambda told: self._call(call, told, seen))

    def preview(self, step: Step, size: tuple[int, int]) -> list[Image.Image] | None:
        """The pictures that a step hints at, one pixel for each latent; None where they can't be had.

        What only shows may never end a job.
        """
        if self._factors is None:
            return None
        try:
            latents = spatial(step.guess(), self.family.layout, size)
            if latents.shape[1] == 4 * len(self._factors.weight):  # patches of 2×2 as channels
                latents = torch.nn.functional.pixel_shuffle(latents, 2)
            return self._factors.pictures(latents)
        except Exception as error:
            log.warning("no previews of %s: %s: %s", self.spec.key, type(error).__name__, error)
            self._factors = None
            return None

    @torch.no_grad()
    def _call(self, call: Call, told: Callable[[Step], None], seen: Callable[[torch.Tensor], None]) -> None:
        by_image = call.way is Way.INPAINT and self._lacks_room_for_masks
        rolled = self._rolled(call) if call.tiled else None
        pipe = self._view(self.family.ways[Way.IMAGE if by_image else call.way], seen, rolled)
        if by_image and call.mask is not None:
            keep_outside(pipe, call.sources, call.mask, call.sampling.seeds)
        _watch(pipe, told, rolled)
        if rolled:
            rolled.follow(pipe)
        takes = inspect.signature(type(pipe).__call__).parameters
        arguments = self._arguments(call, takes)
        if self.family.patch is not None:
            self.family.patch(pipe, arguments)
        precision = self.pipe.vae.dtype
        try:
            pipe(**{name: value for name, value in arguments.items() if name in takes})
        finally:
            vars(pipe.scheduler).pop("step", None)  # it refers to the pipeline and back: memory is wanted at once
            if self.pipe.vae.dtype != precision:  # SDXL decodes in single precision, and may be left meanwhile
                self.pipe.vae.to(precision)

    @property
    def _lacks_room_for_masks(self) -> bool:
        """Whether diffusers' inpainting doesn't take its UNet: it wants the 4 channels of a picture, or 9 with a mask."""
        unet = getattr(self.pipe, "unet", None)
        return unet is not None and unet.config.in_channels not in (4, 9)

    def _rolled(self, call: Call) -> Rolled:
        size = call.sampling.width, call.sampling.height
        unit = math.lcm(self.spec.multiple, self.family.multiple)
        return Rolled(size, unit=unit, upright=self.spec.vocabulary)

    def _view(self, name: str, seen: Callable[[torch.Tensor], None], rolled: Rolled | None) -> Any:
        """Another pipeline over the same weights, with a scheduler without a past: schedulers remember."""
        cls = getattr(diffusers, name)
        wanted = inspect.signature(cls.__init__).parameters
        parts = {key: part for key, part in self.pipe.components.items() if key in wanted}
        plain = set(wanted) & set(self.pipe.config) - set(self.pipe.components)
        parts |= {key: self.pipe.config[key] for key in plain}
        parts["scheduler"] = type(self.pipe.scheduler).from_config(self.pipe.scheduler.config)
        parts["vae"] = one_by_one(rolled.decoder(self.pipe.vae) if rolled else self.pipe.vae, seen)
        view = cls(**parts)
        view.set_progress_bar_config(disable=True)
        return view

    def _arguments(self, call: Call, takes: Mapping[str, Any]) -> dict[str, Any]:
        """What diffusers is to be told. Lists, not counts, where a picture is given: one picture for several seeds would be
        encoded with the first seed's noise alone.
        """
        sampling, family = call.sampling, self.family
        count = len(sampling.seeds)
        guided = family.off is not None and sampling.guidance > family.off
        each: dict[str, Any] = {"prompt": self._told(sampling.prompt, sampling.negative)}
        if family.negative and guided:
            each["negative_prompt"] = self._told_negative(sampling.negative)
        if call.mask is not None:
            each["mask_image"] = call.mask
        if "num_images_per_prompt" not in takes or (call.sources and call.way is not Way.EDIT):
            each = {name: [value] * count for name, value in each.items()}
            several: dict[str, Any] = {}
        else:
            several = {"num_images_per_prompt": count}
        if call.way is Way.CONTROL:
            each["control_image"] = list(call.sources) * count
        elif call.way is Way.EDIT:
            each["image"] = list(call.sources) if family.references > 1 else call.sources[0]
        elif call.sources:
            each["image"] = list(call.sources) if len(call.sources) > 1 else list(call.sources) * count
        if family.guidance is not None:
            each[family.guidance] = sampling.guidance
        if call.strength is not None:
            each["strength"] = min(1.0, max(call.strength, _ONE_STEP / sampling.steps))
        return {
            **family.fixed,
            **each,
            **several,
            "width": sampling.width,
            "height": sampling.height,
            "num_inference_steps": sampling.steps,
            "generator": [torch.Generator("cpu").manual_seed(seed) for seed in sampling.seeds],
            "output_type": "pt",
        }

    def _told(self, prompt: str, unwanted: str) -> str:
        return self._fitting(as_told(prompt, unwanted)) if self.spec.vocabulary else prompt

    def _told_negative(self, words: str) -> str:
        return self._fitting(in_known_words(words)) if self.spec.vocabulary else words

    def _fitting(self, told: str) -> str:
        """For a model of few words: all of them, or those that it knows where there is no room for the others."""
        tokenizer = self.pipe.tokenizer
        fits = len(tokenizer(told).input_ids) <= tokenizer.model_max_length
        return told if fits else in_known_words(told, only=True)

    def _fit(self) -> previews.Factors | None:
        try:
            return previews.fit(functools.partial(encode, self.pipe, scaled=self.family.scaled))
        except Exception as error:  # whatever this VAE is like, it can draw
            log.warning("no previews of %s: %s: %s", self.spec.key, type(error).__name__, error)
            return None


def _watch(pipe: Any, told: Callable[[Step], None], rolled: Rolled | None) -> None:
    """Have every step of the pipeline's scheduler told. Whoever is told may raise to leave the call."""
    scheduler, done = pipe.scheduler, 0
    step = scheduler.step

    @functools.wraps(step)  # diffusers looks at its signature
    def watched(output: Any, timestep: Any, sample: Any, *more: Any, **options: Any) -> Any:
        nonlocal done
        result = step(output, timestep, sample, *more, **options)
        done += 1
        total = getattr(pipe, "_num_timesteps", None) or len(scheduler.timesteps)

        def guess() -> torch.Tensor:
            clean = clean_latents(scheduler, result, output, timestep, sample)
            return rolled.back(clean) if rolled else clean

        told(Step(done=done, of=max(done, total), guess=guess))
        return result

    scheduler.step = watched
