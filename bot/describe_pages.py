"""The answer to `/describe`. Every word of a file is a stranger's: shown inert, and cut."""

from __future__ import annotations

from bot.inert import copyable, inert
from bot.verifier import Share, Standing, Verdict
from generation.description import Description
from generation.parameters import Parameters

_LONGEST = 2000
"""Characters in a Discord message."""
_WORDS, _NAME = 150, 40
"""Characters of a prompt and of a shorter text, which escaping may double: so all but the line to copy always fits."""
_FACTS = {
    "Model": "Model",
    "Seed": "seed",
    "Size": "size",
    "Steps": "steps",
    "CFG scale": "guidance",
    "Sampler": "sampler",
}
_SHARES = {
    Share.ALL: "The credentials say that AI made it.",
    Share.PART: "The credentials say that AI made parts of it.",
    Share.SOURCE: "The credentials say that AI made something that went into it.",
    Share.UNSAID: "The credentials do not say that AI made it.",
}


def described(found: Description, verdict: Verdict | None, again: str | None) -> tuple[str, bool]:
    """What a file says of itself, and the line that draws it again; and whether that is too long to stand here."""
    lines = [_origin(found), *([_credentials(verdict)] if verdict else [])]
    if found.parameters is None:
        lines.append(
            "It carries no parameters. Pictures lose them in screenshots, in most apps, and when sites convert them."
        )
        return "\n".join(lines), False
    lines += _parameters(found.parameters)
    if again is None:
        return "\n".join(lines), False
    if "Denoising strength" in found.parameters.facts:
        lines.append("It was drawn over another picture, so the same words and seed give a different one.")
    lines.append("To draw it again, copy this:")
    whole = "\n".join([*lines, copyable(again)])
    if len(whole) <= _LONGEST:
        return whole, False
    return "\n".join([*lines, "the line in the attached file."]), True


def _origin(found: Description) -> str:
    return f"The file {'says that' if found.says_ai else 'does not say whether'} AI made it."


def _parameters(given: Parameters) -> list[str]:
    lines = [f"**Prompt** {inert(given.prompt, limit=_WORDS) or 'none: it was left out of the file'}"]
    if given.negative:
        lines.append(f"**Without** {inert(given.negative, limit=_WORDS)}")
    known = [
        f"{name} {inert(given.facts[key], limit=_NAME)}" for key, name in _FACTS.items() if key in given.facts
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
