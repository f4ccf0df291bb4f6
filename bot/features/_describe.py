"""The answer to `/describe`. Every word of a file is a stranger's: shown inert, and cut."""

from __future__ import annotations

from collections.abc import Iterator

from bot.jobs.prompt_line import Again, Changed
from bot.jobs.prompts import MAX_PROMPT
from bot.pictures.verifier import Share, Standing, Verdict
from bot.texts.escaping import copyable, inert
from generation.description import Description
from generation.parameters import Parameters

_LONGEST = 2000
"""Characters in a Discord message."""
_WORDS, _NAME, _FIGURE = 150, 40, 20
"""Characters of a prompt, of a shorter text, and of a number, which escaping may double: so all but the line to copy always fits."""
_FACTS = {
    "Model": "Model",
    "Seed": "seed",
    "Size": "size",
    "Steps": "steps",
    "CFG scale": "guidance",
    "Sampler": "sampler",
}
_NAMES = {"Model", "Sampler"}
_SHARES = {
    Share.ALL: "The credentials say that AI made it.",
    Share.PART: "The credentials say that AI made parts of it.",
    Share.SOURCE: "The credentials say that AI made something that went into it.",
    Share.UNSAID: "The credentials do not say that AI made it.",
}


def described(found: Description, verdict: Verdict | None, again: Again | None) -> tuple[str, bool]:
    """What a file says of itself, and the line that draws it again; and whether that is too long to stand here."""
    lines = [_origin(found), *([_credentials(verdict)] if verdict else [])]
    if found.parameters is None:
        lines.append(_without_parameters(found))
        return "\n".join(lines), False
    lines += _parameters(found)
    if again is None:
        return "\n".join(lines), False
    lines += _notes(found.parameters, again)
    if again.line is None:
        return "\n".join(lines), False
    lines.append("To draw it again, copy this:")
    whole = "\n".join([*lines, copyable(again.line)])
    if len(whole) <= _LONGEST:
        return whole, False
    return "\n".join([*lines, "the line in the attached file."]), True


def _without_parameters(found: Description) -> str:
    if found.unreadable:
        return (
            f"It carries parameters{f' of {found.tool}' if found.tool else ''} in a form that I can't read."
        )
    return "It carries no parameters. Pictures lose them in screenshots, in most apps, and when sites convert them."


def _notes(given: Parameters, again: Again) -> Iterator[str]:
    """What the line to copy does not keep."""
    if again.too_long:
        yield f"Its prompt has {again.too_long:,} characters, and `/imagine` takes {MAX_PROMPT:,}: shorten it to draw it again."
        return
    if again.line is None:
        return
    if "Denoising strength" in given.facts:
        yield "It was drawn over another picture, so the same words and seed give a different one."
    if lost := " and ".join(name for name in ("seed", "model") if getattr(again, name)):
        yield f"Its {lost} can't be had here: the picture will differ."
    if again.changed:
        yield f"Changed, because the model here draws nothing else: {', '.join(map(_change, again.changed))}."
    if again.cut:
        yield f"Its negative prompt was cut to {MAX_PROMPT:,} characters."


def _change(changed: Changed) -> str:
    was = inert(changed.was, limit=_NAME)
    return f"{changed.setting} {changed.now} instead of {was}"


def _origin(found: Description) -> str:
    return f"The file {'says that' if found.says_ai else 'does not say whether'} AI made it."


def _parameters(found: Description) -> list[str]:
    given = found.parameters or Parameters(prompt="")
    lines = [f"**Prompt** {inert(given.prompt, limit=_WORDS) or 'none: it was left out of the file'}"]
    if given.negative:
        lines.append(f"**Without** {inert(given.negative, limit=_WORDS)}")
    known = [f"made with {found.tool}"] if found.tool else []
    known += [
        f"{name} {inert(given.facts[key], limit=_NAME if key in _NAMES else _FIGURE)}"
        for key, name in _FACTS.items()
        if key in given.facts
    ]
    return lines + ([" · ".join(known)] if known else [])


def _credentials(verdict: Verdict) -> str:
    """What the Content Credentials prove, in a sentence or three."""
    match verdict.standing:
        case Standing.UNCHECKED:
            return "It carries Content Credentials, which I can't check here."
        case Standing.UNREADABLE:
            return "It carries Content Credentials that are damaged, or that I can't read."
        case Standing.CHANGED:
            return (
                f"⚠️ **It was changed after it was signed.** Its Content Credentials name {_signer(verdict)}, but the "
                "file is not what was signed: don't rely on what it says."
            )
        case Standing.BROKEN:
            why = f" ({inert(verdict.reason, limit=_NAME)})" if verdict.reason else ""
            return (
                f"⚠️ The signature of its Content Credentials does not hold{why}: don't rely on what they say."
            )
        case Standing.OUTDATED:
            return (
                f"**Content Credentials** name {_signer(verdict)}, but that certificate is not valid today, and no "
                "trusted time stamp says that it was: the signature proves nothing."
            )
        case Standing.HOLDS:
            return f"{_who(verdict)} {_SHARES[verdict.share]}"


def _who(verdict: Verdict) -> str:
    program = f" with {inert(verdict.program, limit=_NAME)}" if verdict.program else ""
    when = f" on <t:{verdict.signed_at}:f>" if verdict.signed_at is not None else ""
    if verdict.trusted:
        return (
            f"✅ **Content Credentials**: signed by {_signer(verdict)}{program}{when}, and unchanged since. This bot's host "
            "trusts who issued that certificate."
        )
    return (
        f"**Content Credentials**: signed under the name {_signer(verdict)}{program}{when}, and unchanged since. I "
        "don't know who vouches for that name: anybody could have used it."
    )


def _signer(verdict: Verdict) -> str:
    names = [inert(each, limit=_NAME) for each in (verdict.signer, verdict.organisation)]
    known = [f"**{names[0]}**" if names[0] else "", f"({names[1]})" if names[1] else ""]
    return " ".join(filter(None, known)) or "nobody"
