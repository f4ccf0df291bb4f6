"""What people read when something is refused or goes wrong: what happened, what it cost, and what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import discord

from bot import errors
from bot.texts.common import APPEAL, UNCHARGED, credits, job_count, relative
from bot.texts.escaping import copyable, inert

_MESSAGE, _BLOCK = 2000, 1900
"""Characters of a message on Discord, and of a text that fits into one as a block to copy."""
_WRONG_LINES = 8
"""Lines of a file, or flaws of a prompt, that are told: each takes up to 200 characters of a message."""
_LISTED = 20
COMMAND_OUT_OF_DATE = "This command has just changed. Reload Discord (Ctrl+R) and try again. " + UNCHARGED
LETTER_BACK = (
    "Your privacy settings keep my direct messages out, so I can't tell you here what became of that. "
    "Allow them for this server, or use a button or command: only you read their answers."
)
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
    """What to tell the person who was refused."""
    match error:
        case errors.BadPrompt():
            return _bad_prompt(error)
        case errors.BadAmount() | errors.BadRule() | errors.NotOnTheList():
            return error.reason
        case errors.UnknownModel():
            known = ", ".join(f"`{name}`" for name in error.known)
            return f"There is no model `{inert(error.name, limit=40)}` here. There are: {known}."
        case errors.BeyondModel():
            if error.others:
                more = "Without that limit: " + " or ".join(f"`--model {name}`" for name in error.others) + "."
            else:
                more = "Whoever runs this bot can add a larger model, which draws anything, to `models.toml`."
            return (
                f"{error.model} draws a small world of its own, and nothing in that prompt is part of it. {UNCHARGED} "
                f"{more} The buttons draw what comes closest."
            )
        case errors.CannotDraw():
            others = " or ".join(f"`{name}`" for name in error.others)
            return f"{error.reason}. {UNCHARGED}" + (f" {others} can." if others else "")
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
