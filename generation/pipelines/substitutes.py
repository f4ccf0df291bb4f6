"""Stands in for processors of transformers that can't be built without torchvision, since they read videos too.

Each function is given where a model lies, the component's name and options of `from_pretrained`; families name them in
`substitutes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image
from transformers import AutoTokenizer, BatchFeature, Qwen2VLImageProcessorPil

IMAGE_PAD = "<|image_pad|>"


class PicturesAndWords:
    """Qwen2VLProcessor for pictures and words: a tokenizer, and an image processor that cuts pictures into patches."""

    def __init__(self, tokenizer: Any, image_processor: Any) -> None:
        self.tokenizer, self.image_processor = tokenizer, image_processor
        self.image_token_id = tokenizer.convert_tokens_to_ids(IMAGE_PAD)
        self.decode = tokenizer.decode

    def __call__(
        self,
        *,
        text: Sequence[str],
        images: Image.Image | Sequence[Image.Image] | None = None,
        videos: None = None,  # noqa: ARG002 - some pipelines say that there are none
        return_tensors: str = "pt",
        **options: Any,
    ) -> BatchFeature:
        """Texts in which each picture has a pad token, and the pictures in their order. The token becomes as many as the
        picture has cells, since each cell is one step of the language model. `options` are the tokenizer's.
        """
        seen = dict(self.image_processor(images=images, return_tensors=return_tensors)) if images is not None else {}
        cells = [int(grid.prod()) // self.image_processor.merge_size**2 for grid in seen.get("image_grid_thw", ())]
        told, used = [], 0
        for words in text:
            first, *rest = words.split(IMAGE_PAD)
            told.append(first + "".join(IMAGE_PAD * cells[used + n] + part for n, part in enumerate(rest)))
            used += len(rest)
        return BatchFeature({**self.tokenizer(told, return_tensors=return_tensors, **options), **seen})


def words(where: Any, _component: str, options: dict[str, Any]) -> Any:
    """The tokenizer that lies beside such a processor: words need no more."""
    return AutoTokenizer.from_pretrained(where, subfolder="tokenizer", **options)


def words_alone(where: Any, component: str, options: dict[str, Any]) -> Any:
    """The tokenizer, which may also be told that there are no pictures and no videos."""
    tokenizer = words(where, component, options)
    call = type(tokenizer).__call__

    class WordsAlone(type(tokenizer)):  # type: ignore[misc]
        def __call__(self, text: Any = None, **more: Any) -> Any:
            return call(self, text, **{name: value for name, value in more.items() if name not in ("images", "videos")})

    tokenizer.__class__ = WordsAlone
    return tokenizer


def pictures_and_words(where: Any, component: str, options: dict[str, Any]) -> PicturesAndWords:
    """The tokenizer, and the component's image processor in its version without torchvision."""
    pictures = Qwen2VLImageProcessorPil.from_pretrained(where, subfolder=component, **options)
    return PicturesAndWords(words(where, component, options), pictures)


def nothing(_where: Any, _component: str, _options: dict[str, Any]) -> None:
    """For a part that serves what is switched off."""
