"""Stable Diffusion XL: a larger UNet, two CLIP text encoders, and a VAE that overflows in half precision.

The loop is that of diffusers' StableDiffusionXLPipeline and its image-to-image sibling, one step at a time.
Published weights: https://arxiv.org/abs/2307.01952.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import StableDiffusionXLPipeline
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from generation.catalogue import ModelSpec
from generation.contract import ImageToImage, Request
from generation.pipelines import previews
from generation.pipelines.base import dtype_for, first_step, fresh_scheduler, generators, place, to_pixels
from generation.pipelines.predicted import clean_latents


class SDXL:
    """A loaded model of this family."""

    def __init__(self, pipe: Any, spec: ModelSpec) -> None:
        self.pipe = pipe
        self.factors = previews.read(spec.folder) or previews.fit(self.encode, pipe.vae_scale_factor)

    @classmethod
    def load(cls, spec: ModelSpec, device: torch.device, *, offload: bool, allow_downloads: bool) -> SDXL:
        """Load it. A VAE that says it overflows works in single precision."""
        pipe = StableDiffusionXLPipeline.from_pretrained(
            spec.folder or spec.source,
            revision=spec.revision,
            variant=spec.variant,
            dtype=dtype_for(device, torch.float16),
            use_safetensors=True,
            local_files_only=not allow_downloads,
            feature_extractor=None,
            image_encoder=None,
            add_watermarker=False,
        )
        if pipe.unet.config.time_cond_proj_dim is not None:
            raise ValueError("a UNet distilled on its guidance isn't supported")
        if pipe.vae.config.force_upcast:
            pipe.vae.to(torch.float32)
        pipe.vae.enable_slicing()
        place(pipe, device, offload=offload)
        return cls(pipe, spec)

    def begin(self, request: Request, source: Image.Image | None) -> SDXLDrawing:
        """Encode the prompt, and make the latents to start from."""
        return SDXLDrawing(self, request, source)

    def encode(self, pixels: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Pictures in -1..1 to latents as the UNet knows them; drawn from the posterior if there is a generator."""
        vae = self.pipe.vae
        spread = vae.encode(pixels.to(self.pipe._execution_device, vae.dtype)).latent_dist
        latents: torch.Tensor = spread.sample(generator=generator) if generator else spread.mode()
        if (moments := _moments(vae, latents)) is not None:
            mean, deviation = moments
            return (latents - mean) * float(vae.config.scaling_factor) / deviation
        return latents * float(vae.config.scaling_factor)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """The way back."""
        vae = self.pipe.vae
        latents = latents.to(vae.dtype)
        if (moments := _moments(vae, latents)) is not None:
            mean, deviation = moments
            latents = latents * deviation / vae.config.scaling_factor + mean
        else:
            latents = latents / vae.config.scaling_factor
        pictures: torch.Tensor = vae.decode(latents, return_dict=False)[0]
        return pictures


class SDXLDrawing:
    """One request being drawn."""

    @torch.no_grad()
    def __init__(self, model: SDXL, request: Request, source: Image.Image | None) -> None:
        self._model, self._pipe, self._request = model, model.pipe, request
        self._device = self._pipe._execution_device
        self._seeded = generators(request.sampling.seeds)
        self._guided = request.sampling.guidance > 1
        self._prompt, self._conditions = self._encode_prompt()
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
            added_cond_kwargs=self._conditions,
            return_dict=False,
        )[0]
        if self._guided:
            without, with_prompt = noise.chunk(2)
            noise = without + self._request.sampling.guidance * (with_prompt - without)
        before = self._latents
        output = self._scheduler.step(noise, timestep, before, **self._options)
        self._latents = output.prev_sample.to(before.dtype)
        self._guess = clean_latents(self._scheduler, output, noise, timestep, before)
        self._index += 1

    def estimate(self) -> torch.Tensor:
        """See Drawing."""
        return self._guess

    @torch.no_grad()
    def decode(self) -> torch.Tensor:
        """See Drawing."""
        return self._model.decode(self._latents)

    def _encode_prompt(self) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The prompt, and what SDXL is told beside it: pooled text and sizes (section 2.2 of the paper)."""
        count = len(self._request.sampling.seeds)
        prompt, negative, pooled, negative_pooled = self._pipe.encode_prompt(
            self._request.sampling.prompt,
            device=self._device,
            num_images_per_prompt=count,
            do_classifier_free_guidance=self._guided,
            negative_prompt=self._request.sampling.negative or None,
        )
        size = (self._request.sampling.height, self._request.sampling.width)
        times = torch.tensor([[*size, 0, 0, *size]], dtype=prompt.dtype, device=self._device).repeat(count, 1)
        if self._guided:
            prompt, pooled = torch.cat([negative, prompt]), torch.cat([negative_pooled, pooled])
            times = torch.cat([times, times])
        return prompt, {"text_embeds": pooled, "time_ids": times}

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
        pixels = to_pixels(source)
        clean = torch.cat([self._model.encode(pixels, generator) for generator in self._seeded])
        clean = clean.to(self._prompt.dtype)
        noise = randn_tensor(clean.shape, generator=self._seeded, device=self._device, dtype=clean.dtype)
        latents: torch.Tensor = self._scheduler.add_noise(clean, noise, self._timesteps[:1].repeat(len(self._seeded)))
        return latents


def _moments(vae: Any, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Mean and deviation of the latents' channels, where the VAE's configuration gives them."""
    mean, deviation = getattr(vae.config, "latents_mean", None), getattr(vae.config, "latents_std", None)
    if mean is None or deviation is None:
        return None
    shape = (1, -1, 1, 1)
    return torch.tensor(mean).view(shape).to(like), torch.tensor(deviation).view(shape).to(like)


def _step_options(pipe: Any, scheduler: Any, seeded: list[torch.Generator]) -> dict[str, Any]:
    """What this scheduler's `step` takes beside the usual: ancestral ones draw noise from the generators."""
    shared, pipe.scheduler = pipe.scheduler, scheduler
    try:
        options: dict[str, Any] = pipe.prepare_extra_step_kwargs(seeded, 0.0)
    finally:
        pipe.scheduler = shared
    return options
