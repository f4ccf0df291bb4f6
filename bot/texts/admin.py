"""What admins read: the answers to `/admin`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.texts.common import credits, job_count, person, relative
from bot.texts.escaping import inert
from bot.texts.findings import Finding, Level
from bot.texts.member import leaf, page
from storage.guilds.bans import Ban
from storage.guilds.changes import EVERYWHERE
from storage.guilds.pauses import Halt, Pause
from storage.guilds.permissions import EVERYONE, Limit, Rules
from storage.guilds.settings import GuildSettings
from storage.jobs.job import Job

LIMITS = {
    Limit.SIZE: "size: pixels of a picture's longer side",
    Limit.PICTURES: "pictures: of one job",
    Limit.WAITING: "waiting: jobs of one person in line",
    Limit.RUNNING: "running: jobs of one person drawn at once",
    Limit.COOLDOWN: "cooldown: seconds between two jobs of one person",
}
_UNITS = {
    Limit.SIZE: "pixel{s} on the longer side",
    Limit.PICTURES: "picture{s} in a job",
    Limit.WAITING: "job{s} waiting",
    Limit.RUNNING: "job{s} being drawn at once",
    Limit.COOLDOWN: "second{s} between two jobs",
}
"""What follows the amount of each limit."""


def admin_role_is(role_id: int | None) -> str:
    """The answer to `/admin role`."""
    if role_id is None:
        return "Only people with Manage Server are admins of Easel now."
    return (
        f"Members with <@&{role_id}> are admins of Easel now, beside people with Manage Server.\n"
        "-# Discord shows them `/admin` only once you add the role there: Server Settings → Integrations → Easel."
    )


def halt(pause: Pause | None) -> str:
    """A stop, or that there is none, as the log of changes names it."""
    return "going on" if pause is None else f"{pause.halt.value}{_because(pause.reason)}"


def halted(pause: Pause) -> str:
    """The answer to `/admin queue pause` and `/admin queue drain`."""
    where, more = _where(pause.guild_id), _option(pause.guild_id)
    match pause.halt:
        case Halt.PAUSED:
            return (
                f"Paused {where}: new jobs are taken and wait, and none begins. What is being drawn is finished. "
                f"`/admin queue resume{more}` goes on; a restart does not."
            )
        case Halt.DRAINING:
            return (
                f"Draining {where}: no new jobs are taken, and what waits is drawn. "
                f"`/admin queue resume{more}` takes new ones again; a restart does not."
            )


def resumed(ended: Sequence[Pause], *, left: Sequence[Pause]) -> str:
    """The answer to `/admin queue resume`; `left` are the stops that still hold here."""
    lines = [f"Drawing goes on {_where(ended[0].guild_id)}." if ended else "There was nothing to resume."]
    lines += [f"-# {stop(one)}" for one in left]
    return "\n".join(lines)


def stop(pause: Pause) -> str:
    """A stop in force, for people who wait."""
    what = {
        Halt.PAUSED: "Drawing is paused: jobs wait",
        Halt.DRAINING: "No new jobs are taken: what waits is drawn",
    }[pause.halt]
    return f"{what} {_where(pause.guild_id)}{_because(pause.reason)}."


def cleared(jobs: int, credits_back: int, user_id: int | None, *, guild_id: int) -> str:
    """The answer to `/admin queue clear`."""
    whose = f" of <@{user_id}>" if user_id else ""
    where = " in all servers" if guild_id == EVERYWHERE else ""
    if not jobs:
        return f"No job{whose} is waiting{where}."
    return f"{job_count(jobs).capitalize()}{whose}{where} cancelled, {credits(credits_back)} given back."


def cancelled(job: Job, refunded: int) -> str:
    """The answer to `/admin queue cancel`."""
    back = f" {credits(refunded).capitalize()} went back to its owner." if refunded else ""
    return f"Cancelled **{inert(job.prompt, limit=60)}** of <@{job.user_id}>.{back}"


def banned_for(ban: Ban) -> str:
    """A ban's value in the record."""
    return f"banned{_because(ban.reason)}"


def banned(ban: Ban, stopped: int) -> str:
    """The answer to `/admin member ban`."""
    lost = f" {job_count(stopped).capitalize()} cancelled and refunded." if stopped else ""
    where = "in any server" if ban.guild_id == EVERYWHERE else "in this server"
    return (
        f"<@{ban.user_id}> can't ask Easel for pictures {where} any more.{lost} "
        f"`/admin member unban{_option(ban.guild_id)}` undoes it."
    )


def unbanned(user_id: int, *, lifted: bool) -> str:
    """The answer to `/admin member unban`; it says nothing of a ban by the host."""
    if lifted:
        return f"<@{user_id}> may use Easel again, as far as this server is concerned."
    return f"<@{user_id}> was not banned in this server."


def unbanned_by_host(user_id: int, *, lifted: bool, left: Ban | None) -> str:
    """The same for those who run the bot; `left` is a ban that still keeps them out here."""
    words = f"<@{user_id}> may use Easel again." if lifted else f"<@{user_id}> was not banned."
    if left is None:
        return words
    lead = "That ban is lifted" if lifted else "There was no such ban to lift"
    return (
        f"{lead}, but <@{user_id}> is still banned {_where(left.guild_id)}{_because(left.reason)}: "
        f"`/admin member unban{_option(left.guild_id)}` undoes that."
    )


def _channels(ids: Sequence[int]) -> str:
    more = f" and {len(ids) - 30} more" if len(ids) > 30 else ""
    return ", ".join(f"<#{one}>" for one in ids[:30]) + more


def _option(guild_id: int) -> str:
    """What to add to a command so that it means all servers."""
    return " everywhere: True" if guild_id == EVERYWHERE else ""


def _where(guild_id: int) -> str:
    return "everywhere" if guild_id == EVERYWHERE else "in this server"


def _because(reason: str) -> str:
    return f" ({inert(reason)})" if reason else ""


def channels(ids: Collection[int] | None) -> str:
    """The open channels, as the log of changes names them."""
    if ids is None:
        return "all"
    return _channels(sorted(ids)) if ids else "none"


def channels_are(ids: Collection[int] | None) -> str:
    """The answer to `/admin rules channel`."""
    if ids is None:
        return "Jobs are taken in all channels."
    if not ids:
        return (
            "That was the last channel on the list: jobs are taken in no channel from now on. "
            "`/admin rules channel` without a channel opens all of them again."
        )
    return f"Jobs are taken in {channels(ids)} and nowhere else from now on."


def channel_not_listed(channel_id: int, ids: Collection[int] | None) -> str:
    """The refusal to close a channel that is not on the list."""
    if ids is not None:
        return f"<#{channel_id}> is not on the list. Jobs are taken in {channels(ids)} and what belongs there only."
    return (
        f"Jobs are taken in all channels. To close <#{channel_id}>, name the channels or categories that stay open, each "
        "with `/admin rules channel channel:`; all others are closed then."
    )


def role_not_listed(what: str, role_id: int, ids: Collection[int] | None) -> str:
    """The refusal to take something from a role that was not given it."""
    if ids is not None:
        return f"`{what}` is for {roles(ids)} only, and not for <@&{role_id}>."
    return (
        f"`{what}` is for everyone. To keep it from members with <@&{role_id}>, name the roles that may; "
        "all others may not then."
    )


def roles(ids: Collection[int] | None) -> str:
    """For whom something is, as the log of changes names them."""
    if ids is None:
        return "everyone"
    return ", ".join(f"<@&{one}>" for one in sorted(ids)) if ids else "nobody"


def kept_for(what: str, ids: Collection[int] | None) -> str:
    """The answer to `/admin rules action` and `/admin rules model`."""
    words = f"`{what}` is for {roles(ids)} from now on."
    if ids is not None and not ids:
        words += " That was the last role; the same command without a role gives it to everyone again."
    return words


def limit_of(limit: Limit, role_id: int) -> str:
    """What `/admin rules limit` changes, in the record."""
    return f"{limit.value} limit of {_role(role_id)}"


def limit_is(limit: Limit, role_id: int, amount: int | None) -> str:
    """The answer to `/admin rules limit`."""
    if amount is None:
        return f"No limit of {limit.value} is set for {_role(role_id)} any more."
    least = "at least" if limit is Limit.COOLDOWN else "at most"
    return f"{_role(role_id).capitalize()}: {least} {_amount(limit, amount)} from now on."


def _amount(limit: Limit, amount: int) -> str:
    return f"{amount} {_UNITS[limit].format(s='' if amount == 1 else 's')}"


def limit_range(limit: Limit, least: int, most: int) -> str:
    """The refusal of an amount out of range."""
    return f"{LIMITS[limit].capitalize()}, from {least} to {most}."


def priority_is(role_id: int, weight: float) -> str:
    """The answer to `/admin rules priority`."""
    return (
        f"Jobs of <@&{role_id}> get {weight:g} times the usual share from now on, when people wait for each other.\n"
        "-# This holds among the members of this server; it takes nothing from other servers."
    )


def default_model_is(name: str) -> str:
    """The answer to `/admin rules default-model`."""
    return f"{name} draws from now on when nobody names a model."


def rules(
    server: GuildSettings,
    set_: Rules,
    weights: Mapping[int, float],
    stops: Sequence[Pause],
    bans: Sequence[Ban],
    *,
    words: int,
    number: int,
) -> str:
    """A page of the answer to `/admin rules show`; `words` is the number of word rules."""
    lines = [
        *(f"⏸️ {stop(one)}" for one in stops),
        f"**Channels**: {channels(set_.channels)}",
        f"**Default model**: {server.default_model or 'the host’s'}",
        f"**Admin role**: {f'<@&{server.admin_role_id}>' if server.admin_role_id else 'none'}",
        f"**Log channel**: {_channel(server.log_channel_id)}",
        f"**Moderators' channel**: {_channel(server.moderators_channel_id)}",
        f"**After a refusal**: {inert(server.appeal) if server.appeal else 'the usual words'}",
        f"**Word rules**: {f'{words}, see `/admin words list`' if words else 'none'}",
    ]
    for (kind, name), ids in sorted(set_.roles.items()):
        lines.append(f"**{kind.value.capitalize()}** `{name}`: {roles(ids)}")
    for limit in Limit:
        for role_id, amount in sorted(set_.limits.get(limit, {}).items()):
            lines.append(f"**{limit.value.capitalize()}** of {_role(role_id)}: {_amount(limit, amount)}")
    lines += [f"**Priority** of <@&{role_id}>: {weight:g}" for role_id, weight in weights.items()]
    if bans:
        lines.append(f"**Banned** ({len(bans)})")
        lines += [f"- {person(one.user_id)} {relative(one.at)}{_because(one.reason)}" for one in bans]
    return leaf(lines, number)


def _channel(channel_id: int | None) -> str:
    return f"<#{channel_id}>" if channel_id else "none"


def _role(role_id: int) -> str:
    return "everyone" if role_id == EVERYONE else f"<@&{role_id}>"


_SIGNS = {Level.OK: "✅", Level.NOTE: "⚠️", Level.BROKEN: "❌"}


def doctor(findings: Sequence[Finding]) -> str:
    """The answer to `/admin doctor`."""
    return page([f"{_SIGNS[one.level]} {one.what}" + (f"\n-# {one.advice}" if one.advice else "") for one in findings])
