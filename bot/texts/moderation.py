"""What people read about moderation: word rules for admins, reports and withheld pictures for moderators."""

from __future__ import annotations

from collections.abc import Sequence

from bot.texts.common import APPEAL, person, pictures
from bot.texts.escaping import inert
from bot.texts.member import leaf
from storage.guilds.word_rules import WordKind, WordRule
from storage.jobs.job import Job
from storage.moderation.cases import Kind, Verdict

DECIDED_BEFORE = "Somebody else has decided on this already."
REPORT, REPORTERS = "Report", "Who reported?"
"""The labels of the buttons that report a picture, and that name to moderators who did."""
_SURE = (
    "Do you want to report {} to its server's moderators? They can see who reported it, and other members can't. A 🚩 that "
    "you left as a reaction is seen by everyone: take it away again if nobody is to know."
)
REPORT_TITLE, WHY = "Report this picture", "Why? (may be left empty)"
WHO_READS = "The moderators read this, and can see who reported. Other members can't."
"""What the form under 🚩 says."""
_SHIELD = "🛡️"
VERDICTS = {
    (Kind.REPORT, Verdict.REMOVED): "removed",
    (Kind.REPORT, Verdict.KEPT): "kept",
    (Kind.CHECK, Verdict.REMOVED): "refused",
    (Kind.CHECK, Verdict.KEPT): "approved",
}
_STILL_THERE = (
    "**Not removed yet**: Discord does not let me delete {} with this picture. Delete by hand what is below, or let me "
    "see that channel (and manage threads, if it is a locked thread); then press Remove picture again."
)
_FORGOTTEN = "🚩 A picture was reported whose data is deleted by now. Delete by hand what still shows it:"
_LINKS = 5
"""Messages to which a case links."""
_REASONS = 5
"""Reasons that a case shows, if they fit."""
_LONGEST = 2000
"""Characters of a message. Discord refuses more."""
_REPORTERS = 50
"""People who are named at once."""
_ABREAST = 8
"""Word rules in a line."""


def word_rules(rules: Sequence[WordRule], *, number: int) -> str:
    """A page of a server's word rules, for its admins."""
    lines = []
    for kind, title in (
        (WordKind.BLOCK, "Blocked"),
        (WordKind.ALLOW, "Allowed, though a blocked word is in it"),
    ):
        patterns = [f"`{rule.pattern}`" for rule in rules if rule.kind is kind]
        lines.append(f"**{title}**: {'none' if not patterns else ''}")
        lines += [", ".join(patterns[n : n + _ABREAST]) for n in range(0, len(patterns), _ABREAST)]
    return leaf(lines, number)


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
    """The answer to `/admin member pardon`."""
    return f"<@{user_id}> can use Easel again, and earlier refusals are forgotten."


def moderators_are(channel_id: int | None, *, public: bool) -> str:
    """The answer to `/admin moderators`; `public` says that everyone can read the channel."""
    if channel_id is None:
        return "Pictures can't be reported any more."
    seen = " Everyone can read it, and sees which pictures were reported." if public else ""
    return (
        f"Reported pictures go to <#{channel_id}> from now on.{seen} Who may manage messages there decides on them, and can "
        "see who reported."
    )


def sure(guild_id: int, channel_id: int, message_id: int) -> str:
    """What is asked before 🚩 reports the picture in this message."""
    return _SURE.format(f"[this picture]({link(guild_id, channel_id, message_id)})")


def report_taken(*, kept: bool) -> str:
    """What the person reads who reported a picture."""
    if kept:
        return "Thank you. The moderators have looked at this picture before, and kept it."
    return "Thank you. The moderators have it now. They can see who reported it, and other members can't."


def reported_by(reporters: Sequence[int]) -> str:
    """Who reported a job, for a moderator alone."""
    named = ", ".join(person(one) for one in reporters[:_REPORTERS])
    more = f" and {len(reporters) - _REPORTERS} more" if len(reporters) > _REPORTERS else ""
    if not named:
        return "Nobody's name is kept any more."
    return f"Reported by {named}{more}. Other members can't see this."


def case(
    job: Job,
    *,
    said: Sequence[str],
    verdict: Verdict | None = None,
    judge_id: int = 0,
    left: Sequence[int] = (),
    grown: Sequence[Job] = (),
) -> str:
    """A case in the moderators' channel, with what each report said, and what was decided. It doesn't say who reported.

    `left` are messages that could not be deleted, `grown` the jobs that were made from a removed picture.
    """
    by = "1 person" if len(said) == 1 else f"{len(said)} people"
    lines = [f"🚩 **{inert(job.prompt)}** - <@{job.user_id}>", f"Reported by {by}"]
    if verdict is not Verdict.REMOVED and job.result_message_id and not left:
        lines.append(_link(job, job.result_message_id))
    if verdict is not None:
        lines.append(f"**{verdict.capitalize()}** by {person(judge_id)}")
    if left:
        lines += [_STILL_THERE.format(_messages(len(left))), *_links([_link(job, one) for one in left])]
    if grown:
        links = [_link(one, one.result_message_id) for one in grown if one.result_message_id]
        lines += ["Made from it, and still there:", *_links(links)]
    lines.append(f"-# job `{job.id}`")
    if verdict is None:  # the records of a decided case are kept for less long than its message
        lines[2:2] = _reasons(said, room=_LONGEST - len("\n".join(lines)))
    return "\n".join(lines)


def _reasons(said: Sequence[str], *, room: int) -> list[str]:
    """The earliest reasons that fit into `room` characters. Escaped, a reason may be twice as long as it was typed."""
    shown: list[str] = []
    for line in [reason_line(one) for one in said if one][:_REASONS]:
        room -= len(line) + 1
        if room >= 0:
            shown.append(line)
    return shown


def reason_line(reason: str) -> str:
    """What somebody said who reported a picture, as a case shows it."""
    return f"> {inert(reason)}"


def case_of(job: Job, kind: Kind) -> str:
    """A case as the log of changes names it."""
    what = "reported picture" if kind is Kind.REPORT else "withheld picture"
    return f"{what} of {person(job.user_id)}, job `{job.id}`"


def forgotten(links: Sequence[str]) -> str:
    """What an open report becomes when its job is forgotten: links to the messages that show the picture."""
    return "\n".join([_FORGOTTEN, *_links(links)])


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def link(guild_id: int, channel_id: int, message_id: int) -> str:
    """The link to a message."""
    return f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}"


def _link(job: Job, message_id: int) -> str:
    return link(job.guild_id, job.channel_id, message_id)


def _links(links: Sequence[str]) -> list[str]:
    return [*links[:_LINKS], *([f"and {len(links) - _LINKS} more"] if len(links) > _LINKS else [])]


def withheld_case(
    job: Job, numbers: Sequence[int], *, shown: bool = True, verdict: Verdict | None = None, judge_id: int = 0
) -> str:
    """Pictures that the safety check withheld, in the moderators' channel, and what became of them.

    Without `numbers`, they were deleted before anybody decided. `shown` says whether they are in the message.
    """
    what = "it" if len(numbers) == 1 else "them"
    withheld = f"The safety check withheld {pictures(numbers) if numbers else ''} of {job.images}."
    gone = "What the safety check withheld of this is no longer kept."
    lines = [f"{_SHIELD} **{inert(job.prompt)}** - <@{job.user_id}>", withheld if numbers else gone]
    if job.result_message_id:
        lines.append(_link(job, job.result_message_id))
    if numbers and verdict is None:
        if not shown:
            lines.append(f"Make this channel age-restricted and press **Show** to see {what}.")
        approve = f"**Approve** posts {what} for the person who asked, at no charge. " if shown else ""
        lines.append(f"{approve}**Refuse** deletes {what}.")
    elif verdict is not None:
        lines.append(f"**{VERDICTS[Kind.CHECK, verdict].capitalize()}** by {person(judge_id)}")
    return "\n".join([*lines, f"-# job `{job.id}`"])
