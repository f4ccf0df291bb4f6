"""One thing that must be true at the end of a soak, and what breaks it."""

from __future__ import annotations

from dataclasses import dataclass, field

SHOWN = 8
"""As many breaches of one promise are printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One thing that must be true; `figure` says how much of it there was."""

    name: str
    figure: str
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{'BROKEN' if self.broken else 'kept':<8}{self.name:<48}{self.figure}"]
        lines += [f"        - {one}" for one in self.broken[:SHOWN]]
        if len(self.broken) > SHOWN:
            lines.append(f"        … and {len(self.broken) - SHOWN} more")
        return "\n".join(lines)
