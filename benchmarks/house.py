"""Measures how the code is laid out: rooms, the imports between them, circles, lines, and the walk of a prompt.

    python -m benchmarks.house [FOLDER]

A room is a file or a folder directly in `bot/` or `storage/`. Two rooms between which several modules import count as
one pair. Imports under TYPE_CHECKING count. Lines and longest functions are those of bot, storage and generation. FOLDER is a checkout, of any version; this one if left out.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
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
                name = whole if whole in found else node.module
                if name in found and name not in PACKAGES:
                    yield name


def room(module: str) -> str:
    """The room that a module lies in."""
    return ".".join(module.split(".")[:2])


def arrows(graph: Mapping[str, set[str]], package: str) -> list[tuple[str, str]]:
    """The imports of a package's modules from other rooms of it."""
    inside = f"{package}."
    return [
        (one, other)
        for one, others in graph.items()
        for other in others
        if one.startswith(inside) and other.startswith(inside) and room(one) != room(other)
    ]


def pairs(graph: Mapping[str, set[str]], package: str) -> set[tuple[str, str]]:
    """The pairs of rooms of a package whose first imports the second."""
    return {(room(one), room(other)) for one, other in arrows(graph, package)}


def circles(graph: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    """Each module's circle: the modules that it imports and that import it, by whatever way, and itself."""
    reached = {module: _reached(graph, module) for module in graph}
    return {
        module: frozenset({module, *(other for other in others if module in reached[other])})
        for module, others in reached.items()
    }


def _reached(graph: Mapping[str, set[str]], module: str) -> set[str]:
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        new = graph[waiting.pop()] - seen
        seen |= new
        waiting.extend(new)
    return seen


def floors(graph: Mapping[str, set[str]], package: str) -> int:
    """The longest chain of imports within a package. A circle is one floor."""
    found = circles({one: others & set(graph) for one, others in graph.items()})
    heights: dict[frozenset[str], int] = {}

    def height(circle: frozenset[str]) -> int:
        if circle not in heights:
            below = {found[other] for one in circle for other in graph[one] if other.startswith(f"{package}.")}
            heights[circle] = 1 + max(map(height, below - {circle}), default=0)
        return heights[circle]

    return max(height(circle) for one, circle in found.items() if one.startswith(f"{package}."))


def longest_function(found: Mapping[str, Path]) -> tuple[int, str]:
    """How many lines the longest function has, and its name."""
    return max(
        ((node.end_lineno or 0) - node.lineno + 1, f"{module}.{node.name}")
        for module, path in found.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def walked(root: Path) -> int:
    """How many modules a prompt passes, by `benchmarks/walk.py` in that checkout."""
    script = Path(__file__).with_name("walk.py")
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, str(script)]
    ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True, timeout=300)
    return int(ended.stdout.rpartition("in all: ")[2])


def main(root: Path) -> None:
    """Print the figures."""
    found = modules(root)
    graph = imports(found)
    for package in ("bot", "storage"):
        rooms = {room(name) for name in found if name.startswith(f"{package}.")}
        crossing = len(arrows(graph, package))
        print(f"{package}: {len(rooms)} rooms, {crossing} imports between rooms of {len(pairs(graph, package))} pairs")
        print(f"{package}: {floors(graph, package)} floors")
    in_circles = {circle for circle in circles(graph).values() if len(circle) > 1}
    print(f"circles: {len(in_circles)}, of {sum(map(len, in_circles))} modules")
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in found.items()}
    print(f"modules: {len(lines)}, lines: {sum(lines.values())}")
    print("longest module: {1}, {0} lines".format(*max((count, name) for name, count in lines.items())))
    print("longest function: {1}, {0} lines".format(*longest_function(found)))
    print(f"modules that a prompt passes: {walked(root)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else Path(__file__).parents[1])
