"""Random histories of one server's credits, crashes among them, held against lists of what happened.

The model knows no sums: it keeps every reservation, grant and reset as a fact with whether it still counts, and works
balances out from them anew. `EASEL_HYPOTHESIS=thorough` runs many more and longer histories.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from storage.credits import account as credit_account
from storage.credits import allowances, audit, terms
from storage.credits import grants as credit_grants
from storage.credits.account import Balance, QuotaExceeded
from storage.credits.calendar import LONGEST_DAYS, Period, Rate
from storage.credits.ceilings import CeilingReached
from storage.credits.compaction import START, Place, fold
from storage.database import Database, Transaction
from storage.guilds.changes import Subject
from tests.storage.credits.accounts import Account, Entry, Grant, Reservation, Takeback
from tests.storage.samples import ADMIN, ALICE, BOB, GUILD, NOON, undo_last

T = TypeVar("T")
USERS = (ALICE, BOB)
ZONE = "America/New_York"
BOT_CEILING = 60
AMOUNTS = st.integers(1, 9)
CRASHES = st.sampled_from((False, False, False, True))
RATES = st.builds(Rate, st.integers(0, 25), st.sampled_from(Period))


class Server(RuleBasedStateMachine):
    """Two members, an admin who changes their mind, and a bot that is killed within transactions."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.default = Rate(12)
        self.ceiling: Rate | None = None
        self.accounts = {user: Account() for user in USERS}
        self.reservations: dict[str, Reservation] = {}
        self.takebacks: list[Takeback] = []
        self.resets = 0
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.database = self.loop.run_until_complete(Database.open(Path(self.folder.name)))
        self.transact(lambda tx: terms.set_zone(tx, guild_id=GUILD, zone=ZONE, actor_id=ADMIN, now=self.now))
        self.takebacks.append(lambda: None)
        self.zone = ZONE

    def teardown(self) -> None:
        self.loop.run_until_complete(self.database.close())
        self.loop.close()
        self.folder.cleanup()

    def transact(self, body: Callable[[Transaction], Awaitable[T]], *, crash: bool = False) -> T | None:
        """What the body gave; None where the bot died before the transaction's end."""

        async def whole() -> T:
            async with self.database.transaction() as tx:
                found = await body(tx)
                if crash:
                    raise InterruptedError
                return found

        try:
            return self.loop.run_until_complete(whole())
        except InterruptedError:
            return None

    # What should be.

    def rate(self, user: int) -> Rate:
        return self.accounts[user].rate or self.default

    def same_period(self, moment: datetime, period: Period) -> bool:
        then, today = self.day(moment), self.day(self.now)
        match period:
            case Period.DAY:
                return then == today
            case Period.WEEK:
                return then.isocalendar()[:2] == today.isocalendar()[:2]
        return (then.year, then.month) == (today.year, today.month)

    def day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def used(self, user: int) -> int:
        return sum(
            one.allowance
            for one in self.reservations.values()
            if one.user == user
            and one.counts
            and not one.forgiven_by
            and self.same_period(one.at, self.rate(user).period)
        )

    def boost_left(self, grant: Grant) -> int:
        used = sum(part for one in self.reservations.values() for lot, part in one.drawn if lot is grant and one.counts)
        return grant.credits - grant.lost - used

    def running(self, user: int) -> list[Grant]:
        grants = [one for one in self.accounts[user].boosts if one.ends_at and one.ends_at > self.now]
        return sorted(grants, key=lambda one: one.ends_at or self.now)

    def allowance_left(self, user: int) -> int:
        return max(0, self.rate(user).credits - self.used(user))

    def left(self, user: int) -> int:
        boosts = sum(self.boost_left(one) for one in self.running(user))
        return self.allowance_left(user) + boosts + self.accounts[user].bonus

    def spent(self, counts: Callable[[Reservation], bool]) -> int:
        return sum(one.price for one in self.reservations.values() if one.counts and counts(one))

    def room(self) -> int:
        room = BOT_CEILING - self.spent(lambda one: one.at.date() == self.now.date())
        if self.ceiling is not None:
            period = self.ceiling.period
            room = min(room, self.ceiling.credits - self.spent(lambda one: self.same_period(one.at, period)))
        return room

    # What happens.

    @rule(user=st.sampled_from(USERS), price=st.integers(0, 15), crash=CRASHES)
    def imagine(self, user: int, price: int, crash: bool) -> None:
        job_id = f"job-{len(self.reservations)}"

        async def accept(tx: Transaction) -> bool:
            balance = await self.look(tx, user)
            await credit_account.reserve(
                tx,
                guild_id=GUILD,
                user_id=user,
                job_id=job_id,
                price=price,
                allowance=balance.rate,
                now=self.now,
                bot_ceiling=BOT_CEILING,
            )
            return True

        try:
            accepted = self.transact(accept, crash=crash)
        except QuotaExceeded:
            assert price > self.left(user)
            return
        except CeilingReached:
            assert price > self.room()
            return
        if accepted:
            assert price <= self.left(user)
            assert price == 0 or price <= self.room()
            self.note_reservation(job_id, user, price)

    def note_reservation(self, job_id: str, user: int, price: int) -> None:
        allowance = min(price, self.allowance_left(user))
        rest, drawn = price - allowance, []
        for grant in self.running(user):
            part = min(rest, self.boost_left(grant))
            if part:
                drawn.append((grant, part))
            rest -= part
        self.accounts[user].bonus -= rest
        one = Reservation(user=user, at=self.now, allowance=allowance, drawn=drawn, bonus=rest)
        self.reservations[job_id] = one
        self.note_entry(user, lambda _: one.open)

    def note_entry(self, user: int, stays: Callable[[datetime], bool]) -> Entry:
        self.accounts[user].entries.append(Entry(at=self.now, stays=stays))
        return self.accounts[user].entries[-1]

    @precondition(lambda self: any(one.open for one in self.reservations.values()))
    @rule(data=st.data(), gives_pictures=st.booleans(), crash=CRASHES)
    def end(self, data: st.DataObject, gives_pictures: bool, crash: bool) -> None:
        job_id = data.draw(st.sampled_from([name for name, one in self.reservations.items() if one.open]))
        one = self.reservations[job_id]
        if gives_pictures:
            self.transact(lambda tx: credit_account.settle(tx, job_id, now=self.now))
            one.open = False
            return
        back = 0 if one.forgiven_by else one.allowance
        back += one.bonus + sum(part for lot, part in one.drawn if lot.ends_at and lot.ends_at > self.now)
        found = self.transact(lambda tx: credit_account.refund(tx, job_id, now=self.now), crash=crash)
        if crash:
            return
        assert found == back
        one.open = one.counts = False
        self.accounts[one.user].bonus += one.bonus

    @precondition(lambda self: any(one.open for one in self.reservations.values()))
    @rule(data=st.data(), credits=AMOUNTS, crash=CRASHES)
    def end_with_some_withheld(self, data: st.DataObject, credits: int, crash: bool) -> None:
        job_id = data.draw(st.sampled_from([name for name, one in self.reservations.items() if one.open]))
        one = self.reservations[job_id]
        found = self.transact(lambda tx: credit_account.refund(tx, job_id, now=self.now, credits=credits), crash=crash)
        if crash:
            return
        bonus = min(credits, one.bonus)
        boost = min(credits - bonus, sum(part for _, part in one.drawn))
        allowance = min(credits - bonus - boost, one.allowance)
        back, drawn = 0, []
        for lot, part in reversed(one.drawn):  # what was drawn last comes back first
            returned = min(part, boost - back) if lot.ends_at and lot.ends_at > self.now else 0
            back += returned
            drawn.append((lot, part - returned))
        assert found == bonus + back + (0 if one.forgiven_by else allowance)
        one.unpaid = boost - back
        one.open, one.drawn = False, drawn
        one.bonus, one.allowance = one.bonus - bonus, one.allowance - allowance
        self.accounts[one.user].bonus += bonus

    @precondition(lambda self: not all(one.open for one in self.reservations.values()))
    @rule(data=st.data())
    def end_twice(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from([name for name, one in self.reservations.items() if not one.open]))
        assert self.transact(lambda tx: credit_account.refund(tx, job_id, now=self.now)) == 0
        self.transact(lambda tx: credit_account.settle(tx, job_id, now=self.now))

    @rule(
        user=st.sampled_from(USERS),
        credits=AMOUNTS,
        days=st.none() | st.integers(1, 9) | st.just(60),
        crash=CRASHES,
    )
    def give(self, user: int, credits: int, days: int | None, crash: bool) -> None:
        ends_at = self.now + timedelta(days=days) if days else None
        subject = Subject(kind="user", id=user)
        self.change(
            lambda tx: credit_grants.give(
                tx,
                guild_id=GUILD,
                subject=subject,
                credits=credits,
                actor_id=ADMIN,
                reason="",
                now=self.now,
                ends_at=ends_at,
            ),
            lambda: self.note_grant(user, credits, ends_at),
            crash=crash,
        )

    def note_grant(self, user: int, credits: int, ends_at: datetime | None) -> Takeback:
        account = self.accounts[user]
        entry = self.note_entry(user, lambda before: ends_at is not None and ends_at >= before)
        if ends_at is None:
            account.bonus += credits

            def take_bonus() -> None:
                if not entry.folded:
                    account.bonus = max(0, account.bonus - credits)

            return take_bonus
        grant = Grant(credits=credits, ends_at=ends_at)
        account.boosts.append(grant)

        def take_boost() -> None:
            if ends_at > self.now:
                grant.lost += self.boost_left(grant)

        return take_boost

    @precondition(lambda self: any(one.open and one.allowance for one in self.reservations.values()))
    @rule(user=st.sampled_from(USERS), crash=CRASHES)
    def reset(self, user: int, crash: bool) -> None:
        self.change(
            lambda tx: credit_grants.forgive(
                tx,
                guild_id=GUILD,
                subject=Subject(kind="user", id=user),
                allowance=self.rate(user),
                actor_id=ADMIN,
                now=self.now,
            ),
            lambda: self.note_reset(user),
            crash=crash,
        )

    def note_reset(self, user: int) -> Takeback:
        self.resets += 1
        mark = self.resets
        for one in self.reservations.values():
            if one.user == user and self.same_period(one.at, self.rate(user).period):
                one.forgiven_by.add(mark)

        def remember() -> None:
            for one in self.reservations.values():
                one.forgiven_by.discard(mark)

        return remember

    @rule(user=st.none() | st.sampled_from(USERS), rate=RATES, crash=CRASHES)
    def set_allowance(self, user: int | None, rate: Rate, crash: bool) -> None:
        subject = Subject(kind="everyone") if user is None else Subject(kind="user", id=user)
        self.change(
            lambda tx: allowances.set_allowance(
                tx, guild_id=GUILD, subject=subject, rate=rate, actor_id=ADMIN, now=self.now
            ),
            lambda: self.note_rate(user, rate),
            crash=crash,
        )

    def note_rate(self, user: int | None, rate: Rate) -> Takeback:
        if user is None:
            before, self.default = self.default, rate

            def restore_default() -> None:
                self.default = before

            return restore_default
        account = self.accounts[user]
        own, account.rate = account.rate, rate

        def restore() -> None:
            account.rate = own

        return restore

    @rule(ceiling=st.none() | st.builds(Rate, st.integers(10, 40), st.sampled_from(Period)))
    def set_ceiling(self, ceiling: Rate | None) -> None:
        self.change(
            lambda tx: terms.set_ceiling(tx, guild_id=GUILD, ceiling=ceiling, actor_id=ADMIN, now=self.now),
            lambda: self.note_ceiling(ceiling),
        )

    def note_ceiling(self, ceiling: Rate | None) -> Takeback:
        before, self.ceiling = self.ceiling, ceiling

        def restore() -> None:
            self.ceiling = before

        return restore

    def change(
        self,
        body: Callable[[Transaction], Awaitable[None]],
        note: Callable[[], Takeback],
        *,
        crash: bool = False,
    ) -> None:
        async def step(tx: Transaction) -> bool:
            await body(tx)
            return True

        if self.transact(step, crash=crash):
            self.takebacks.append(note())

    @precondition(lambda self: len(self.takebacks) > 1)
    @rule(crash=CRASHES)
    def undo(self, crash: bool) -> None:
        found = self.transact(lambda tx: undo_last(tx, now=self.now), crash=crash)
        if found is not None:
            self.takebacks.pop()()

    @rule(hours=st.integers(1, 100))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(
        days=st.sampled_from((0, 20, LONGEST_DAYS + 1, LONGEST_DAYS + 9)),
        limit=st.sampled_from((1, 3, 200)),
        crash=CRASHES,
    )
    def fold(self, days: int, limit: int, crash: bool) -> None:
        """Some days later, what is old becomes one line; the invariant says that nobody's credits notice."""
        self.now += timedelta(days=days)
        before = self.now - timedelta(days=LONGEST_DAYS)
        after: Place | None = START
        while after is not None:
            step = self.transact(partial(fold, before=before, limit=limit, after=after), crash=crash)
            after = step and step.last
        if crash:
            return
        for account in self.accounts.values():
            for entry in account.entries:
                if entry.at >= before or entry.stays(before):
                    break
                entry.folded = True
        again = self.transact(partial(fold, before=before, limit=200))
        assert again is not None
        assert not again.folded

    @rule()
    def restart(self) -> None:
        self.loop.run_until_complete(self.database.close())
        self.database = self.loop.run_until_complete(Database.open(Path(self.folder.name)))

    async def look(self, tx: Transaction, user: int) -> Balance:
        rate = await allowances.allowance(tx, guild_id=GUILD, user_id=user, role_ids=[], default=Rate(12))
        await credit_grants.collect(
            tx,
            guild_id=GUILD,
            user_id=user,
            role_ids=[],
            joined_at=None,
            allowance=rate,
            now=self.now,
        )
        return await credit_account.balance(tx, guild_id=GUILD, user_id=user, allowance=rate, now=self.now)

    @invariant()
    def every_credit_is_accounted_for(self) -> None:
        for user in USERS:
            found = self.transact(lambda tx, user=user: self.look(tx, user))  # type: ignore[misc]
            assert found is not None
            lots = [(self.boost_left(one), one.ends_at) for one in self.running(user)]
            assert sorted((lot.left, lot.ends_at) for lot in found.lots) == sorted(lot for lot in lots if lot[0])
            assert (found.rate, found.used) == (self.rate(user), self.used(user))
            assert found.bonus == self.accounts[user].bonus >= 0
            assert found.left == self.left(user) >= 0

    @invariant()
    def verify_finds_no_fault(self) -> None:
        assert self.transact(self.faults) == []

    async def faults(self, tx: Transaction) -> list[str]:
        return [fault async for fault in audit.check(tx, now=self.now)]


THOROUGH = os.environ.get("EASEL_HYPOTHESIS") == "thorough"

TestServer = Server.TestCase
TestServer.settings = settings(
    max_examples=10_000 if THOROUGH else 40,
    stateful_step_count=50 if THOROUGH else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
