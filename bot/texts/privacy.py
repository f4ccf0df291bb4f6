"""What `/privacy` answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.settings.settings import Settings
from bot.texts.common import relative

CONFIRM = """\
**Delete everything that Easel keeps of you, in all servers?** This can't be undone.
- Your waiting and running jobs are cancelled.
- Your prompts, jobs and pictures go, and with them what others drew from your pictures with your words.
- Your name goes from the ledger, where the amounts stay for the servers' totals. Bonus credits are lost.
- The buttons under your pictures stop working. The messages themselves stay in their channels, unless you have them \
deleted too, which can take some minutes. What others saved or posted is out of our reach.
- So that deleting brings no new credits, what you have spent of the current day, week or month is kept until that is \
over, under a code in place of your name; so are bans, timeouts, an allowance of your own, and which gifts you took, \
until you come back.
`/privacy export` sends you a copy first."""
DELETE = "Delete"
DELETE_WITH_POSTS = "Delete, with Easel's messages"
KEEP = "Keep everything"
KEPT = "Nothing was deleted."
DELETING = "Deleting. This can take some minutes; it goes on by itself, even if Easel is restarted."
DELETED = "Done: nothing of you is left here. If you use Easel again, you start anew."
DELETED_BUT = """\
Your data is deleted, and if you use Easel again, you start anew. Pieces of it may stay in the database's file until \
it is rewritten, which is done for many people together: {} at the latest. Then nothing of you is left here."""
NO_SUCH_PART = "There is no part {}: parts of your export go up to {}."


def deleted(rest_until: datetime | None) -> str:
    """What is said once a person is erased; `rest_until` is when the last pieces leave the database's file."""
    if rest_until is None:
        return DELETED
    return DELETED_BUT.format(relative(rest_until))


def show(counts: Mapping[str, int], megabytes: float, settings: Settings) -> str:
    """What is kept of a person, and for how long."""

    def entries(*tables: str) -> str:
        return _count(sum(counts.get(table, 0) for table in tables), "entry", "entries")

    return "\n".join(
        [
            "**What Easel keeps of you, in all servers together**",
            f"- {_count(counts['jobs'], 'job')} with prompt, settings, channel and times: {_time(_prompts(settings))}",
            f"- {_count(counts['images'], 'picture')}, {megabytes:.1f} MB: {_time(_pictures(settings))}",
            f"- {entries('ledger', 'gifts_taken')} about your credits, and when you were first and last here: "
            f"{_time(settings.keep_credits_days)}; what you have left stays yours",
            f"- {entries('changes')} about what you did as an admin, or admins for you: "
            f"{_time(settings.keep_changes_days)}",
            f"- {entries('refusals', 'timeouts', 'reports', 'cases')} about what you were refused, and what was reported: "
            f"{_time(settings.keep_moderation_days)}, an open report as long as its job",
            f"- {entries('bans', 'allowances', 'pauses')} about what holds now, such as a ban: as long as it holds",
            "Your name, your messages and your direct messages are not kept. Results stand in their channel for all who can "
            "read it, and the host of this bot can read what is kept. It is sent to nobody else.",
            "`/privacy export` sends you all of it, `/privacy delete` deletes it.",
        ]
    )


def _prompts(settings: Settings) -> int:
    return settings.keep_prompts_days


def _pictures(settings: Settings) -> int:
    """Pictures go with their job at the latest, as their files carry the prompt."""
    days = [days for days in (settings.keep_pictures_days, settings.keep_prompts_days) if days]
    return min(days, default=0)


def _time(days: int) -> str:
    return f"kept for {_count(days, 'day')}" if days else "kept until you delete it"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def part(number: int, *, of: int, last: int) -> str:
    """The words with each ZIP of an export; `last` is the last part that is sent now."""
    if of == 1:
        return "Everything that Easel keeps of you."
    words = f"Part {number} of {of} of everything that Easel keeps of you."
    if number == last < of:
        words += f" Discord takes no more at once: `/privacy export part:{last + 1}` sends the following ones."
    return words
