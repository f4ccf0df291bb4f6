"""Writes the table of `docs/models.md`: `python -m generation.families`."""

from __future__ import annotations

from generation.families import FAMILIES, Family, Way

_HEAD = ("`family`", "Models", *(way.value for way in Way), "Guidance", "Negative prompt", "Sides")


def table() -> str:
    """What each family can do, as Markdown."""
    rows = [_HEAD, ("---",) * len(_HEAD), *(_row(family) for family in FAMILIES.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(family: Family) -> tuple[str, ...]:
    ways = tuple("✓" if family.can(way) else "" for way in Way)
    guidance = "" if family.guidance is None else "distilled" if family.off is None else f"above {family.off:g}"
    unwanted = "✓" if family.negative else ""
    return (f"`{family.name}`", family.title, *ways, guidance, unwanted, f"multiples of {family.multiple}")


if __name__ == "__main__":
    print(table())
