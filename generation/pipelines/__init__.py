"""One self-contained file for each family of models. Importing this package imports torch: worker side only."""

from __future__ import annotations

import torch

from generation.catalogue import Family, ModelSpec
from generation.pipelines.base import Pipeline
from generation.pipelines.flux import Flux
from generation.pipelines.sdxl import SDXL
from generation.pipelines.stable_diffusion import StableDiffusion

_FAMILIES: dict[Family, type[StableDiffusion] | type[SDXL] | type[Flux]] = {
    Family.STABLE_DIFFUSION: StableDiffusion,
    Family.SDXL: SDXL,
    Family.FLUX: Flux,
}


def load(spec: ModelSpec, device: torch.device, *, offload: bool, allow_downloads: bool) -> Pipeline:
    """Load a model's weights, from safetensors only. `offload` keeps in GPU memory only the part that works.

    Raises whatever diffusers raises for files that are missing or broken.
    """
    return _FAMILIES[spec.family].load(spec, device, offload=offload, allow_downloads=allow_downloads)
