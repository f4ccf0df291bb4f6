"""Which models are loaded, and which must go when another comes: the least recently used first.

A first, modest version: weights are either where they work or on the disk. What else needs memory beside the models,
such as the safety check's classifier, is never sent away, and they share the rest. How much a model needs is an
estimate; where memory runs out all the same, the others go too.
"""

from __future__ import annotations

import contextlib
import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import torch

from generation.catalogue import ModelSpec
from generation.contract import ModelState, ModelStatus
from generation.pipelines.base import look_up
from generation.pipelines.loading import Loaded, load
from generation.wire import Memory

log = logging.getLogger(__name__)

_SHARE = 0.9
"""How much of the memory models may fill; drawing itself needs some."""
_SINGLE_PRECISION = 2.0
"""Weights on a CPU are single precision: twice what `memory_gb` says."""

NO_PRIMITIVE = "could not create a primitive"
"""oneDNN's words for too little memory on a CPU; afterwards it fails on the same sizes for ever."""


class ModelUnusable(RuntimeError):
    """The model can't be loaded; the message is for the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """Why a model was not loaded, without the exception, which would keep half-loaded weights alive."""

    detail: str
    out_of_memory: bool


class Residency:
    """Loads models on demand. `pulse` is called from inside their computations, and may raise to leave them.

    `beside` says how many bytes of the device's memory other weights fill at the moment. `changed` is called after a
    model's state has changed.
    """

    def __init__(
        self,
        specs: Iterable[ModelSpec],
        device: torch.device,
        *,
        allow_downloads: bool,
        pulse: Callable[[], None],
        beside: Callable[[], int] = lambda: 0,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._specs = {spec.key: spec for spec in specs}
        self._device = device
        self._allow_downloads = allow_downloads
        self._pulse = pulse
        self._beside = beside
        self._changed = changed
        self._loaded: dict[str, Loaded] = {}
        self._in_use: Counter[str] = Counter()
        self._reasons: dict[str, str] = {}

    def states(self) -> Mapping[str, ModelStatus]:
        """The state of every model."""
        return {key: self._state(key) for key in self._specs}

    def is_warm(self, key: str) -> bool:
        """Whether the model is loaded."""
        return key in self._loaded

    def model(self, key: str) -> Loaded:
        """The loaded model, after loading it if need be. Raises ModelUnusable."""
        spec = self._specs[key]
        self._make_room(spec)
        if key in self._loaded:
            self._loaded[key] = self._loaded.pop(key)
            return self._loaded[key]
        failure = self._try(spec)
        if failure and failure.out_of_memory and self.unload_others(key):
            failure = self._try(spec)
        if failure:
            free_caches()
            self._reasons[key] = failure.detail
            self._changed()
            raise ModelUnusable(failure.detail)
        self._reasons.pop(key, None)
        self._changed()
        return self._loaded[key]

    @contextlib.contextmanager
    def using(self, key: str) -> Iterator[Loaded]:
        """The loaded model, which stays until the end of the context. Raises ModelUnusable."""
        model = self.model(key)
        self._in_use[key] += 1
        try:
            yield model
        finally:
            self._in_use[key] -= 1

    def unload_others(self, key: str) -> bool:
        """Unload every model but this one and those in use. Whether there was any."""
        others = self._idle_beside(key)
        for other in others:
            self._unload(other)
        return bool(others)

    def _make_room(self, spec: ModelSpec) -> None:
        """Unload the models that were not used for longest, until this one fits in, or is alone."""
        idle = self._idle_beside(spec.key)
        while idle and self._filled(spec, *(self._specs[key] for key in self._loaded if key != spec.key)) > 1:
            self._unload(idle.pop(0))

    def _idle_beside(self, key: str) -> list[str]:
        """The loaded models that nobody uses, without this one, the least recently used first."""
        return [other for other in self._loaded if other != key and not self._in_use[other]]

    def _try(self, spec: ModelSpec) -> _Failure | None:
        """Load, and say what went wrong, if anything."""
        try:
            offload = self._filled(spec) > 1
            loaded = load(spec, self._device, offload=offload, allow_downloads=self._allow_downloads)
            look_up(loaded.pipe, self._pulse)
        except Exception as error:  # whatever is wrong with these files, the other models go on
            log.warning("model %s can't be loaded: %s: %s", spec.key, type(error).__name__, error)
            return _Failure(detail=f"{type(error).__name__}: {error}", out_of_memory=is_out_of_memory(error))
        self._loaded[spec.key] = loaded
        return None

    def _unload(self, key: str) -> None:
        log.info("model %s is unloaded", key)
        self._loaded.pop(key).pipe.remove_all_hooks()
        free_caches()
        self._changed()

    def _filled(self, *specs: ModelSpec) -> float:
        """The share of the allowed memory that these models fill, with what lies beside them."""
        needed = sum(spec.memory_gb for spec in specs) * 2**30
        if self._device.type == "cuda":
            total = float(torch.cuda.get_device_properties(self._device).total_memory)
        else:
            needed, total = _SINGLE_PRECISION * needed, float(psutil.virtual_memory().total)
        return (needed + self._beside()) / (_SHARE * total)

    def _state(self, key: str) -> ModelStatus:
        if key in self._loaded:
            return ModelStatus(state=ModelState.WARM)
        if key in self._reasons:
            return ModelStatus(state=ModelState.UNUSABLE, reason=self._reasons[key])
        return ModelStatus(state=ModelState.COLD)


def is_out_of_memory(error: Exception) -> bool:
    """It comes as torch's own error, as Python's, or as a plain RuntimeError of an allocator or of oneDNN."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    signs = ("out of memory", "can't allocate memory", NO_PRIMITIVE)
    return isinstance(error, RuntimeError) and any(sign in text for sign in signs)


def free_caches() -> None:
    """Give memory that nothing refers to back to the device."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def memory(device: torch.device) -> Memory:
    """What is in use now."""
    process = int(psutil.Process().memory_info().rss)
    if device.type != "cuda":
        return Memory(process=process, device=0, device_total=0)
    free, total = torch.cuda.mem_get_info(device)
    return Memory(process=process, device=total - free, device_total=total)
