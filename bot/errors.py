"""The errors that people see. `texts.sentence` has words for every one of them, which a test holds.

Refusal                     what was asked can't be done; nothing was charged
├── BadPrompt               a flag or value in the prompt is wrong
├── UnknownModel            no such model in the catalogue
├── ModelUnavailable        the model exists, but can't be loaded or isn't installed
├── OverQuota               not enough credits left
├── QueueFull               too many of the person's own jobs are waiting
├── BadPicture              a file that somebody sent can't be read as a picture
├── JobGone                 the job, or its pictures, are no longer there
├── NotReady                the job's pictures are still being drawn
├── ButtonOutOfDate         a button of an earlier version whose action is gone
├── NotYours                only the owner or a moderator may do that
├── NotAdmin                only admins of the server may do that
├── NotHost                 only those who run the whole bot may do that
├── NothingToCancel         the job is already over
├── BotLacksPermission      Easel may not do in this channel what it needs to
├── DirectMessagesClosed    the person takes no messages from Easel
├── ServerOnly              it works in servers only
├── BadAmount               credits out of range
├── WordRefused             a word that the host or the server forbids
├── BadRule                 a word rule that is none
└── ShuttingDown            Easel is about to restart
"""

from __future__ import annotations

from datetime import datetime


class Refusal(Exception):
    """Something a person asked for can't be done, for a reason that they should hear. Nothing was charged."""


class BadPrompt(Refusal):
    """`reason` is a full sentence that names the flag and the range allowed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownModel(Refusal):
    """No model of that name; `known` lists those there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known


class ModelUnavailable(Refusal):
    """The model is in the catalogue but can't be used on this host now."""

    def __init__(self, name: str, others: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.others = others


class OverQuota(Refusal):
    """`left` of `allowance` credits remain, `price` are needed, and more come at `resets_at`."""

    def __init__(self, *, price: int, left: int, allowance: int, resets_at: datetime) -> None:
        super().__init__(f"{price} > {left}")
        self.price = price
        self.left = left
        self.allowance = allowance
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
    """The text holds `word`, as it was written; `appeal` is the server's own text, if it has one."""

    def __init__(self, word: str, *, appeal: str | None) -> None:
        super().__init__(word)
        self.word = word
        self.appeal = appeal


class BadRule(Refusal):
    """`reason` is a full sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ShuttingDown(Refusal):
    """No new jobs are taken any more."""
