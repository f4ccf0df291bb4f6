"""The longer answers that a person reads: the queue, a balance, the models, the help."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.texts.common import about, credits, relative
from bot.texts.escaping import inert
from generation.catalogue import Catalogue, ModelSpec
from generation.contract import ModelState, ModelStatus
from storage.credits.account import Balance
from storage.credits.calendar import Period
from storage.jobs.job import Job, JobState

_PROMPT = 60
_BOOSTS = 5
"""As many boosts of one person are told apart."""
_LONGEST = 2000
"""Characters in a Discord message."""
_FOOT = 60
"""Characters at most that say which page of several it is."""
_STATES = {
    JobState.QUEUED: "waiting",
    JobState.RUNNING: "being drawn",
    JobState.FINISHED: "being posted",
    JobState.DELIVERED: "done",
    JobState.FAILED: "failed, refunded",
    JobState.CANCELLED: "cancelled, refunded",
}
_MORE = "-# There are more in age-restricted channels."


def cancelled(prompt: str, refunded: int) -> str:
    """The answer to `/cancel`. Nothing comes back where an admin's reset has given it back before."""
    back = f" Your {credits(refunded)} came back." if refunded else ""
    return f"Cancelled **{inert(prompt, limit=_PROMPT)}**.{back}"


def mailed(prompt: str, *, index: int, seed: int, job_id: str) -> str:
    """The words beside a picture sent as a direct message."""
    return f"**{inert(prompt)}**\nPicture {index} · seed `{seed}` · job `{job_id}`"


def queue(
    line: Sequence[Job],
    done: Mapping[str, float],
    *,
    channel_id: int,
    user_id: int,
    shown: int,
    notes: Sequence[str] = (),
) -> str:
    """What runs and waits everywhere, and when each is likely to be done: `done` holds seconds by job.

    `notes` are sentences on top, such as that drawing is paused.

    Prompts and names are those of this channel, which its readers may see, and of the reader's own jobs.
    """
    if not line:
        return "\n".join(notes) or "Nothing is waiting. `/imagine` starts at once."
    running = sum(job.state is JobState.RUNNING for job in line)
    lines = [*notes, f"**{running} being drawn, {len(line) - running} waiting**"]
    for place, job in enumerate(line[:shown], start=1):
        open_to_reader = job.channel_id == channel_id or job.user_id == user_id
        what = inert(job.prompt, limit=_PROMPT) if open_to_reader else "a job from elsewhere"
        who = f" - <@{job.user_id}>" if open_to_reader else ""
        soon = f", done in {about(done[job.id])}" if job.id in done else ""
        lines.append(f"{place}. {what}{who} ({_STATES[job.state]}{soon})")
    if len(line) > shown:
        lines.append(f"… and {len(line) - shown} more")
    return page(lines)


def info(balance: Balance, active: Sequence[Job], recent: Sequence[Job]) -> str:
    """A person's balance and jobs."""
    lines = [balance_line(balance), f"Jobs waiting or being drawn: {len(active)}"]
    if recent:
        lines.append("**Your latest jobs**")
        lines += [f"- {inert(job.prompt, limit=_PROMPT)} ({_STATES[job.state]}, `{job.id}`)" for job in recent]
    return "\n".join(lines)


def unposted(shown: Sequence[Job], *, elsewhere: int) -> str:
    """What `/info` says of results that could be posted nowhere, which come with it."""
    lines = []
    if shown:
        lines.append("**These could be posted nowhere. They cost nothing, and here they are:**")
        lines += [f"- {inert(job.prompt, limit=_PROMPT)} (`{job.id}`)" for job in shown]
    if elsewhere:
        lines.append("Others are for age-restricted channels: type `/info` in one to get them.")
    return "\n".join(lines)


def unposted_reminder() -> str:
    """What somebody reads after a command, whose results could be posted nowhere."""
    return "-# A result of yours could be posted nowhere. It cost nothing and is kept: `/info` shows it."


def balance_line(balance: Balance) -> str:
    """What a member has left, and when more comes."""
    period = balance.rate.period
    now = "today" if period is Period.DAY else f"this {period}"
    boosts = [f"a boost of {credits(lot.left)} that ends {relative(lot.ends_at)}" for lot in balance.lots]
    bonus = [f"{credits(balance.bonus)} of bonus"] if balance.bonus else []
    left = f"**{balance.allowance_left} of {credits(balance.rate.credits)} left {now}**"
    return f"{all_of(left, *boosts[:_BOOSTS], *bonus)}. The {period}'s credits come back {relative(balance.resets_at)}."


def all_of(*things: str) -> str:
    """Things in a row, like "a, b and c"."""
    *first, last = things
    return f"{', '.join(first)} and {last}" if first else last


def models(
    catalogue: Catalogue,
    states: Mapping[str, ModelStatus],
    default: str,
    *,
    free: Collection[str] = (),
    among_adults: bool = False,
) -> str:
    """The models and what each costs; unusable ones last, marked. `free` are actions that cost nothing here.

    Those for adults are named `among_adults` only; elsewhere it is said that there are some.
    """
    usable, not_here = [], []
    named = catalogue.named(among_adults=among_adults)
    for spec in named.values():
        if not _usable(states, spec.key):
            not_here.append(f"- ~~{spec.name}~~ not available on this host")
            continue
        usual = ", the usual one here" if spec.key == default else ""
        size = f"{spec.width}×{spec.height}"
        usable.append(f"- **{spec.name}** (`--model {spec.key}`{usual}): {_prices(spec)}, {size}, {spec.licence}")
    here = [f"-# Free in this server: {', '.join(sorted(free))}."] if free else []
    more = [_MORE] if any(_usable(states, key) for key in catalogue if key not in named) else []
    return page(["**Models**", *here, *more, *usable, *not_here])


def _usable(states: Mapping[str, ModelStatus], key: str) -> bool:
    return key in states and states[key].state is not ModelState.UNUSABLE


def _prices(spec: ModelSpec) -> str:
    """What a picture costs, and the actions for which it is another price."""
    others = [f"{action} {cost or 'free'}" for action, cost in spec.prices.items() if cost != spec.cost]
    return f"{credits(spec.cost)} a picture" + (f" ({', '.join(others)})" if others else "")


def welcome(daily: int) -> str:
    """The first words in a new server, in which everybody has `daily` credits a day."""
    return (
        "## Easel draws pictures from words\n"
        "Type `/imagine` and what you want to see. Or press one of these, and watch it appear:\n"
        f"-# Everybody has {credits(daily)} a day. `/help` says what the buttons do; who manages this server has `/admin` and `/quota`."
    )


def help_page(lines: Sequence[str]) -> str:
    """The answer to `/help`."""
    return page(["**Easel** draws pictures from words.", *lines])


def page(lines: Sequence[str]) -> str:
    """The lines that fit into a message, and how many more there are."""
    shown = len(lines)
    while True:
        more = [f"… and {len(lines) - shown} more"] if shown < len(lines) else []
        if len(text := "\n".join([*lines[:shown], *more])) <= _LONGEST:
            return text
        shown -= 1


def leaf(lines: Sequence[str], number: int) -> str:
    """The page with this number, from 1, of lines that need several messages; the last one beyond the end."""
    sheets: list[list[str]] = [[]]
    for line in lines:
        if len("\n".join([*sheets[-1], line])) > _LONGEST - _FOOT:
            sheets.append([])
        sheets[-1].append(line[: _LONGEST - _FOOT])
    shown = min(number, len(sheets))
    if len(sheets) > 1:
        more = f" `page: {shown + 1}` has more." if shown < len(sheets) else ""
        sheets[shown - 1].append(f"-# Page {shown} of {len(sheets)}.{more}")
    return "\n".join(sheets[shown - 1])
