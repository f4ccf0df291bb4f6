"""Prints what was measured: plain tables, and figures beside their targets."""

from collections.abc import Sequence
from dataclasses import dataclass

VERDICTS = {True: "met", False: "MISSED", None: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value in words; `met` is None where there is no target."""

    what: str
    measured: str
    target: str = ""
    met: bool | None = None


def share(right: int, asked: int) -> float:
    """A share in per cent; 100 where nothing was asked."""
    return 100.0 * right / asked if asked else 100.0


def at_least(what: str, value: float, target: float, unit: str = "%") -> Figure:
    """A value that is to reach its target."""
    return Figure(what=what, measured=f"{value:.1f} {unit}", target=f"≥ {target:g} {unit}", met=value >= target)


def at_most(what: str, value: float, target: float, unit: str) -> Figure:
    """A value that is not to pass its target."""
    return Figure(what=what, measured=f"{value:.1f} {unit}", target=f"≤ {target:g} {unit}", met=value <= target)


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, ["-" * width for width in widths], *rows):
        first, *others = (cell for cell in zip(row, widths, strict=True))
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        print("  ".join(cells))
    print(flush=True)


def print_figures(figures: Sequence[Figure]) -> None:
    """The figures with their targets and whether those are met."""
    rows = [(figure.what, figure.measured, figure.target, VERDICTS[figure.met]) for figure in figures]
    print_table(("what", "measured", "target", ""), rows)
