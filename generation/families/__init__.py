"""The families of models by the names that `models.toml` knows them by. Importable without torch."""

from __future__ import annotations

from collections.abc import Mapping

from generation.families import declared
from generation.families.family import Family, Layout, Way

FAMILIES: Mapping[str, Family] = {one.name: one for one in vars(declared).values() if isinstance(one, Family)}

__all__ = ["FAMILIES", "Family", "Layout", "Way"]
