"""What people can do: a file each, which the bot finds by itself. Modules whose names begin with `_` are passed over.

To add a way to draw, with its button and reaction, copy `vary.py`. To add a command, copy `models.py`.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable, Iterator

from bot.interactions.feature import Feature


def load(*packages: str) -> tuple[Feature, ...]:
    """The features of this package and of others, named as for an import, in the order of their modules' names."""
    return tuple(importlib.import_module(name).FEATURE for one in (__name__, *packages) for name in _modules(one))


def action_names(features: Iterable[Feature]) -> tuple[str, ...]:
    """What can be drawn, kept for roles, made free and priced."""
    return tuple(action.name for one in features for action in one.actions)


def _modules(package: str) -> Iterator[str]:
    importlib.import_module(package)
    found = pkgutil.walk_packages(sys.modules[package].__path__, prefix=f"{package}.")
    names = (one.name for one in found if not one.ispkg)
    yield from sorted(name for name in names if not name.rpartition(".")[2].startswith("_"))
