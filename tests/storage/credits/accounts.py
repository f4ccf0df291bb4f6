"""What the machine of `test_account_machine.py` believes of members: facts, and whether each still counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from storage.credits.calendar import Rate


@dataclass(eq=False)
class Grant:
    """Credits of one member: a boost where they end."""

    credits: int
    ends_at: datetime | None
    lost: int = 0
    """Taken back by an undo, or written off."""


@dataclass(eq=False)
class Reservation:
    """A job's price, and what it came from."""

    user: int
    at: datetime
    allowance: int
    drawn: list[tuple[Grant, int]]
    bonus: int
    open: bool = True
    counts: bool = True
    forgiven_by: set[int] = field(default_factory=set)
    unpaid: int = 0
    """Given back to a boost that had ended: counted by no ceiling, and lost to the member."""

    @property
    def price(self) -> int:
        return self.allowance + self.bonus + sum(part for _, part in self.drawn) - self.unpaid


@dataclass(eq=False)
class Entry:
    """Something of an account that lines of the ledger tell; `stays` says whether it must be known for longer."""

    at: datetime
    stays: Callable[[datetime], bool]
    folded: bool = False


@dataclass(eq=False)
class Account:
    """One member."""

    entries: list[Entry] = field(default_factory=list)
    boosts: list[Grant] = field(default_factory=list)
    bonus: int = 0
    rate: Rate | None = None


Takeback = Callable[[], None]
