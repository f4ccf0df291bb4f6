"""What admins read: the answers to `/admin`, and the lines in the log channel."""

from __future__ import annotations

from collections.abc import Sequence

from bot.inert import inert
from bot.pages import page
from bot.seams import Cleared
from bot.texts import credits, relative
from storage.bans import Ban
from storage.changes import EVERYWHERE, Change
from storage.jobs import Job
from storage.pauses import Halt, Pause

UNSET = "not set"


def change(one: Change) -> str:
    """A line in the log channel."""
    return f"<@{one.actor_id}> · **{one.what}**{_scope(one)}: {one.old or UNSET} → {one.new or UNSET}"


def changes(latest: Sequence[Change]) -> str:
    """The answer to `/admin changes`."""
    if not latest:
        return "Nothing has been changed yet. `/quota show` has the changes of credits."
    return page(["**Latest changes**", *(f"- {relative(one.at)} {change(one)}" for one in latest)])


def _scope(one: Change) -> str:
    return " everywhere" if one.guild_id == EVERYWHERE else ""


def log_out_of_reach(channel_id: int) -> str:
    """Beside an answer, where the log channel did not take the line."""
    return f"-# It is recorded, but I can't post in the log channel <#{channel_id}>. Choose one with `/admin log`."


def log_is(channel_id: int | None) -> str:
    """The answer to `/admin log`."""
    if channel_id is None:
        return "Changes are no longer posted. `/admin changes` still shows them."
    return f"Changes are posted in <#{channel_id}> from now on."


def admin_role_is(role_id: int | None) -> str:
    """The answer to `/admin role`."""
    if role_id is None:
        return "Only people with Manage Server are admins of Easel now."
    return (
        f"Members with <@&{role_id}> are admins of Easel now, beside people with Manage Server.\n"
        "-# Discord shows them `/admin` only once you add the role there: Server Settings → Integrations → Easel."
    )


def jobs(count: int) -> str:
    """A number of jobs in words."""
    return "1 job" if count == 1 else f"{count} jobs"


def halt(pause: Pause | None) -> str:
    """A stop, or that there is none, as the record of changes names it."""
    return "going on" if pause is None else f"{pause.halt.value}{_because(pause.reason)}"


def halted(pause: Pause) -> str:
    """The answer to `/admin pause` and `/admin drain`."""
    where = _where(pause.guild_id)
    match pause.halt:
        case Halt.PAUSED:
            return (
                f"Paused {where}: new jobs are taken and wait, and none begins. What is being drawn is finished. "
                "`/admin resume` goes on; a restart does not."
            )
        case Halt.DRAINING:
            return (
                f"Draining {where}: no new jobs are taken, and what waits is drawn. "
                "`/admin resume` takes new ones again; a restart does not."
            )


def resumed(ended: Sequence[Pause], *, left: Sequence[Pause]) -> str:
    """The answer to `/admin resume`; `left` are the stops that still hold here."""
    lines = [f"Drawing goes on {_where(ended[0].guild_id)}." if ended else "There was nothing to resume."]
    lines += [f"-# {stop(one)}" for one in left]
    return "\n".join(lines)


def stop(pause: Pause) -> str:
    """A stop that holds, for those who wonder why nothing happens."""
    what = {
        Halt.PAUSED: "Drawing is paused: jobs wait",
        Halt.DRAINING: "No new jobs are taken: what waits is drawn",
    }[pause.halt]
    return f"{what} {_where(pause.guild_id)}{_because(pause.reason)}."


def cleared(done: Cleared, user_id: int | None) -> str:
    """The answer to `/admin clear`."""
    whose = f" of <@{user_id}>" if user_id else ""
    if not done.jobs:
        return f"No job{whose} is waiting."
    return f"{jobs(done.jobs).capitalize()}{whose} cancelled, {credits(done.credits)} given back."


def line_of(user_id: int | None) -> str:
    """What `/admin clear` changes, in the record."""
    return f"waiting jobs of <@{user_id}>" if user_id else "waiting jobs"


def job_of(job: Job) -> str:
    """What `/admin cancel` changes, in the record."""
    return f"job {job.id} of <@{job.user_id}>"


def cancelled(job: Job, refunded: int) -> str:
    """The answer to `/admin cancel`."""
    back = f" {credits(refunded).capitalize()} went back to its owner." if refunded else ""
    return f"Cancelled **{inert(job.prompt, limit=60)}** of <@{job.user_id}>.{back}"


def ban_of(user_id: int) -> str:
    """What `/admin ban` and `/admin unban` change, in the record."""
    return f"ban of <@{user_id}>"


def banned_for(ban: Ban) -> str:
    """A ban's value in the record."""
    return f"banned{_because(ban.reason)}"


def banned(ban: Ban, stopped: Cleared) -> str:
    """The answer to `/admin ban`."""
    lost = f" {jobs(stopped.jobs).capitalize()} cancelled and refunded." if stopped.jobs else ""
    return (
        f"<@{ban.user_id}> can't ask Easel for pictures {_where(ban.guild_id)} any more.{lost} "
        "`/admin unban` undoes it."
    )


def unbanned(user_id: int, *, lifted: bool, left: Ban | None) -> str:
    """The answer to `/admin unban`; `left` is a ban that still keeps them out here."""
    words = f"<@{user_id}> may use Easel again." if lifted else f"<@{user_id}> was not banned."
    if left is None:
        return words
    lead = "That ban is lifted" if lifted else "Nothing is lifted"
    return f"{lead}, but <@{user_id}> is still banned {_where(left.guild_id)}{_because(left.reason)}."


def announcement(text: str) -> str:
    """What everybody reads. Pings are off for all of our messages."""
    return f"📣 {text}"


def announced(reached: Sequence[int], missed: Sequence[int]) -> str:
    """The answer to `/admin announce`."""
    lines = [f"Posted in {_channels(reached)}."] if reached else []
    lines += [f"I can't post in {_channels(missed)}."] if missed else []
    return page(lines)


def announced_where(text: str, channels: int) -> str:
    """An announcement's value in the record."""
    return f"“{inert(text, limit=100)}” in {channels} channel{'' if channels == 1 else 's'}"


def _channels(ids: Sequence[int]) -> str:
    return ", ".join(f"<#{one}>" for one in ids[:30]) + (
        f" and {len(ids) - 30} more" if len(ids) > 30 else ""
    )


def _where(guild_id: int) -> str:
    return "everywhere" if guild_id == EVERYWHERE else "in this server"


def _because(reason: str) -> str:
    return f" ({inert(reason)})" if reason else ""
