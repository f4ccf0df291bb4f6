"""What people read about a job: its receipt, its place in the queue, its result, and how else it ended."""

from __future__ import annotations

from collections.abc import Sequence

from bot.texts.common import APPEAL, UNCHARGED, about, credits, duration, pictures
from bot.texts.escaping import inert
from generation.contract import FailureReason

PAUSED = "Drawing is paused at present: your job keeps its place and is drawn when it goes on."
LET_PASS = "The moderators let this picture pass."


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


def withheld(numbers: Sequence[int], *, back: int, moderated: bool, appeal: str | None) -> str:
    """The line under a result with withheld pictures; `back` credits came back for them."""
    what, passed = ("it", "it") if len(numbers) == 1 else ("they", "them")
    refunded = f" {credits(back).capitalize()} came back." if back else ""
    judged = f" The moderators will have a look, and can let {passed} pass." if moderated else ""
    return (
        f"The safety check withheld {pictures(numbers)}, because {what} may be for adults only.{refunded}{judged} "
        f"{appeal or APPEAL}"
    )


def let_pass(numbers: Sequence[int], *, back: int) -> str:
    """The same once moderators let these pictures pass; `back` credits had come back for them."""
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


def waiting(ahead: int, seconds: float | None) -> str:
    """A waiting job's state: how many are before it, and when it is likely to be done."""
    if ahead == 0:
        return "(Waiting to start)"
    soon = f", done in {about(seconds)}" if seconds else ""
    return f"(Waiting: {ahead} before it{soon})"


def percent(step: int, steps: int) -> str:
    """A running job's state; it has no number of steps while its model is loaded."""
    return f"({round(100 * step / steps)}%)" if steps else "(Loading the model)"


def receipt(*, price: int, left: int, ahead: int, seconds: float | None, notes: Sequence[str]) -> str:
    """What the person who asked is told privately once the job is accepted."""
    when = "It is next." if ahead == 0 else f"{ahead} before it."
    if seconds:
        when = f"{when.removesuffix('.')}, done in {about(seconds)}."
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


def not_drawn(model: str, words: Sequence[str]) -> str:
    """The line under a result that names what the model could not draw of the prompt; no words of a private one."""
    return (
        f"-# {model} can't draw: {inert(', '.join(words), limit=150)}" if words else f"-# {model} didn't know all words"
    )


def alt_text(prompt: str, *, index: int, count: int) -> str:
    """A description of a picture for people who can't see it, at most Discord's 1,024 characters.

    `index` counts from 1; 0 is the grid of all `count` pictures.
    """
    what = f"Grid of {count} generated pictures" if index == 0 and count > 1 else "Generated picture"
    if index and count > 1:
        what += f" {index} of {count}"
    return f"{what}: {prompt}"[:1024]
