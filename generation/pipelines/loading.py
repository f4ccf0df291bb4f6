"""From the files of a model to a pipeline where it works: safetensors only, and no code from a repository."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from safetensors import safe_open

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
    named = {"revision": spec.revision, "local_files_only": not allow_downloads}
    index = cls.load_config(where, **named)
    _only_of(spec.family, index.get("_class_name", ""))
    left_out = {name: value for name, value in _LEFT_OUT.items() if name in inspect.signature(cls.__init__).parameters}
    instead = {name: getattr(substitutes, made)(where, name, named) for name, made in spec.family.substitutes.items()}
    if spec.file is not None and _has(spec.file, "cond_stage_model.", "conditioner.", "text_encoders."):
        settings = {"config": str(where), "revision": spec.revision}
        pipe = cls.from_single_file(str(spec.file), **settings, **options, **left_out, **instead)
    else:
        if spec.file is not None:
            instead |= _parts(spec.file, index, {"config": str(where), "revision": spec.revision, **options})
        pipe = _without(cls, instead).from_pretrained(
            where,
            revision=spec.revision,
            variant=spec.variant,
            use_safetensors=True,
            **options,
            **left_out,
            **instead,
        )
    pipe.__class__ = cls
    if hasattr(pipe.vae, "enable_slicing"):
        pipe.vae.enable_slicing()  # for what it encodes: it is given one picture at a time to decode
    place(pipe, device, offload=offload)
    return Model(pipe, spec)


def _only_of(family: Family, found: str) -> None:
    """Raises ValueError for files that name a class of another family."""
    if found in family.ways.values():
        return
    others = [one.name for one in FAMILIES.values() if found in one.ways.values()]
    hint = f": its family is {' or '.join(others)}" if others else ""
    raise ValueError(f"these are the files of a {found or 'model that says not which'}, and not of {family.name}{hint}")


def _parts(file: Path, index: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """What a file without text encoders holds: the network that denoises, and maybe an autoencoder."""
    names = ["transformer" if "transformer" in index else "unet"]
    if _has(file, "first_stage_model.", "vae.", "encoder."):
        names.append("vae")
    return {
        name: getattr(diffusers, index[name][1]).from_single_file(str(file), subfolder=name, **options)
        for name in names
    }


def _has(file: Path, *prefixes: str) -> bool:
    """Whether the names of a file's weights begin so: parts that are stored together are told apart by that."""
    with safe_open(str(file), "pt") as weights:
        return any(name.startswith(prefixes) for name in weights.keys())  # noqa: SIM118 - it is no mapping


def _without(cls: Any, parts: Collection[str]) -> Any:
    """The class, for which a folder's index doesn't name these parts: diffusers holds what is given against that, even
    where it can't import what the index names.
    """

    class Without(cls):  # type: ignore[misc]
        @classmethod
        def load_config(cls, *where: Any, **options: Any) -> Any:
            return super().load_config(*where, **options) | dict.fromkeys(parts, (None, None))

    Without.__name__ = cls.__name__  # it is written into the pipeline's configuration
    return Without


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
