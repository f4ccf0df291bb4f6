"""What people read about moderation: word rules for admins, reports for moderators."""

from __future__ import annotations

from collections.abc import Sequence

from bot.inert import inert
from bot.pages import page
from bot.texts import APPEAL, person
from storage.jobs import Job
from storage.reports import Verdict
from storage.words import WordKind, WordRule

DECIDED_BEFORE = "Somebody else has decided on this already."
_REPORTERS = 10
"""People named in a case."""
_ABREAST = 8
"""Word rules in a line."""


def word_rules(rules: Sequence[WordRule]) -> str:
    """A server's word rules, for its admins."""
    lines = []
    for kind, title in (
        (WordKind.BLOCK, "Blocked"),
        (WordKind.ALLOW, "Allowed, though a blocked word is in it"),
    ):
        patterns = [f"`{rule.pattern}`" for rule in rules if rule.kind is kind]
        lines.append(f"**{title}**: {'none' if not patterns else ''}")
        lines += [", ".join(patterns[n : n + _ABREAST]) for n in range(0, len(patterns), _ABREAST)]
    return page(lines)


def word_rule_set(rule: WordRule) -> str:
    """The answer to `/admin words block` and `allow`."""
    if rule.kind is WordKind.BLOCK:
        return f"Texts with `{rule.pattern}` are refused from now on."
    return f"`{rule.pattern}` passes from now on, though a blocked word is in it."


def word_rule_removed(pattern: str) -> str:
    """The answer to `/admin words remove`."""
    return f"The rule `{pattern}` is gone."


def appeal_is(text: str | None) -> str:
    """The answer to `/admin appeal`."""
    return f"After a refusal, people read: {text or APPEAL}"


def pardoned(user_id: int) -> str:
    """The answer to `/admin pardon`."""
    return f"<@{user_id}> can use Easel again, and earlier refusals are forgotten."


def moderators_are(channel_id: int | None) -> str:
    """The answer to `/admin moderators`."""
    if channel_id is None:
        return "Pictures can't be reported any more."
    return (
        f"Reported pictures go to <#{channel_id}> from now on. Who may manage messages there decides on them."
    )


def report_taken(*, kept: bool) -> str:
    """What the person reads who reported a picture."""
    if kept:
        return "Thank you. The moderators have looked at this picture before, and kept it."
    return "Thank you. The moderators have it now; nobody else sees who reported it."


def case(job: Job, reporters: Sequence[int], *, verdict: Verdict | None = None, judge_id: int = 0) -> str:
    """A report in the moderators' channel, and what they decided."""
    more = f" and {len(reporters) - _REPORTERS} more" if len(reporters) > _REPORTERS else ""
    by = ", ".join(person(one) for one in reporters[:_REPORTERS]) + more
    lines = [f"🚩 **{inert(job.prompt)}** - <@{job.user_id}>", f"Reported by {by}"]
    if verdict is not Verdict.REMOVED and job.result_message_id:
        lines.append(f"https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.result_message_id}")
    if verdict is not None:
        lines.append(f"**{verdict.capitalize()}** by {person(judge_id)}")
    return "\n".join([*lines, f"-# job `{job.id}`"])
