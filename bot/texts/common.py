"""Every sentence that a person reads: what happened, whether it cost anything, and what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime

import discord

from bot import errors
from bot.texts.escaping import copyable, inert
from generation.contract import FailureReason
from storage.credits.calendar import Rate

UNCHARGED = "Nothing was charged."
_MESSAGE, _BLOCK = 2000, 1900
"""Characters of a message on Discord, and of a text that fits into one as a block to copy."""
_WRONG_LINES = 8
"""Lines of a file, or flaws of a prompt, that are told: each takes up to 200 characters of a message."""
PAUSED = "Drawing is paused at present: your job keeps its place and is drawn when it goes on."
_LISTED = 20
COMMAND_OUT_OF_DATE = "This command has just changed. Reload Discord (Ctrl+R) and try again. " + UNCHARGED
LET_PASS = "The moderators let this picture pass."
LETTER_BACK = (
    "Your privacy settings keep my direct messages out, so I can't tell you here what became of that. "
    "Allow them for this server, or use a button or command: only you read their answers."
)
APPEAL = "If you think that this is a mistake, tell an admin of this server."
BAD_OPTION = "One of the command's options can't be used. Pick it again from the list. " + UNCHARGED
UNEXPECTED = (
    "Something went wrong on our side. `/info` shows what was accepted and what you have left. "
    "If it keeps happening, tell the host this reference: `{}`."
)
DISCORD_FAILED = (
    "Discord did not answer as it should, so this may have been done in part. `/info` shows what was accepted and "
    "what you have left. Try again in a minute."
)
HOST_DISK_FULL = (
    "The disk of this bot's host is full, so nothing new can be kept. "
    + UNCHARGED
    + " Try again once the host has made room."
)
MAKE_ROOM = "Make room on the disk of {}, or set EASEL_DATA to a folder on another disk. Easel then goes on by itself."
DISK_FULL_LETTER = (
    "The disk that Easel keeps its data on is full: no new pictures can be kept until you make room. "
    "Easel's log names the folder. Finished pictures wait meanwhile, and nothing is lost."
)


def sentence(error: errors.Refusal) -> str:
    """What to tell the person whose wish was refused."""
    match error:
        case errors.BadPrompt():
            return _bad_prompt(error)
        case errors.BadAmount() | errors.BadRule() | errors.NotOnTheList():
            return error.reason
        case errors.UnknownModel():
            known = ", ".join(f"`{name}`" for name in error.known)
            return f"There is no model `{inert(error.name, limit=40)}` here. There are: {known}."
        case errors.ModelUnavailable():
            others = " Try " + " or ".join(f"`{name}`" for name in error.others) + "." if error.others else ""
            return f"The model {error.name} can't be used on this host at present. {UNCHARGED}{others}"
        case errors.OverQuota():
            more = f" More come {relative(error.resets_at)}." if error.rate.credits else ""
            return (
                f"That costs {credits(error.price)}, and you have {error.left} left "
                f"(a {error.rate.period} brings {error.rate.credits}).{more} An admin can raise your quota with `/quota`. {UNCHARGED}"
            )
        case errors.OverCeiling():
            who = "this server as a whole" if error.whose == "server" else "all servers of this bot together"
            return (
                f"That costs {credits(error.price)}, and {who} may spend {error.left} more at present. "
                f"More come {relative(error.resets_at)}. {UNCHARGED}"
            )
        case errors.QueueFull():
            return (
                f"You already have {job_count(error.limit)} waiting, which is the most at once here. "
                f"Wait for one, or cancel one with `/cancel`. {UNCHARGED}"
            )
        case errors.BadPicture():
            return f"I can't read that file: {error.reason}. Send a PNG, JPEG or WebP picture."
        case errors.JobGone():
            return "That picture is no longer kept here. " + UNCHARGED + " You can `/imagine` the prompt again."
        case errors.NotReady():
            return f"That is still being drawn. Try again when the pictures are here. {UNCHARGED}"
        case errors.ButtonOutOfDate():
            return "This button is from an earlier version and no longer works. Use `/imagine` to start anew."
        case errors.NotYours():
            return "Only the person who asked for it, or a moderator, can do that."
        case errors.NotAdmin():
            return (
                "Only people with the Manage Server permission, or the role that it chose for its admins, can do that."
            )
        case errors.Banned():
            where = "Easel" if error.everywhere else "Easel in this server"
            return f"You may not use {where}{_because(error.reason)}. {UNCHARGED}"
        case errors.NoNewJobs():
            where = "Easel takes no new jobs" if error.everywhere else "Easel takes no new jobs in this server"
            return f"{where} for now{_because(error.reason)}. What waits is still drawn. {UNCHARGED}"
        case errors.ClosedChannel():
            if not error.channel_ids:
                return f"The admins have closed Easel in all channels here. {UNCHARGED}"
            return f"Easel draws in these channels here: {_listed('#', error.channel_ids)}. {UNCHARGED}"
        case errors.KeptForRoles():
            return f"`{inert(error.what, limit=40)}` is kept for {_listed('@&', error.role_ids) or 'nobody'} here. {UNCHARGED}"
        case errors.OverLimit():
            unit = "pixels on the longer side" if error.limit == "size" else "pictures at once (`--count`)"
            others = f" {error.wanted} are for {_listed('@&', error.roles)}." if error.roles else ""
            return f"You may ask for up to {error.most} {unit} here.{others} {UNCHARGED}"
        case errors.TooSoon():
            return f"One moment: your next job here can start {relative(error.again_at)}. {UNCHARGED}"
        case errors.NotHost():
            return "Only those who run the whole bot can do that everywhere. In this server you can: leave out `everywhere`."
        case errors.NothingToCancel():
            return "You have no such job waiting or running. `/queue` shows what there is."
        case errors.BotLacksPermission():
            missing = ", ".join(f"**{name}**" for name in error.missing)
            return f"I can't post pictures in this channel: I lack {missing}. An admin can grant it. {UNCHARGED}"
        case errors.DirectMessagesClosed():
            return (
                "I can't send you direct messages. Allow them for this server in its privacy settings, then try again."
            )
        case errors.ServerOnly():
            return "Easel works in servers. Add it to one and use the command there."
        case errors.WordRefused():
            rest = f" It was one of several: you can go on {relative(error.until)}." if error.until else ""
            return f"Easel can't use “{inert(error.word, limit=60)}” here. {UNCHARGED}{rest} {error.appeal or APPEAL}"
        case errors.PriceChanged():
            return f"The price has changed: that costs {credits(error.price)} now. Press again to go on. {UNCHARGED}"
        case errors.BadLink():
            return "That is no link to a picture of mine in this server. Open the picture's menu and choose Copy Message Link."
        case errors.FormTooSlow():
            return "I was too slow to open the form. Press the button again. Nothing was charged."
        case errors.NothingKept():
            return "Nothing is kept of this picture any more, so it can't be reported. Ask a moderator to delete its message."
        case errors.NoModerators():
            return "No channel takes reports here. Tell an admin, who can choose one with `/admin moderators`."
        case errors.AlreadyReported():
            return "You have reported this before; the moderators have it."
        case errors.TooManyReports():
            return (
                f"You have reported many pictures lately, and the moderators have them. You can report more "
                f"{relative(error.again_at)}; if it can't wait, tell a moderator."
            )
        case errors.NotModerator():
            return "Only people who may manage messages in this channel can see to reports."
        case errors.PublicChannel():
            return (
                f"Everyone can read <#{error.channel_id}>. They would see each picture that was reported, its prompt and who "
                "asked for it. Nothing was changed. Choose a channel that only moderators see. If you do mean this one, give "
                "the command again with `even_if_public: True`."
            )
        case errors.AdultOnly():
            what = f"{error.model} and its pictures" if error.model else "These pictures"
            return f"{what} are for age-restricted channels only, not for direct messages. {UNCHARGED}"
        case errors.PictureWithheld():
            return (
                f"The safety check withheld this picture, so nothing can be done with it. {UNCHARGED} "
                f"{error.appeal or APPEAL}"
            )
        case errors.TimedOut():
            return (
                f"Several of your requests could not be used: you can go on {relative(error.until)}. "
                f"{UNCHARGED} {error.appeal or APPEAL}"
            )
        case errors.UnknownZone():
            return f"There is no time zone `{inert(error.name, limit=40)}`. Pick one from the list, like Europe/Berlin."
        case errors.BadSheet():
            shown = "\n".join(f"- {inert(line, limit=200)}" for line in error.lines[:_WRONG_LINES])
            more = f"\n… and {len(error.lines) - _WRONG_LINES} more" if len(error.lines) > _WRONG_LINES else ""
            return f"The file can't be imported:\n{shown}{more}\nNothing was changed. Correct it and import it again."
        case errors.ServerNotAllowed():
            return (
                "Whoever runs this bot lets it work in chosen servers only, and this one is not among them. "
                f"Ask them to add the server's id, `{error.guild_id}`. {UNCHARGED}"
            )
        case errors.OverGrants():
            return (
                f"That gives out {credits(error.wanted)}. Whoever runs this bot lets this server's admins give out "
                f"{credits(error.most)} a month, and {error.left:,} are left until "
                f"{discord.utils.format_dt(error.resets_at, 'D')}. Nothing was given or changed."
            )
        case errors.OverDefault():
            return (
                f"Whoever runs this bot lets no quota here be more than {credits(error.daily)}, whether for a day, a week "
                "or a month. Nothing was changed. Bonus credits can be given with `/quota grant`."
            )
        case errors.NothingFree():
            return (
                "Whoever runs this bot limits what may be given out here, so nothing can be made free. "
                "Nothing was changed."
            )
        case errors.Busy():
            if error.own:
                return f"I am still busy with what you asked for before. Try again when it is here. {UNCHARGED}"
            return f"Others are being served just now. Try again in a minute. {UNCHARGED}"
        case errors.ShuttingDown():
            return f"Easel is about to restart. Try again in a minute. {UNCHARGED}"
    raise TypeError(f"no sentence for {type(error).__name__}")


def refused(error: errors.Refusal) -> list[str]:
    """The messages in which somebody hears of a refusal, with what they had typed in blocks to copy."""
    messages = [sentence(error)]
    for text in error.typed:
        for part in textwrap.wrap(text, _BLOCK, break_on_hyphens=False):
            block = copyable(part)
            if len(messages[-1]) + len(block) + 1 > _MESSAGE:
                messages.append(block)
            else:
                messages[-1] += f"\n{block}"
    return messages


def _bad_prompt(error: errors.BadPrompt) -> str:
    reasons = [reason if isinstance(reason, str) else sentence(reason) for reason in error.reasons]
    if len(reasons) == 1:
        return f"{reasons[0]} {UNCHARGED}"
    shown = "\n".join(f"- {reason}" for reason in reasons[:_WRONG_LINES])
    more = f"\n… and {len(reasons) - _WRONG_LINES} more" if len(reasons) > _WRONG_LINES else ""
    return f"That can't be drawn as it is:\n{shown}{more}\n{UNCHARGED}"


def _because(reason: str) -> str:
    return f": {inert(reason)}" if reason else ""


def _listed(sign: str, ids: Sequence[int]) -> str:
    """Mentions of channels or roles, at most twenty."""
    more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
    return ", ".join(f"<{sign}{one}>" for one in ids[:_LISTED]) + more


def failure(reason: FailureReason, *, price: int) -> str:
    """What to tell the owner of a job that ended without pictures."""
    refunded = f"Your {credits(price)} came back." if price else UNCHARGED
    match reason:
        case FailureReason.CANCELLED:
            return f"Cancelled. {refunded}"
        case FailureReason.WORKER_DIED | FailureReason.WORKER_HUNG:
            return f"The drawing process stopped twice while it worked on this. {refunded} Try again, or tell the host."
        case FailureReason.MODEL_UNUSABLE:
            return f"This model can't be loaded on this host. {refunded} Try another with `--model`."
        case FailureReason.OUT_OF_MEMORY:
            return f"This needs more memory than the host has. {refunded} Ask for fewer pictures or a smaller model."
        case FailureReason.BROKEN_IMAGE:
            return f"The model drew nothing but noise or a blank. {refunded} Another seed or a lower `--cfg` may help."
        case FailureReason.UNCHECKED:
            return (
                f"Pictures are checked here before they are shown, and the check doesn't work at present. {refunded} "
                "Try again later, or tell the host, who finds out more with `./easel doctor`."
            )
        case FailureReason.SOURCE_GONE:
            return f"The picture that this starts from was deleted. {refunded} Vary another one."
        case FailureReason.BAD_REQUEST:
            return f"This model can't do that. {refunded} Change the prompt's flags or take another model."
        case FailureReason.INTERNAL:
            return f"Something went wrong while drawing. {refunded} The host can find it in the log."
    raise TypeError(f"no words for {reason}")


def pictures(numbers: Sequence[int]) -> str:
    """These pictures of a result, in words."""
    some = [str(number) for number in numbers]
    return f"picture {some[0]}" if len(some) == 1 else f"pictures {', '.join(some[:-1])} and {some[-1]}"


def withheld(numbers: Sequence[int], *, back: int, moderated: bool, appeal: str | None) -> str:
    """What stands under a result of which the safety check withheld these pictures; `back` is what came back for them."""
    what, passed = ("it", "it") if len(numbers) == 1 else ("they", "them")
    refunded = f" {credits(back).capitalize()} came back." if back else ""
    judged = f" The moderators will have a look, and can let {passed} pass." if moderated else ""
    return (
        f"The safety check withheld {pictures(numbers)}, because {what} may be for adults only.{refunded}{judged} "
        f"{appeal or APPEAL}"
    )


def let_pass(numbers: Sequence[int], *, back: int) -> str:
    """What stands there once moderators let these pictures pass; `back` is what had come back for them."""
    passed, below = ("it", "it is below") if len(numbers) == 1 else ("them", "they are below")
    refunded = f" {credits(back).capitalize()} came back." if back else ""
    return f"The safety check withheld {pictures(numbers)}, and the moderators let {passed} pass: {below}.{refunded}"


def cancelled(price: int, *, by_owner: bool) -> str:
    """A cancelled job's last state."""
    if by_owner:
        return "(Cancelled)"
    back = f" Your {credits(price)} came back." if price else ""
    return f"(Cancelled by an admin.{back})"


def title(prompt: str, owner_id: int, *, what: str = "") -> str:
    """The first line of every message about a job: the prompt, what is done with it, and whose it is."""
    return f"**{inert(prompt)}** - {what + ' by ' if what else ''}<@{owner_id}>"


def person(user_id: int) -> str:
    """A person as Discord shows them. Numbers below zero stand for those who had their data deleted."""
    return f"<@{user_id}>" if user_id > 0 else "somebody who deleted their data"


def waiting(ahead: int, seconds: float | None) -> str:
    """A waiting job's state: how many are before it, and when it is likely to be done."""
    if ahead == 0:
        return "(Waiting to start)"
    soon = f", done in about {duration(seconds)}" if seconds else ""
    return f"(Waiting: {ahead} before it{soon})"


def percent(step: int, steps: int) -> str:
    """A running job's state; it has no number of steps while its model is loaded."""
    return f"({round(100 * step / steps)}%)" if steps else "(Loading the model)"


def receipt(*, price: int, left: int, ahead: int, seconds: float | None, notes: Sequence[str]) -> str:
    """What the person who asked is told privately once the job is accepted."""
    when = "It is next." if ahead == 0 else f"{ahead} before it."
    if seconds:
        when = f"{when.removesuffix('.')}, done in about {duration(seconds)}."
    costs = f"costs {credits(price)}" if price else "is free"
    return "\n".join([f"On its way. {when} It {costs}; you have {left} left.", *_small(notes)])


def lowered(*, price: int, notes: Sequence[str]) -> str:
    """What somebody is told privately whose button could not be carried out in full, as the server limits it."""
    costs = f"It costs {credits(price)}." if price else "It is free."
    return "\n".join([f"On its way. {costs}", *_small(notes)])


def _small(notes: Sequence[str]) -> list[str]:
    return [f"-# {note}" for note in notes]


def details(*, model: str, seed: int, seconds: float | None) -> str:
    """The second line of a result."""
    took = f" · {duration(seconds)}" if seconds is not None else ""
    return f"-# seed `{seed}` · {model}{took}"


def alt_text(prompt: str, *, index: int, count: int) -> str:
    """A description of a picture for people who can't see it, at most Discord's 1,024 characters.

    `index` counts from 1; 0 is the grid of all `count` pictures.
    """
    what = f"Grid of {count} generated pictures" if index == 0 and count > 1 else "Generated picture"
    if index and count > 1:
        what += f" {index} of {count}"
    return f"{what}: {prompt}"[:1024]


def duration(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def relative(moment: datetime) -> str:
    """A moment as Discord shows it to each reader, like "in 5 hours"."""
    return discord.utils.format_dt(moment, "R")


def credits(amount: int) -> str:
    """An amount of credits in words."""
    return "1 credit" if amount == 1 else f"{amount} credits"


def per(rate: Rate) -> str:
    """A rate in words, like "40 credits a day"."""
    return f"{credits(rate.credits)} a {rate.period}"


def job_count(number: int) -> str:
    """A number of jobs in words."""
    return "1 job" if number == 1 else f"{number} jobs"
