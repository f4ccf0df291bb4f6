"""The classifier that looks at finished pictures. It fails closed: whatever goes wrong with it, no picture passes."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

from generation.contract import ModelState, ModelStatus
from generation.safety_settings import SafetyCheck

log = logging.getLogger(__name__)

_TRIAL = Image.new("RGB", (64, 64), "grey")
"""Looked at once after loading, so that a classifier that can't do its work is found at the start."""


_WIDE = Image.new("RGB", (192, 64), "grey")
"""Three squares beside each other. Who sees no difference when the outer two change looks at the middle only."""


class Unchecked(RuntimeError):
    """The pictures could not be checked; the message is for the host."""


class Guard:
    """Finds the unsafe pictures of a result. It loads its classifier when first needed, and again after a failure."""

    def __init__(self, check: SafetyCheck, device: torch.device, *, allow_downloads: bool) -> None:
        self._check, self._device, self._allow_downloads = check, device, allow_downloads
        self._classifier: _Classifier | None = None
        self.status = ModelStatus(state=ModelState.COLD)

    @property
    def memory(self) -> int:
        """Bytes of the device's memory that the loaded classifier's weights fill."""
        return 0 if self._classifier is None else self._classifier.memory

    def prepare(self) -> None:
        """Load the classifier and try it. Raises Unchecked; `status` says what is wrong, too."""
        if self._classifier is not None:
            return
        try:
            classifier = _Classifier(self._check, self._device, allow_downloads=self._allow_downloads)
            classifier.unsafe(_TRIAL)
        except Exception as error:  # whatever is wrong with these files, it must not end the worker
            raise self._broken(error) from None
        self._classifier, self.status = classifier, ModelStatus(state=ModelState.WARM)

    def unsafe(self, pictures: Sequence[Image.Image], pulse: Callable[[], None]) -> frozenset[int]:
        """The numbers, from 1, of the pictures that are unsafe. `pulse` is called before each. Raises Unchecked."""
        self.prepare()
        assert self._classifier is not None
        found = set()
        for number, picture in enumerate(pictures, start=1):
            pulse()
            try:
                unsafe = self._classifier.unsafe(picture)
            except (torch.OutOfMemoryError, torch.AcceleratorError):
                raise
            except Exception as error:
                raise self._broken(error) from None
            if unsafe:
                found.add(number)
        return frozenset(found)

    def _broken(self, error: Exception) -> Unchecked:
        """What to raise for an error of the classifier, which is loaded anew next time."""
        reason = str(error) if isinstance(error, Unchecked) else f"{type(error).__name__}: {error}"
        log.warning("the safety check can't be used: %s", reason)
        self._classifier, self.status = None, ModelStatus(state=ModelState.UNUSABLE, reason=reason)
        return Unchecked(reason)


class _Classifier:
    """A loaded classifier. Its constructor raises Unchecked, or whatever transformers raises for such files."""

    def __init__(self, check: SafetyCheck, device: torch.device, *, allow_downloads: bool) -> None:
        if isinstance(check.source, Path) and not check.source.is_dir():
            raise Unchecked(f"there is no folder {check.source}")
        where = {
            "revision": check.revision or "main",
            "local_files_only": not allow_downloads,
            "trust_remote_code": False,
        }
        self._processor: Any = AutoImageProcessor.from_pretrained(check.repository, backend="pil", **where)
        model, info = AutoModelForImageClassification.from_pretrained(
            check.repository, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **where
        )
        if lacking := sorted(info["missing_keys"]):
            # transformers would make them up, and a made-up head passes anything
            raise Unchecked(f"{check.source} lacks the weights {', '.join(lacking[:3])}")
        self._model: Any = model.eval().to(device)
        self.memory = int(self._model.get_memory_footprint())
        self._device = device
        self._several = model.config.problem_type == "multi_label_classification"
        self._threshold = check.threshold
        wanted = {label.casefold() for label in check.labels}
        labels: dict[int, str] = model.config.id2label
        self._unsafe = [index for index, label in labels.items() if label.casefold().strip() in wanted]
        if not self._unsafe:
            there = ", ".join(list(labels.values())[:10])
            raise Unchecked(f"none of EASEL_SAFETY_LABELS is a label of {check.source}, whose labels are {there}")
        self._crops = self._is_blind_to_ends()

    def _is_blind_to_ends(self) -> bool:
        """Whether pictures that are no squares are cropped before the classifier gets them."""
        painted = _WIDE.copy()
        for left in (0, 160):  # a little away from the middle, into which scaling would blend it
            painted.paste("white", (left, 0, left + 32, 64))
        before, after = (self._prepared(picture)["pixel_values"] for picture in (_WIDE, painted))
        return torch.equal(before, after)

    def _prepared(self, picture: Image.Image) -> Any:
        return self._processor(images=picture, return_tensors="pt").to(self._device)

    @torch.inference_mode()
    def unsafe(self, picture: Image.Image) -> bool:
        """Whether the probability of the unsafe labels, together, reaches the threshold, in any part of the picture."""
        return any(self._is_unsafe(part) for part in (_squares(picture) if self._crops else [picture]))

    def _is_unsafe(self, picture: Image.Image) -> bool:
        logits = self._model(**self._prepared(picture)).logits[0].float()
        likely = logits.sigmoid() if self._several else logits.softmax(-1)
        of_unsafe = likely[self._unsafe]
        probability = float(of_unsafe.max() if self._several else of_unsafe.sum())
        if not math.isfinite(probability):
            raise Unchecked("the classifier's probabilities aren't numbers")
        return probability >= self._threshold


def _squares(picture: Image.Image) -> list[Image.Image]:
    """Squares that show all of a picture, one more than needed: processors cut a little off their rims, too."""
    side, longer = sorted(picture.size)
    if side == longer:
        return [picture]
    count = math.ceil(longer / side) + 1
    starts = [round(number * (longer - side) / (count - 1)) for number in range(count)]
    if picture.width == longer:
        return [picture.crop((start, 0, start + side, side)) for start in starts]
    return [picture.crop((0, start, side, start + side)) for start in starts]
