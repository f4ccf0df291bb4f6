"""Whether a model's files lie on this machine: a look at folders, without any library or the network."""

from __future__ import annotations

import json
import os
from pathlib import Path

from generation.catalogue import ModelSpec

_OPTIONAL = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
"""Components that no family loads, so that a download without them is complete."""


def installed(spec: ModelSpec) -> bool:
    """Whether every component of the model has a folder in its own folder or in the Hugging Face cache, and its file is there.

    It doesn't read the weights, so a broken file is found only when the model is loaded.
    """
    try:
        return (spec.file is None or spec.file.is_file()) and _is_complete(
            spec.folder or _snapshot(spec.source, spec.revision or "main")
        )
    except (OSError, ValueError, RuntimeError):  # not there, no right to look, no index, no home folder
        return False


def _snapshot(hub_id: str, revision: str) -> Path:
    """The cached folder of a revision, if there is one. The layout is described at
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """
    repository = _cache() / f"models--{hub_id.replace('/', '--')}"
    try:
        commit = (repository / "refs" / revision).read_text(encoding="utf-8").strip()
    except OSError:
        commit = revision
    return repository / "snapshots" / commit


def _cache() -> Path:
    """https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables"""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    general = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return general / "huggingface" / "hub"


def _is_complete(folder: Path) -> bool:
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    if not isinstance(index, dict):
        return False
    parts = {name for name, value in index.items() if isinstance(value, list) and value[:1] != [None]}
    return all((folder / name).is_dir() for name in parts - _OPTIONAL)
