"""The errors that people see. `texts.sentence` has words for every one of them, which a test holds.

Refusal                     what was asked can't be done; nothing was charged
├── BadPrompt               a flag or value in the prompt is wrong
├── BeyondModel             the model knows nothing of what the prompt is about
├── UnknownModel            no such model in the catalogue
├── CannotDraw              the model can't make a picture in this way, or of this size
├── ModelUnavailable        the model exists, but can't be loaded or isn't installed
├── OverQuota               not enough credits left
├── OverCeiling             the whole server, or the whole bot, has not enough credits left
├── QueueFull               too many of the person's own jobs are waiting
├── BadPicture              a file that somebody sent can't be read as a picture
├── JobGone                 the job, or its pictures, are no longer there
├── NotReady                the job's pictures are still being drawn
├── ButtonOutOfDate         a button of an earlier version whose action is gone
├── NotYours                only the owner or a moderator may do that
├── NotAdmin                only admins of the server may do that
├── Banned                  the person may not use the bot
├── NoNewJobs               nothing new is taken for now
├── ClosedChannel           jobs are taken in other channels only
├── KeptForRoles            an action or a model is kept for other roles
├── OverLimit               larger or more than the server allows the person
├── NotOnTheList            an admin takes off a list what is not on it
├── TooSoon                 the server wants some time between two jobs
├── NotHost                 only those who run the whole bot may do that
├── NothingToCancel         the job is already over
├── BotLacksPermission      Easel may not do in this channel what it needs to
├── DirectMessagesClosed    the person takes no messages from Easel
├── ServerOnly              it works in servers only
├── BadAmount               credits out of range
├── WordRefused             a word that the host or the server forbids
├── TimedOut                refused too often lately
├── AdultOnly               an adult model or picture, outside of an age-restricted channel
├── PictureWithheld         a picture that the safety check withheld
├── PriceChanged            it costs something else than the message said
├── BadLink                 no link to a picture of ours in this server
├── FormTooSlow             a form could not be opened in time
├── NothingKept             the job of a reported picture was deleted
├── NoModerators            no channel takes reports here
├── AlreadyReported         the same person reported it before
├── TooManyReports          the person reported many pictures lately
├── NotModerator            only moderators decide on reports
├── PublicChannel           everyone can read the channel that is to be the moderators'
├── BadRule                 a word rule that is none
├── UnknownZone             no such time zone
├── ServerNotAllowed        the host has Easel work in other servers only
├── OverGrants              the host lets a server's admins give out no more credits this month
├── OverDefault             the host lets nobody's allowance be higher than the default
├── NothingFree             the host lets nothing be free
├── BadSheet                a file of quotas with lines that can't be imported
├── Busy                    too many ask for the same costly thing at once
└── ShuttingDown            Easel is about to restart
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from storage.credits.calendar import Rate


class Refusal(Exception):
    """Something a person asked for can't be done, for a reason that they should hear. Nothing was charged.

    `typed` is what they had typed and get back, to copy it, correct it and send it again.
    """

    typed: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    """Prompts with their flags that can be had instead, each by one button."""


class UnknownModel(Refusal):
    """No model of that name; `known` lists those there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known


class BadPrompt(Refusal):
    """`reasons` are all that is wrong: full sentences that name the flag and the range allowed, or an unknown model."""

    def __init__(self, *reasons: str | UnknownModel) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


class BeyondModel(Refusal):
    """`model` knows nothing of what the prompt is about; `offers` come closest. `others` are models here that know more."""

    def __init__(self, model: str, *, offers: tuple[str, ...], others: tuple[str, ...]) -> None:
        super().__init__(model)
        self.model = model
        self.offers = offers
        self.others = others


class CannotDraw(Refusal):
    """`reason` is a sentence without its full stop; `others` are models here that can."""

    def __init__(self, reason: str, *, others: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.others = others


class ModelUnavailable(Refusal):
    """The model is in the catalogue but can't be used on this host now."""

    def __init__(self, name: str, others: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.others = others


class OverQuota(Refusal):
    """The person gets `rate`, `left` credits remain, `price` are needed, and more come at `resets_at`."""

    def __init__(self, *, price: int, left: int, rate: Rate, resets_at: datetime) -> None:
        super().__init__(f"{price} > {left}")
        self.price = price
        self.left = left
        self.rate = rate
        self.resets_at = resets_at


class OverCeiling(Refusal):
    """The whole server, or the whole bot, may spend `left` credits until `resets_at`, and `price` are needed."""

    def __init__(self, *, whose: Literal["server", "bot"], price: int, left: int, resets_at: datetime) -> None:
        super().__init__(f"{price} > {left}")
        self.whose = whose
        self.price = price
        self.left = left
        self.resets_at = resets_at


class QueueFull(Refusal):
    """The person already has `limit` jobs waiting."""

    def __init__(self, limit: int) -> None:
        super().__init__(str(limit))
        self.limit = limit


class BadPicture(Refusal):
    """`reason` is half a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class JobGone(Refusal):
    """The job, or the picture asked for, is no longer kept."""


class NotReady(Refusal):
    """The job is still waiting or running."""


class ButtonOutOfDate(Refusal):
    """The button's action no longer exists."""


class NotYours(Refusal):
    """Somebody else's job."""


class NotAdmin(Refusal):
    """The person has neither Manage Server nor the role that the server chose for its admins."""


class Banned(Refusal):
    """The person may not use the bot in this server, or anywhere; `reason` is an admin's, or empty."""

    def __init__(self, *, reason: str, everywhere: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.everywhere = everywhere


class NoNewJobs(Refusal):
    """Nothing new is taken for now; `reason` is an admin's, or empty."""

    def __init__(self, *, reason: str, everywhere: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.everywhere = everywhere


class ClosedChannel(Refusal):
    """Jobs are taken in these channels and categories only."""

    def __init__(self, channel_ids: tuple[int, ...]) -> None:
        super().__init__(str(channel_ids))
        self.channel_ids = channel_ids


class KeptForRoles(Refusal):
    """An action or a model, `what`, is for members of these roles."""

    def __init__(self, what: str, role_ids: tuple[int, ...]) -> None:
        super().__init__(what)
        self.what = what
        self.role_ids = role_ids


class OverLimit(Refusal):
    """`wanted` is more than the `most` that the person may have of `limit` (size or pictures); `roles` may have it."""

    def __init__(self, limit: str, *, wanted: int, most: int, roles: tuple[int, ...]) -> None:
        super().__init__(f"{limit}: {wanted} > {most}")
        self.limit = limit
        self.wanted = wanted
        self.most = most
        self.roles = roles


class NotOnTheList(Refusal):
    """`reason` is a full sentence that says what holds, and how to get what was meant."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooSoon(Refusal):
    """The person may ask again at `again_at`."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__(str(again_at))
        self.again_at = again_at


class NotHost(Refusal):
    """The person does not run the whole bot."""


class NothingToCancel(Refusal):
    """No such job is waiting or running."""


class BotLacksPermission(Refusal):
    """Easel lacks `missing` (Discord's permission names, as people see them) in the channel."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


class DirectMessagesClosed(Refusal):
    """The person's privacy settings keep Easel's direct messages out."""


class ServerOnly(Refusal):
    """Asked outside a server."""


class BadAmount(Refusal):
    """`reason` is a full sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WordRefused(Refusal):
    """The text holds `word`, as it was written; `appeal` is the server's own text, if it has one.

    `until` ends the timeout to which this refusal led.
    """

    def __init__(self, word: str, *, appeal: str | None, until: datetime | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.appeal = appeal
        self.until = until


class TimedOut(Refusal):
    """The person was refused too often, and can ask for nothing before `until`."""

    def __init__(self, until: datetime, *, appeal: str | None) -> None:
        super().__init__(str(until))
        self.until = until
        self.appeal = appeal


class AdultOnly(Refusal):
    """The model of that name and what it drew, or else these pictures, belong into age-restricted channels."""

    def __init__(self, model: str | None = None) -> None:
        super().__init__(model)
        self.model = model


class PictureWithheld(Refusal):
    """The safety check withheld the picture; `appeal` is the server's own text, if it has one."""

    def __init__(self, *, appeal: str | None) -> None:
        super().__init__()
        self.appeal = appeal


class PriceChanged(Refusal):
    """What was asked for costs `price` credits by now, and the message said otherwise; it has been corrected."""

    def __init__(self, price: int) -> None:
        super().__init__(price)
        self.price = price


class BadLink(Refusal):
    """What was given is no link to a message of ours with a picture, in this server."""


class FormTooSlow(Refusal):
    """The database took so long that Discord would no longer take the form."""


class NothingKept(Refusal):
    """Somebody reported a picture of ours whose job was deleted."""


class NoModerators(Refusal):
    """The server has no moderators' channel, or Easel can't post there."""


class AlreadyReported(Refusal):
    """The same person reported the same pictures before."""


class TooManyReports(Refusal):
    """The person reported as many pictures as one may in an hour, and can report more at `again_at`."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__(str(again_at))
        self.again_at = again_at


class NotModerator(Refusal):
    """The person can't manage messages in the moderators' channel."""


class PublicChannel(Refusal):
    """Everyone in the server can read the channel that an admin chose for moderators."""

    def __init__(self, channel_id: int) -> None:
        super().__init__(channel_id)
        self.channel_id = channel_id


class BadRule(Refusal):
    """`reason` is a full sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownZone(Refusal):
    """No time zone of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class BadSheet(Refusal):
    """A file can't be imported; `lines` say what is wrong in which line, without a full stop."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


class ServerNotAllowed(Refusal):
    """The server with this id is not among those that the host allows."""

    def __init__(self, guild_id: int) -> None:
        super().__init__(str(guild_id))
        self.guild_id = guild_id


class OverGrants(Refusal):
    """`wanted` credits are more than the `left` of `most` that the server's admins may give out until `resets_at`."""

    def __init__(self, *, wanted: int, left: int, most: int, resets_at: datetime) -> None:
        super().__init__(f"{wanted} > {left}")
        self.wanted = wanted
        self.left = left
        self.most = most
        self.resets_at = resets_at


class OverDefault(Refusal):
    """Nobody's allowance may be more than `daily` credits, for whatever time."""

    def __init__(self, daily: int) -> None:
        super().__init__(str(daily))
        self.daily = daily


class NothingFree(Refusal):
    """Where the host limits what admins may give out, no action can be made free."""


class Busy(Refusal):
    """Something costly is being done for others, or for an earlier request of the person's `own`."""

    def __init__(self, *, own: bool) -> None:
        super().__init__(own)
        self.own = own


class ShuttingDown(Refusal):
    """No new jobs are taken any more."""
