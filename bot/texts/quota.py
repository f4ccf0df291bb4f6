"""What admins read about credits: the answers to `/quota`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import discord

from bot.texts.changes import because, changed, ends, short, whom
from bot.texts.common import credits, per, person, relative
from bot.texts.member import balance_line, page
from storage.credits.account import Balance
from storage.credits.allowances import Allowance
from storage.credits.calendar import Period, Rate
from storage.credits.host import Budget
from storage.credits.ledger import Entry, LedgerLine
from storage.credits.terms import Terms
from storage.guilds.changes import Change, Subject

_LISTED = 10
"""People or grants that are named below an answer."""
_ENTRIES = {
    Entry.RESERVE: "set aside for a job",
    Entry.SETTLE: "spent",
    Entry.REFUND: "given back",
    Entry.GRANT: "granted",
    Entry.RESET: "reset",
    Entry.EXPIRE: "a boost ended",
    Entry.CORRECT: "corrected",
    Entry.CARRY: "carried forward from entries that are no longer kept",
}


def account(user_id: int, balance: Balance, lines: Sequence[LedgerLine], *, number: int, pages: int) -> str:
    """A member's balance and one page of its ledger, the newest lines first."""
    shown = [f"<@{user_id}>: {balance_line(balance)}", *(_line(line) for line in lines)]
    if pages > 1:
        more = f" `page: {number + 1}` has earlier lines." if number < pages else ""
        shown.append(f"-# Page {number} of {pages}.{more}")
    return page(shown)


def _line(line: LedgerLine) -> str:
    moved = line.allowance + line.boost + line.bonus
    amount = f" {moved:+d}" if line.kind is not Entry.SETTLE else "" if line.cost is None else f" {line.cost}"
    if line.kind is Entry.REFUND and line.cost:
        amount += f", {line.cost} spent"
    job = f" `{line.job_id}`" if line.job_id else ""
    by = f" by {person(line.actor_id)}" if line.actor_id else ""
    return f"- {relative(line.given_at or line.at)} {_ENTRIES[line.kind]}{amount}{ends(line.ends_at)}{job}{by}{because(line.reason)}"


def server(
    rules: Sequence[Allowance],
    changes: Sequence[Change],
    terms: Terms,
    *,
    default: Rate,
    month: Budget | None = None,
) -> str:
    """A server's quotas and their latest changes, and what its admins may still give out this month."""
    lines = []
    if changes:
        lines.append("**Latest changes**")
        lines += [f"- {relative(one.at)} {person(one.actor_id)}: {changed(one)}" for one in changes]
    limit = "no limit" if terms.ceiling is None else per(terms.ceiling)
    free = f" Free here: {', '.join(sorted(terms.free))}." if terms.free else ""
    lines += ["**Credits**", f"-# The whole server: {limit}. Days begin at midnight in {terms.zone}.{free}"]
    if month is not None:
        lines.append(
            f"-# Whoever runs this bot lets admins here give out {month.left:,} more of {month.most:,} credits until "
            f"{discord.utils.format_dt(month.resets_at, 'D')}, and no quota be more than {default.credits:,}."
        )
    if not any(rule.subject.kind == "everyone" for rule in rules):
        lines.append(f"- everyone: {short(default)} (the host's default)")
    lines += [f"- {whom(rule.subject)}: {short(rule.rate)}" for rule in rules]
    return page(lines)


def was_set(subject: Subject, rate: Rate | None) -> str:
    """The answer to `/quota set`."""
    if rate is None:
        return f"The quota of {whom(subject)} is back to the default."
    return f"{whom(subject).capitalize()}: {per(rate)} from now on."


def granted(subject: Subject, amount: int, ends_at: datetime | None) -> str:
    """The answer to `/quota grant`."""
    if amount < 0:
        return f"{credits(-amount)} of bonus taken from {whom(subject)}."
    later = ""
    if subject.kind == "role":
        until = "" if ends_at is None else " until then"
        later = f"\n-# Who gets the role later gets them too{until}; `/quota undo` takes all of it back."
    if ends_at is None:
        return f"{credits(amount)} of bonus given to {whom(subject)}. They stay until they are used.{later}"
    return f"A boost of {credits(amount)} given to {whom(subject)}. What is left of it ends {relative(ends_at)}.{later}"


def was_reset(subject: Subject, rate: Rate) -> str:
    """The answer to `/quota reset`."""
    when = "today" if rate.period is Period.DAY else f"this {rate.period}"
    if subject.kind != "user":
        when = "in their current day, week or month"
    return f"What {whom(subject)} used {when} is given back."


def zone_is(zone: str, next_day: datetime) -> str:
    """The answer to `/quota timezone`."""
    return f"Days, weeks and months begin at midnight in {zone} from now on. The next day begins {relative(next_day)}."


def ceiling_is(ceiling: Rate | None) -> str:
    """The answer to `/quota ceiling`."""
    if ceiling is None:
        return "The server as a whole has no limit any more; members' own quotas still hold."
    return f"The whole server may spend {per(ceiling)} from now on, however much its members have left."


def free_is(action: str, free: bool) -> str:
    """The answer to `/quota free`."""
    return f"`{action}` is free here from now on." if free else f"`{action}` costs what its model costs again."


def exported(
    lines: int, *, following: int | None, waiting: Sequence[tuple[Subject, int]] = (), asked: bool = True
) -> str:
    """Beside the file of `/quota export`; `following` is the page with older lines, None without any.

    `waiting` is what members get once they use Easel, and `asked` whether Discord said who is one.
    """
    rest = f" There are earlier ones: `page: {following}` has them." if following else ""
    shown = [f"{_lines(lines)}.{rest}"]
    if waiting:
        some = [f"{credits(amount)} for {whom(subject)}" for subject, amount in waiting[-_LISTED:]]
        older = f", and {len(waiting) - _LISTED} grants before" if len(waiting) > _LISTED else ""
        shown.append(f"-# Members who never used Easel here are not in it. They still get: {', '.join(some)}{older}.")
    if not asked:
        shown.append(
            "-# Discord did not say who is a member: names are missing, and so is what not everyone has taken yet."
        )
    return "\n".join(shown)


def imported(lines: int, strangers: Sequence[int]) -> str:
    """The answer to `/quota import`. `strangers` are people in the file who are no members."""
    words = f"Imported {_lines(lines)}. `/quota undo` takes it back."
    if not strangers:
        return words
    more = f" and {len(strangers) - _LISTED} more" if len(strangers) > _LISTED else ""
    named = ", ".join(f"<@{one}>" for one in strangers[:_LISTED]) + more
    return f"{words}\n-# These are not members here now: {named}. Their lines hold once they join."


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"
