"""Measures how the code is laid out: rooms, the imports between them, circles, lines, and the walk of a prompt.

    python -m benchmarks.house [FOLDER]

A room is a file or a folder directly in `bot/` or `storage/`. Two rooms between which several modules import count as
one pair. Imports under TYPE_CHECKING count. FOLDER is a checkout, of any version; this one if left out.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGES = ("bot", "storage", "generation")


def modules(root: Path) -> dict[str, Path]:
    """The product's modules by their dotted names."""
    found = {}
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imports(found: Mapping[str, Path]) -> dict[str, set[str]]:
    """The modules that each module imports."""
    return {name: set(_imported(path, found)) - {name} for name, path in found.items()}


def _imported(path: Path, found: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name in found)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                whole = f"{node.module}.{one.name}"
                yield from (name for name in (whole, node.module) if name in found and name not in PACKAGES)


def room(module: str) -> str:
    """The room that a module lies in."""
    return ".".join(module.split(".")[:2])


def pairs(graph: Mapping[str, set[str]], package: str) -> set[tuple[str, str]]:
    """The pairs of rooms of a package of which the first imports the second."""
    inside = f"{package}."
    return {
        (room(one), room(other))
        for one, others in graph.items()
        for other in others
        if one.startswith(inside) and other.startswith(inside) and room(one) != room(other)
    }


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; none if there is no circle."""
    without_parents = {
        one: {other for other in others if not one.startswith(f"{other}.")} for one, others in graph.items()
    }
    try:
        TopologicalSorter(without_parents).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def longest_chain(graph: Mapping[str, set[str]]) -> int:
    """Floors: how many modules stand on each other at most."""
    heights: dict[str, int] = {}

    def height(module: str) -> int:
        if module not in heights:
            heights[module] = 0  # a circle ends here
            heights[module] = 1 + max(map(height, graph[module]), default=0)
        return heights[module]

    return max(map(height, graph))


def main(root: Path) -> None:
    """Print the figures."""
    found = modules(root)
    graph = imports(found)
    for package in ("bot", "storage"):
        rooms = {room(name) for name in found if name.startswith(f"{package}.")}
        print(f"{package}: {len(rooms)} rooms, {len(pairs(graph, package))} pairs of rooms that import")
    print(f"circle: {' → '.join(circle(graph)) or 'none'}")
    print(f"floors of imports: {longest_chain(graph)}")
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in found.items()}
    print(f"modules: {len(lines)}, lines: {sum(lines.values())}, longest: {max(lines.values())}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
