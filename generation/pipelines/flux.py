"""FLUX.1: a rectified-flow transformer on packed latents, with CLIP (pooled) and T5 (tokens).

The loop is that of diffusers' FluxPipeline and its image-to-image sibling, one step at a time. The models are
distilled on their guidance: there is no pass without the prompt, so a negative prompt has no meaning.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from diffusers import FluxPipeline
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from generation.catalogue import ModelSpec
from generation.contract import ImageToImage, Request
from generation.pipelines import previews
from generation.pipelines.base import dtype_for, fresh_scheduler, generators, place, to_pixels

_TOKENS_WITH_GUIDANCE, _TOKENS_WITHOUT = 512, 256
"""T5 tokens of FLUX.1-dev, which takes a guidance scale, and of FLUX.1-schnell, which doesn't (their model cards)."""


class Flux:
    """A loaded model of this family."""

    def __init__(self, pipe: Any, spec: ModelSpec) -> None:
        self.pipe = pipe
        self.factors = previews.read(spec.folder) or previews.fit(self.encode, pipe.vae_scale_factor)

    @classmethod
    def load(cls, spec: ModelSpec, device: torch.device, *, offload: bool, allow_downloads: bool) -> Flux:
        """Load it."""
        pipe = FluxPipeline.from_pretrained(
            spec.folder or spec.source,
            revision=spec.revision,
            variant=spec.variant,
            dtype=dtype_for(device, torch.bfloat16),
            use_safetensors=True,
            local_files_only=not allow_downloads,
            feature_extractor=None,
            image_encoder=None,
        )
        pipe.vae.enable_slicing()
        place(pipe, device, offload=offload)
        return cls(pipe, spec)

    def begin(self, request: Request, source: Image.Image | None) -> FluxDrawing:
        """Encode the prompt, and make the latents to start from."""
        return FluxDrawing(self, request, source)

    def encode(self, pixels: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Pictures in -1..1 to latents, not packed yet; drawn from the posterior if there is a generator."""
        vae = self.pipe.vae
        spread = vae.encode(pixels.to(self.pipe._execution_device, vae.dtype)).latent_dist
        latents = spread.sample(generator=generator) if generator else spread.mode()
        scaled: torch.Tensor = (latents - vae.config.shift_factor) * vae.config.scaling_factor
        return scaled


class FluxDrawing:
    """One request being drawn. Its latents are packed: (images, cells, channels × 4)."""

    @torch.no_grad()
    def __init__(self, model: Flux, request: Request, source: Image.Image | None) -> None:
        self._model, self._pipe, self._request = model, model.pipe, request
        self._device = self._pipe._execution_device
        self._seeded = generators(request.sampling.seeds)
        self._cell = 2 * self._pipe.vae_scale_factor
        self._rows, self._columns = (
            request.sampling.height // self._cell,
            request.sampling.width // self._cell,
        )
        self._distilled = bool(self._pipe.transformer.config.guidance_embeds)
        self._prompt, self._pooled, self._text_ids = self._pipe.encode_prompt(
            request.sampling.prompt,
            None,
            device=self._device,
            num_images_per_prompt=len(request.sampling.seeds),
            max_sequence_length=_TOKENS_WITH_GUIDANCE if self._distilled else _TOKENS_WITHOUT,
        )
        self._places = self._pipe._prepare_latent_image_ids(
            len(request.sampling.seeds), self._rows, self._columns, self._device, self._prompt.dtype
        )
        self._scheduler = self._new_scheduler()
        self._timesteps = self._scheduler.timesteps
        if isinstance(request, ImageToImage) and source is not None:
            self._latents = self._from_source(request, source)
        else:
            self._scheduler.set_begin_index(0)
            self._latents = self._packed(self._noise(self._prompt.dtype))
        self._guess = self._latents
        self._index = 0

    @property
    def steps(self) -> int:
        """See Drawing."""
        return len(self._timesteps)

    @torch.no_grad()
    def step(self) -> None:
        """One pass through the transformer."""
        timestep = self._timesteps[self._index]
        before = self._latents
        velocity = self._pipe.transformer(
            hidden_states=before,
            timestep=timestep.expand(len(before)).to(before.dtype) / 1000,
            guidance=self._guidance(),
            pooled_projections=self._pooled,
            encoder_hidden_states=self._prompt,
            txt_ids=self._text_ids,
            img_ids=self._places,
            return_dict=False,
        )[0]
        noisiness = timestep / self._scheduler.config.num_train_timesteps
        self._guess = before - noisiness * velocity
        self._latents = self._scheduler.step(velocity, timestep, before, return_dict=False)[0].to(before.dtype)
        self._index += 1

    def estimate(self) -> torch.Tensor:
        """See Drawing. Latents are (1 - t) * x0 + t * noise, and the network says noise - x0."""
        return self._unpacked(self._guess)

    @torch.no_grad()
    def decode(self) -> torch.Tensor:
        """See Drawing."""
        vae = self._pipe.vae
        latents = self._unpacked(self._latents) / vae.config.scaling_factor + vae.config.shift_factor
        pictures: torch.Tensor = vae.decode(latents, return_dict=False)[0]
        return pictures

    def _guidance(self) -> torch.Tensor | None:
        if not self._distilled:
            return None
        return torch.full(
            (len(self._seeded),), self._request.sampling.guidance, device=self._device, dtype=torch.float32
        )

    def _new_scheduler(self) -> Any:
        """A scheduler whose noise levels suit the number of cells, where the model's configuration asks for that."""
        scheduler = fresh_scheduler(self._pipe)
        config = scheduler.config
        shift = calculate_shift(
            self._rows * self._columns,
            config.get("base_image_seq_len", 256),
            config.get("max_image_seq_len", 4096),
            config.get("base_shift", 0.5),
            config.get("max_shift", 1.15),
        )
        steps = self._request.sampling.steps
        sigmas = None if config.get("use_flow_sigmas") else np.linspace(1.0, 1 / steps, steps)
        length = {"num_inference_steps": steps} if sigmas is None else {"sigmas": sigmas}
        scheduler.set_timesteps(**length, device=self._device, mu=shift)
        return scheduler

    def _shape(self) -> tuple[int, int, int, int]:
        channels = self._pipe.transformer.config.in_channels // 4
        return (len(self._seeded), channels, 2 * self._rows, 2 * self._columns)

    def _noise(self, dtype: torch.dtype) -> torch.Tensor:
        noise: torch.Tensor = randn_tensor(self._shape(), generator=self._seeded, device=self._device, dtype=dtype)
        return noise

    def _from_source(self, request: ImageToImage, source: Image.Image) -> torch.Tensor:
        steps = request.sampling.steps
        skipped = min(int(steps - steps * request.strength), steps - 1)
        self._timesteps = self._timesteps[skipped:]
        self._scheduler.set_begin_index(skipped)
        pixels = to_pixels(source)
        clean = torch.cat([self._model.encode(pixels, generator) for generator in self._seeded])
        clean = clean.to(self._prompt.dtype)
        noisy = self._scheduler.scale_noise(
            clean, self._timesteps[:1].repeat(len(self._seeded)), self._noise(clean.dtype)
        )
        return self._packed(noisy)

    def _packed(self, latents: torch.Tensor) -> torch.Tensor:
        packed: torch.Tensor = self._pipe._pack_latents(latents, *latents.shape)
        return packed

    def _unpacked(self, packed: torch.Tensor) -> torch.Tensor:
        latents: torch.Tensor = self._pipe._unpack_latents(
            packed, self._request.sampling.height, self._request.sampling.width, self._pipe.vae_scale_factor
        )
        return latents
