"""Whether a model's files lie on this machine: a look at folders, without any library or the network."""

from __future__ import annotations

import json
import os
from pathlib import Path

from generation.catalogue import ModelSpec

_OPTIONAL = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
"""Components that no family loads, so that a download without them is complete."""


def installed(spec: ModelSpec) -> bool:
    """Whether every component of the model has a folder in its own folder or in the Hugging Face cache.

    It doesn't read the weights, so a broken file is found only when the model is loaded.
    """
    folder = spec.folder or _snapshot(spec.source, spec.revision or "main")
    return folder is not None and _is_complete(folder)


def _snapshot(hub_id: str, revision: str) -> Path | None:
    """The cached folder of a revision, or None. The layout is described at
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """
    repository = _cache() / f"models--{hub_id.replace('/', '--')}"
    try:
        commit = (repository / "refs" / revision).read_text(encoding="utf-8").strip()
    except OSError:
        commit = revision
    folder = repository / "snapshots" / commit
    return folder if folder.is_dir() else None


def _cache() -> Path:
    """https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables"""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    general = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return general / "huggingface" / "hub"


def _is_complete(folder: Path) -> bool:
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    parts = {name for name, value in index.items() if isinstance(value, list) and value[:1] != [None]}
    return all((folder / name).is_dir() for name in parts - _OPTIONAL)
