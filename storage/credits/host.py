"""The host's limits on what a server's admins give out: credits in a month of UTC, and no allowance above the usual.

The ledger tells what was given: bonus credits, boosts and forgiven use. A gift to a role or to everyone counts for each
member who takes it, and waits for the next month if too little is left. What an undo takes out of an account counts no
longer. An undone reset still counts, as what it forgave may have been used since, and so does what an admin takes away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.credits.calendar import UTC_ZONE, Period, Rate, span_of
from storage.database import Transaction


class OverGrants(Exception):
    """More credits than the `left` of `most` until `resets_at`; nothing was given."""

    def __init__(self, *, wanted: int, left: int, most: int, resets_at: datetime) -> None:
        super().__init__(f"{left} credits are left to give, and this gives {wanted}")
        self.wanted = wanted
        self.left = left
        self.most = most
        self.resets_at = resets_at


class OverDefault(Exception):
    """An allowance is more than `daily` credits, and may not be; nothing was changed."""

    def __init__(self, daily: int) -> None:
        super().__init__(f"an allowance may be {daily} credits at most")
        self.daily = daily


class NothingFree(Exception):
    """Nothing may be made free; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What the host grants: `daily` credits to each member, `monthly` to each server's admins; None is any number.

    A limited `monthly` also limits what else would give members more: their allowances, and free actions.
    """

    daily: int
    monthly: int | None = None

    @property
    def usual(self) -> Rate:
        """The allowance of those for whom nothing else is set."""
        return Rate(self.daily)

    def allows(self, rate: Rate | None) -> bool:
        """Whether an allowance may be that; None for the usual one.

        Whatever its period, it may not be larger: it may be used up in a day, and another be set for the next.
        """
        return self.monthly is None or rate is None or rate.credits <= self.daily

    def capped(self, rate: Rate) -> Rate:
        """An allowance that was set, perhaps before the host limited it."""
        return rate if self.allows(rate) else self.usual

    def check_rate(self, rate: Rate | None) -> None:
        """Raises OverDefault for an allowance that may not be."""
        if not self.allows(rate):
            raise OverDefault(self.daily)

    def check_free(self, free: bool) -> None:
        """Raises NothingFree for an action that is to be free where none may be."""
        if free and self.monthly is not None:
            raise NothingFree

    def free(self, actions: frozenset[str]) -> frozenset[str]:
        """The actions that are free: none if the host limited it after the server set them."""
        return actions if self.monthly is None else frozenset()


UNLIMITED = Host(daily=0)
"""A host who leaves everything to the admins. Nothing reads its usual allowance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is `left` of the `most` that a server's admins may give out until `resets_at`."""

    left: int
    most: int
    resets_at: datetime


GIVEN = """
SELECT total(max(bonus, 0) + boost + allowance
    + coalesce((SELECT bonus + boost FROM ledger AS undone WHERE undone.corrects = given.number), 0)) AS credits
FROM ledger AS given
WHERE guild_id = :guild_id AND host_day BETWEEN :first AND :last
    AND kind IN ('grant', 'reset', 'correct') AND corrects IS NULL AND (bonus > 0 OR boost > 0 OR allowance > 0)
"""


async def budget(tx: Transaction, host: Host, *, guild_id: int, now: datetime) -> Budget | None:
    """What is left for a server's admins this month; None for no limit."""
    if host.monthly is None:
        return None
    month = span_of(Period.MONTH, now, UTC_ZONE)
    row = await tx.fetch_one(GIVEN, {"guild_id": guild_id, "first": month.first, "last": month.last})
    assert row is not None
    left = max(0, host.monthly - int(row["credits"]))
    return Budget(left=left, most=host.monthly, resets_at=month.ends_at)


async def check(tx: Transaction, host: Host, credits: int, *, guild_id: int, now: datetime) -> None:
    """Raises OverGrants for more credits than a server's admins may still give out."""
    month = await budget(tx, host, guild_id=guild_id, now=now) if credits > 0 else None
    if month is not None and credits > month.left:
        raise OverGrants(wanted=credits, left=month.left, most=month.most, resets_at=month.resets_at)
