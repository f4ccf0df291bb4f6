"""Stable Diffusion 1.x and 2.x, and the built-in model: a UNet, one CLIP text encoder, a VAE.

The loop is that of diffusers' StableDiffusionPipeline and its image-to-image sibling, one step at a time: the same
request gives the same picture as theirs. Published weights: https://arxiv.org/abs/2112.10752.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from generation.builtin.vocabulary import as_told, in_known_words
from generation.catalogue import ModelSpec
from generation.contract import ImageToImage, Request
from generation.pipelines import previews
from generation.pipelines.base import dtype_for, first_step, fresh_scheduler, generators, place, to_pixels
from generation.pipelines.predicted import clean_latents


class StableDiffusion:
    """A loaded model of this family."""

    def __init__(self, pipe: Any, spec: ModelSpec) -> None:
        self.pipe, self._spec = pipe, spec
        self.factors = previews.read(spec.folder) or previews.fit(self._encode, pipe.vae_scale_factor)

    @classmethod
    def load(cls, spec: ModelSpec, device: torch.device, *, offload: bool, allow_downloads: bool) -> StableDiffusion:
        """Load it. The safety checker is left out: it needs vision libraries, and moderation isn't the model's."""
        pipe = StableDiffusionPipeline.from_pretrained(
            spec.folder or spec.source,
            revision=spec.revision,
            variant=spec.variant,
            dtype=dtype_for(device, torch.float16),
            use_safetensors=True,
            local_files_only=not allow_downloads,
            safety_checker=None,
            feature_extractor=None,
            image_encoder=None,
            requires_safety_checker=False,
        )
        if pipe.unet.config.time_cond_proj_dim is not None:
            raise ValueError("a UNet distilled on its guidance isn't supported")
        place(pipe, device, offload=offload)
        return cls(pipe, spec)

    def begin(self, request: Request, source: Image.Image | None) -> StableDiffusionDrawing:
        """Encode the prompt, and make the latents to start from."""
        return StableDiffusionDrawing(self, request, source)

    def wording(self, words: str) -> str:
        """The words as this model is told them: for one of few words, in those, and the others left out where room lacks."""
        if not self._spec.vocabulary:
            return words
        told, tokenizer = in_known_words(words), self.pipe.tokenizer
        fits = len(tokenizer(told).input_ids) <= tokenizer.model_max_length
        return told if fits else in_known_words(words, only=True)

    def wording_of_prompt(self, prompt: str, unwanted: str) -> str:
        """The same for a prompt, without what is unwanted."""
        return self.wording(as_told(prompt, unwanted) if self._spec.vocabulary else prompt)

    def _encode(self, pixels: torch.Tensor) -> torch.Tensor:
        vae = self.pipe.vae
        pixels = pixels.to(self.pipe._execution_device, vae.dtype)
        latents: torch.Tensor = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
        return latents


class StableDiffusionDrawing:
    """One request being drawn."""

    @torch.no_grad()
    def __init__(self, model: StableDiffusion, request: Request, source: Image.Image | None) -> None:
        self._pipe, self._request = model.pipe, request
        self._device = self._pipe._execution_device
        self._seeded = generators(request.sampling.seeds)
        self._guided = request.sampling.guidance > 1
        self._prompt = self._encode_prompt(model)
        self._scheduler = fresh_scheduler(self._pipe)
        self._scheduler.set_timesteps(request.sampling.steps, device=self._device)
        self._options = _step_options(self._pipe, self._scheduler, self._seeded)
        self._timesteps = self._scheduler.timesteps
        if isinstance(request, ImageToImage) and source is not None:
            self._latents = self._from_source(request, source)
        else:
            self._latents = self._from_noise()
        self._guess = self._latents
        self._index = 0

    @property
    def steps(self) -> int:
        """Steps of the scheduler, which may be a few more than were asked for."""
        return len(self._timesteps)

    @torch.no_grad()
    def step(self) -> None:
        """One pass through the UNet, with and without the prompt where there is guidance."""
        timestep = self._timesteps[self._index]
        doubled = torch.cat([self._latents] * 2) if self._guided else self._latents
        noise = self._pipe.unet(
            self._scheduler.scale_model_input(doubled, timestep),
            timestep,
            encoder_hidden_states=self._prompt,
            return_dict=False,
        )[0]
        if self._guided:
            without, with_prompt = noise.chunk(2)
            noise = without + self._request.sampling.guidance * (with_prompt - without)
        before = self._latents
        output = self._scheduler.step(noise, timestep, before, **self._options)
        self._latents = output.prev_sample
        self._guess = clean_latents(self._scheduler, output, noise, timestep, before)
        self._index += 1

    def estimate(self) -> torch.Tensor:
        """See Drawing."""
        return self._guess

    @torch.no_grad()
    def decode(self) -> torch.Tensor:
        """See Drawing."""
        vae = self._pipe.vae
        pictures: torch.Tensor = vae.decode(self._latents / vae.config.scaling_factor, return_dict=False)[0]
        return pictures

    def _encode_prompt(self, model: StableDiffusion) -> torch.Tensor:
        unwanted = self._request.sampling.negative
        prompt, negative = self._pipe.encode_prompt(
            model.wording_of_prompt(self._request.sampling.prompt, unwanted),
            self._device,
            len(self._request.sampling.seeds),
            self._guided,
            model.wording(unwanted) or None,
        )
        return torch.cat([negative, prompt]) if self._guided else prompt

    def _from_noise(self) -> torch.Tensor:
        cell, channels = self._pipe.vae_scale_factor, self._pipe.unet.config.in_channels
        shape = (
            len(self._seeded),
            channels,
            self._request.sampling.height // cell,
            self._request.sampling.width // cell,
        )
        noise = randn_tensor(shape, generator=self._seeded, device=self._device, dtype=self._prompt.dtype)
        latents: torch.Tensor = noise * self._scheduler.init_noise_sigma
        return latents

    def _from_source(self, request: ImageToImage, source: Image.Image) -> torch.Tensor:
        skipped = first_step(request.sampling.steps, request.strength) * self._scheduler.order
        self._timesteps = self._timesteps[skipped:]
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(skipped)
        vae = self._pipe.vae
        pixels = to_pixels(source).to(self._device, vae.dtype)
        spread = vae.encode(pixels).latent_dist
        clean = torch.cat([spread.sample(generator=generator) for generator in self._seeded])
        clean = vae.config.scaling_factor * clean.to(self._prompt.dtype)
        noise = randn_tensor(clean.shape, generator=self._seeded, device=self._device, dtype=clean.dtype)
        latents: torch.Tensor = self._scheduler.add_noise(clean, noise, self._timesteps[:1].repeat(len(self._seeded)))
        return latents


def _step_options(pipe: Any, scheduler: Any, seeded: list[torch.Generator]) -> dict[str, Any]:
    """What this scheduler's `step` takes beside the usual: ancestral ones draw noise from the generators."""
    shared, pipe.scheduler = pipe.scheduler, scheduler
    try:
        options: dict[str, Any] = pipe.prepare_extra_step_kwargs(seeded, 0.0)
    finally:
        pipe.scheduler = shared
    return options
