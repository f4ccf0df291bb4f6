"""From the files of a model to a pipeline where it works: safetensors only, and no code from a repository."""

from __future__ import annotations

import inspect
from typing import Any

import diffusers
import torch
import transformers

from generation.catalogue import ModelSpec
from generation.families import FAMILIES, Family, Way
from generation.pipelines import substitutes
from generation.pipelines.model import Model
from generation.pipelines.upscaler import Upscaler

Loaded = Model | Upscaler
"""A model that can draw."""

_LEFT_OUT = {
    "safety_checker": None,
    "feature_extractor": None,
    "image_encoder": None,
    "requires_safety_checker": False,
    "add_watermarker": False,
}
"""Parts that need vision libraries: moderation isn't the model's, and pictures are marked by `provenance`."""


def load(spec: ModelSpec, device: torch.device, *, offload: bool, allow_downloads: bool) -> Loaded:
    """Load a model's weights. `offload` keeps in the device's memory only the part that works.

    Raises ValueError for files of another family, and whatever diffusers raises for files that are missing or broken.
    """
    where = spec.folder or spec.source
    options: dict[str, Any] = {"dtype": dtype_for(device, spec.family), "local_files_only": not allow_downloads}
    if Way.UPSCALE in spec.family.ways:
        network = getattr(transformers, spec.family.pipeline).from_pretrained(
            where, revision=spec.revision, use_safetensors=True, **options
        )
        return Upscaler(network.to(device).eval(), spec)
    cls = getattr(diffusers, spec.family.pipeline)
    if spec.folder is not None and spec.folder.is_file():
        pipe = cls.from_single_file(str(where), **options)
    else:
        named = {"revision": spec.revision, "local_files_only": not allow_downloads}
        _only_of(spec.family, cls.load_config(where, **named).get("_class_name", ""))
        left_out = {
            name: value for name, value in _LEFT_OUT.items() if name in inspect.signature(cls.__init__).parameters
        }
        instead = {name: getattr(substitutes, made)(where, named) for name, made in spec.family.substitutes.items()}
        pipe = cls.from_pretrained(
            where,
            revision=spec.revision,
            variant=spec.variant,
            use_safetensors=True,
            **options,
            **left_out,
            **instead,
        )
    if hasattr(pipe.vae, "enable_slicing"):
        pipe.vae.enable_slicing()
    place(pipe, device, offload=offload)
    return Model(pipe, spec)


def _only_of(family: Family, found: str) -> None:
    """Raises ValueError for files that name a class of another family."""
    if found in family.ways.values():
        return
    others = [one.name for one in FAMILIES.values() if found in one.ways.values()]
    hint = f": its family is {' or '.join(others)}" if others else ""
    raise ValueError(f"these are the files of a {found or 'model that says not which'}, and not of {family.name}{hint}")


def dtype_for(device: torch.device, family: Family) -> torch.dtype:
    """The family's half precision on an accelerator, single precision on a CPU."""
    dtype: torch.dtype = torch.float32 if device.type == "cpu" else getattr(torch, family.dtype)
    return dtype


def place(pipe: Any, device: torch.device, *, offload: bool) -> None:
    """Put the weights where they work. Offloading needs an accelerator."""
    if offload and device.type != "cpu":
        pipe.enable_model_cpu_offload(device=device)
    else:
        pipe.to(device)
