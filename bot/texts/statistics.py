"""What was drawn, in the words of `/admin stats`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.texts.charts import label
from bot.texts.common import duration, job_count, person
from bot.texts.escaping import inert
from bot.texts.member import page
from storage.jobs.statistics import Share, Statistics

_ALT = 1024
"""Characters in a picture's description on Discord."""


def words(found: Statistics, names: Mapping[str, str], *, everywhere: bool) -> str:
    """The words beside the chart of `/admin stats`; `names` are the models' by key."""
    spans = found.spans
    total = sum(one.jobs for one in spans)
    ended = (
        sum(one.done for one in spans),
        sum(one.failed for one in spans),
        sum(one.cancelled for one in spans),
    )
    lines = [
        f"**Since {spans[0].start:%d %B %Y}**{' in all servers' if everywhere else ''} (days are UTC)",
        f"{job_count(total).capitalize()}: {ended[0]} done, {ended[1]} failed, {ended[2]} cancelled. "
        f"Drawing took {duration(sum(one.seconds for one in spans))}.",
    ]
    if found.people:
        lines.append("**Busiest people** " + " · ".join(_share(person(int(one.who)), one) for one in found.people))
        lines.append(
            "**Models** " + " · ".join(_share(inert(names.get(one.who, one.who)), one) for one in found.models)
        )
    return page(lines)


def _share(name: str, one: Share) -> str:
    return f"{name} {job_count(one.jobs)}, {duration(one.seconds)}"


def alt(found: Statistics, *, days: int) -> str:
    """The chart's numbers for people who can't see it, in Discord's 1,024 characters."""
    head = (
        f"Chart. For each {'day' if days == 1 else f'{days} days'}: jobs done/failed/cancelled, drawing in minutes, "
        "median wait in seconds. "
    )
    spans = [
        f"{label(one)}: {one.done}/{one.failed}/{one.cancelled}, {one.seconds / 60:.1f}, "
        f"{'-' if one.wait is None else f'{one.wait:.0f}'}"
        for one in found.spans
        if one.jobs
    ]
    models = [f"{one.who} {one.jobs}/{one.seconds / 60:.1f}" for one in found.models]
    tail = f". Models, jobs/minutes: {', '.join(models)}" if models else "No jobs"
    text = head + "; ".join(spans) + tail
    while len(text) > _ALT and spans:
        spans.pop(0)
        text = head + "earlier ones are in the picture; " + "; ".join(spans) + tail
    return text[:_ALT]
