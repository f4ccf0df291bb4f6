"""What a family of models is: a declaration that one adapter can draw from. Importable without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Way(StrEnum):
    """How a picture can be made. The first five are one call of a pipeline, and the others are made of such calls."""

    TEXT = "text"
    """From words alone."""
    IMAGE = "image"
    """From words and a picture, of which part stays (SDEdit)."""
    INPAINT = "inpaint"
    """From words, a picture and a mask: what the mask shows is drawn anew."""
    EDIT = "edit"
    """A picture, or several, changed as the words say."""
    CONTROL = "control"
    """From words and a picture of edges, or of depths, that is followed."""
    OUTPAINT = "outpaint"
    """From words and a picture that lies somewhere on a larger canvas: the rest is drawn, and the picture stays."""
    TILE = "tile"
    """From words, a picture whose copies join without a seam."""
    BLEND = "blend"
    """From words and several pictures, something of each."""
    UPSCALE = "upscale"
    """A picture larger, with detail that is drawn."""


_NEEDS: Mapping[Way, tuple[tuple[Way, ...], ...]] = {
    Way.OUTPAINT: ((Way.INPAINT,),),
    Way.TILE: ((Way.TEXT,),),
    Way.BLEND: ((Way.IMAGE,), (Way.EDIT,)),
    Way.UPSCALE: ((Way.IMAGE,),),
}
"""What the calls of a way are: one of these sets has to be there."""


class Layout(StrEnum):
    """How latents lie between two steps."""

    SPATIAL = "spatial"
    """(images, channels, rows, columns), with a frame before or behind the channels in some."""
    PACKED = "packed"
    """(images, cells, 4 · channels): 2×2 neighbours in one cell, in the order (channel, row, column)."""
    CELLS = "cells"
    """(images, rows · columns, channels)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One architecture. Classes are diffusers', which share the components of the first, or one of transformers'."""

    #: What `family` says in `models.toml`.
    name: str
    #: What people call it.
    title: str
    #: The class for each way. The first is that which `model_index.json` names.
    ways: Mapping[Way, str]
    #: The argument that carries the guidance scale; None: it takes none.
    guidance: str | None = "guidance_scale"
    #: The scale at which guidance is off; None: it was distilled to draw with any scale in one pass.
    off: float | None = 1.0
    #: Whether it has a pass without the prompt, which a negative prompt could replace.
    negative: bool = True
    #: Arguments that every call gets, where the class takes them.
    fixed: Mapping[str, Any] = field(default_factory=dict)
    #: What both sides are multiples of, in pixels.
    multiple: int = 16
    #: Half precision that it was trained to bear.
    dtype: str = "bfloat16"
    layout: Layout = Layout.SPATIAL
    #: Whether latents that are normalised channel by channel are brought to the VAE's `scaling_factor` too.
    scaled: bool = True
    #: Whether its latents may be shifted between two steps, by which pictures continue themselves.
    shifts: bool = True
    #: How many pictures an edit takes.
    references: int = 1
    #: What is loaded in place of components that need torchvision, or serve what is switched off: functions of
    #: `generation/pipelines/substitutes.py` by the components' names.
    substitutes: Mapping[str, str] = field(default_factory=dict)
    #: Called with a pipeline and the call's arguments before each call, where nothing else helps.
    patch: Callable[[Any, dict[str, Any]], None] | None = None

    def can(self, way: Way) -> bool:
        """Whether it makes pictures in this way."""
        if way in self.ways:
            return True
        if way is Way.TILE and not self.shifts:
            return False
        sets = _NEEDS.get(way, ())
        blends_by_one = way is Way.BLEND and Way.IMAGE not in self.ways and self.references < 2
        return not blends_by_one and any(all(needed in self.ways for needed in each) for each in sets)

    @property
    def ignores(self) -> frozenset[str]:
        """What it takes no notice of: a negative prompt, a guidance scale."""
        lacking = {"negative": not self.negative, "guidance": self.guidance is None}
        return frozenset(name for name, is_lacking in lacking.items() if is_lacking)

    @property
    def pipeline(self) -> str:
        """The class that a folder of this family names."""
        return next(iter(self.ways.values()))
